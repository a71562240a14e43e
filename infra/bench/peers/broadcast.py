"""A peer: sends every text published in Redis to every client with `websockets.broadcast`.

    python -m infra.bench.peers.broadcast PORT CHANNEL asyncio|uvloop

The Redis address is in REDIS_URL.
"""

import asyncio
import os
import sys

from redis.asyncio import Redis
from websockets.asyncio.server import ServerConnection, broadcast, serve

LISTEN_BACKLOG = 4096  # as the product


async def main(port: int, channel: str) -> None:
    """Serve until the process is ended."""
    clients: set[ServerConnection] = set()

    async def keep(client: ServerConnection) -> None:
        clients.add(client)
        try:
            await client.wait_closed()
        finally:
            clients.discard(client)

    redis = Redis.from_url(os.environ["REDIS_URL"])
    published = redis.pubsub(ignore_subscribe_messages=True)
    await published.subscribe(channel)
    async with serve(
        keep, "127.0.0.1", port, compression=None, ping_interval=None, backlog=LISTEN_BACKLOG
    ):
        while True:
            message = await published.get_message(timeout=60.0)
            if message is not None:
                broadcast(clients, message["data"].decode())


if __name__ == "__main__":
    _, port_, channel_, loop = sys.argv
    if loop == "uvloop":
        import uvloop  # only where the product runs on it

        uvloop.run(main(int(port_), channel_))
    else:
        asyncio.run(main(int(port_), channel_))

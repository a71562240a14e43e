"""A peer: sends every notification of PostgreSQL to the WebSocket clients of its topic, on uvloop.

    python -m infra.bench.peers.relay PORT CHANNEL

The first message of a client has its topic. A notification is a topic, a space and the text for the
clients of that topic; `websockets.broadcast` sends the text. The PostgreSQL address is in
DATABASE_URL.
"""

import json
import os
import sys
from collections import defaultdict

import psycopg
import uvloop
from psycopg import sql
from websockets.asyncio.server import ServerConnection, broadcast, serve

from infra.bench.peers.broadcast import LISTEN_BACKLOG

SNAPSHOT = '{"type":"snapshot"}'  # without rooms: the sign that the client is subscribed


async def main(port: int, channel: str) -> None:
    """Serve until the process is ended."""
    followers: defaultdict[str, set[ServerConnection]] = defaultdict(set)

    async def follow(client: ServerConnection) -> None:
        topic = json.loads(await client.recv())["topic"]
        followers[topic].add(client)
        try:
            await client.send(SNAPSHOT)
            await client.wait_closed()
        finally:
            followers[topic].discard(client)

    connection = await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"], autocommit=True)
    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
    async with (
        connection,
        serve(
            follow, "127.0.0.1", port, compression=None, ping_interval=None, backlog=LISTEN_BACKLOG
        ),
    ):
        async for notification in connection.notifies():
            topic, _, text = notification.payload.partition(" ")
            broadcast(followers[topic], text)


if __name__ == "__main__":
    _, port_, channel_ = sys.argv
    uvloop.run(main(int(port_), channel_))

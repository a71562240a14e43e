"""A peer: answers the first message of every client with the same text, `websockets` on uvloop.

    python -m infra.bench.peers.snapshots PORT FILE

FILE has the text. The server checks no token and encodes nothing.
"""

import sys
from pathlib import Path

import uvloop
from websockets.asyncio.server import ServerConnection, serve

from infra.bench.peers.broadcast import LISTEN_BACKLOG


async def main(port: int, text: str) -> None:
    """Serve until the process is ended."""

    async def answer(client: ServerConnection) -> None:
        await client.recv()
        await client.send(text)
        await client.wait_closed()

    async with serve(
        answer, "127.0.0.1", port, compression=None, ping_interval=None, backlog=LISTEN_BACKLOG
    ) as server:
        await server.serve_forever()


if __name__ == "__main__":
    _, port_, file_ = sys.argv
    uvloop.run(main(int(port_), Path(file_).read_text()))

"""Each mode of the proxy breaks connections as documented."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from realtime.tests.faults.proxy import DELAY_S, Mode, Proxy, proxied

WAIT_S = 5.0
SILENCE_S = 0.3


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(100):
            writer.write(chunk)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, proxied(server.sockets[0].getsockname()[1]) as running:
        yield running


async def ask(proxy: Proxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"a")
    return reader, writer


async def test_pass__bytes__come_back(proxy: Proxy):
    async with asyncio.timeout(WAIT_S):
        reader, writer = await ask(proxy)
        assert await reader.readexactly(1) == b"a"
        writer.close()


async def test_delay__bytes__come_late(proxy: Proxy):
    await proxy.set(Mode.DELAY)
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(WAIT_S):
        reader, writer = await ask(proxy)
        await reader.readexactly(1)
        writer.close()
    assert asyncio.get_running_loop().time() - began >= 2 * DELAY_S


async def test_black_hole__nothing_comes__until_it_ends(proxy: Proxy):
    async with asyncio.timeout(WAIT_S):
        reader, writer = await ask(proxy)
        await reader.readexactly(1)
        await proxy.set(Mode.BLACKHOLE)
        writer.write(b"b")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SILENCE_S):
                await reader.read(1)
        await proxy.set(Mode.PASS)
        assert await reader.readexactly(1) == b"b"
        writer.close()


async def test_reset__open_connection__is_torn(proxy: Proxy):
    async with asyncio.timeout(WAIT_S):
        reader, _ = await ask(proxy)
        await reader.readexactly(1)
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)


async def test_refuse__new_connection__finds_nobody__until_it_ends(proxy: Proxy):
    await proxy.set(Mode.REFUSE)
    with pytest.raises(ConnectionRefusedError):
        await ask(proxy)
    await proxy.set(Mode.PASS)
    async with asyncio.timeout(WAIT_S):
        reader, writer = await ask(proxy)
        assert await reader.readexactly(1) == b"a"
        writer.close()

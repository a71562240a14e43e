"""Run a process with an open live store until it ends or a signal stops it."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import structlog

from realtime.store.live_store import LiveStore, open_store

log = structlog.get_logger(__name__)


def run_until_signal(name: str, body: Callable[[LiveStore], Awaitable[None]]) -> None:
    """Run `body` with an open store until it ends or SIGINT or SIGTERM arrives."""
    asyncio.run(_run(name, body))


async def _run(name: str, body: Callable[[LiveStore], Awaitable[None]]) -> None:
    store = open_store()
    task = asyncio.ensure_future(body(store))
    for stop in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(stop, task.cancel)
    log.info("process_started", process=name)
    try:
        await task
    except asyncio.CancelledError:
        log.info("process_stopped", process=name)
    finally:
        await store.close()

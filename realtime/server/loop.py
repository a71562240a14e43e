"""The event loop of the web process: uvloop if it is installed, else asyncio's.

Call `install_loop` before any import of `daphne.server` or Twisted's reactor.
"""

import asyncio

from twisted.internet import asyncioreactor


def install_loop(*, wants_uvloop: bool) -> None:
    """Install Twisted's asyncio reactor on a new event loop, uvloop's if wanted and installed."""
    asyncioreactor.install(  # type: ignore[no-untyped-call]
        _new_loop(wants_uvloop=wants_uvloop)
    )


def _new_loop(*, wants_uvloop: bool) -> asyncio.AbstractEventLoop:
    if wants_uvloop:
        try:
            import uvloop  # ships no wheel for some platforms
        except ImportError:
            return asyncio.new_event_loop()
        return uvloop.new_event_loop()
    return asyncio.new_event_loop()

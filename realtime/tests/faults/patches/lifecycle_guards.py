"""Guards of a process's beginning, end and lines switched off."""

from collections.abc import Callable

from booking.transaction.database_clock import DatabaseClock
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.management.commands import serve
from realtime.socket.consumer import LiveConsumer

DEFAULT_BACKLOG = 50  # Twisted's


def backlog_default() -> None:
    """Let the kernel queue as few handshakes as Twisted asks for by itself."""
    serve.LISTEN_BACKLOG = DEFAULT_BACKLOG


def own_clock() -> None:
    """Judge bookings by this process's own clock."""
    DatabaseClock.now = lambda _self: SYSTEM_CLOCK.now()


def leave_off() -> None:
    """Keep whatever belongs to a socket when it closes."""

    async def disconnect(_self: LiveConsumer, _code: int) -> None:
        pass

    LiveConsumer.disconnect = disconnect


PATCHES: dict[str, Callable[..., None]] = {
    one.__name__: one for one in (backlog_default, own_clock, leave_off)
}

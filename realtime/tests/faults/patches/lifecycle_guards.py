"""Guards of the start, the end and the sockets of a process, switched off."""

from collections.abc import Callable

from booking.transaction.database_clock import DatabaseClock
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.management.commands import serve
from realtime.socket.consumer import LiveConsumer

DEFAULT_BACKLOG = 50  # Twisted's default


def backlog_default() -> None:
    """Let the kernel queue only as many handshakes as Twisted's default."""
    serve.LISTEN_BACKLOG = DEFAULT_BACKLOG


def own_clock() -> None:
    """Decide about bookings by this process's own clock."""
    DatabaseClock.now = lambda _self: SYSTEM_CLOCK.now()


def leave_off() -> None:
    """Keep the objects of a socket when it closes."""

    async def disconnect(_self: LiveConsumer, _code: int) -> None:
        pass

    LiveConsumer.disconnect = disconnect


PATCHES: dict[str, Callable[..., None]] = {
    one.__name__: one for one in (backlog_default, own_clock, leave_off)
}

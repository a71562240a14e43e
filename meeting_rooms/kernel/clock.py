"""Time as a parameter. Production passes `SystemClock`, tests pass their own."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that reads the machine's clock


class FixedClock:
    """A clock that stands still until moved. For tests and dry runs."""

    def __init__(self, at: datetime) -> None:
        self._now = at

    def now(self) -> datetime:
        """Return the instant the clock was set to."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move the clock forward."""
        self._now += by


SYSTEM_CLOCK = SystemClock()

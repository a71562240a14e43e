"""Half-open stretches of time, `[start, end)`, aware and in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A non-empty stretch of time that includes its start and not its end."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, start: datetime, end: datetime) -> Self:
        """Return it in UTC. Raises InvalidCommandError on a missing zone or an empty stretch."""
        for name, value in (("start", start), ("end", end)):
            if value.tzinfo is None:
                raise InvalidCommandError(
                    f"The {name} {value.isoformat()} has no time zone. "
                    "Add an offset, for example 2026-03-01T09:00:00+01:00.",
                    code=KernelErrorCode.TIME_WITHOUT_ZONE,
                )
        try:
            interval = cls(start.astimezone(UTC), end.astimezone(UTC))
        except OverflowError as exc:  # its UTC instant lies outside the calendar
            raise InvalidCommandError(
                "The time is outside the years 1 to 9999.", code=KernelErrorCode.INVALID_TIME
            ) from exc
        # Compared in UTC: over a clock change the wall times of one zone may be in another order.
        if interval.end <= interval.start:
            raise InvalidCommandError(
                "The end must be later than the start.", code=KernelErrorCode.END_NOT_AFTER_START
            )
        return interval

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a half-open range of instants as Postgres writes it, or as `[start,end)`."""
        start, end = text[1:-1].replace('"', "").split(",")
        return cls.of(datetime.fromisoformat(start), datetime.fromisoformat(end))

    def as_range(self) -> str:
        """Return it as Postgres reads it; `read` reads it back."""
        return f"[{self.start.isoformat()},{self.end.isoformat()})"

    @property
    def duration(self) -> timedelta:
        """Return the real time between start and end."""
        return self.end - self.start

    def overlaps(self, other: "Interval") -> bool:
        """Say whether they share an instant; those that touch do not."""
        return self.start < other.end and other.start < self.end

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

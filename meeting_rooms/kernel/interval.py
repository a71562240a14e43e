"""Half-open intervals, `[start, end)`, aware and in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A non-empty interval of time that includes its start and excludes its end."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, start: datetime, end: datetime) -> Self:
        """Return the interval in UTC.

        Raises InvalidCommandError `time_without_zone` if an end is naive, `invalid_time` outside
        the calendar, `end_not_after_start` if the interval is empty.
        """
        for name, value in (("start", start), ("end", end)):
            if value.tzinfo is None:
                raise InvalidCommandError(
                    f"The {name} {value.isoformat()} has no time zone. "
                    "Add an offset, for example 2026-03-01T09:00:00+01:00.",
                    code=KernelErrorCode.TIME_WITHOUT_ZONE,
                )
        try:
            interval = cls(start.astimezone(UTC), end.astimezone(UTC))
        except OverflowError as exc:  # the instant in UTC lies outside the calendar
            raise InvalidCommandError(
                "The time is outside the years 1 to 9999.", code=KernelErrorCode.INVALID_TIME
            ) from exc
        # Compared in UTC: around a clock change, local times may be in another order.
        if interval.end <= interval.start:
            raise InvalidCommandError(
                "The end must be later than the start.", code=KernelErrorCode.END_NOT_AFTER_START
            )
        return interval

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the interval of a range as Postgres writes it, or as `[start,end)`.

        Raises ValueError if the text is not a range, and the errors of `of`.
        """
        start, end = text[1:-1].replace('"', "").split(",")
        return cls.of(datetime.fromisoformat(start), datetime.fromisoformat(end))

    def as_range(self) -> str:
        """Return the interval as the text of a Postgres range, which `read` reads back."""
        return f"[{self.start.isoformat()},{self.end.isoformat()})"

    @property
    def duration(self) -> timedelta:
        """Return the real time between start and end."""
        return self.end - self.start

    def overlaps(self, other: "Interval") -> bool:
        """Return whether both intervals share an instant; adjacent intervals share none."""
        return self.start < other.end and other.start < self.end

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

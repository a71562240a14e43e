"""The RRULE (RFC 5545) of a series as a value. The shortest period is a day. Pure.

`parse_rule` reads an RRULE, `rule_dates` computes its dates, `occurrences` its meetings.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from booking.domain.error_codes import BookingErrorCode
from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError

FIRST_YEAR, LAST_YEAR = 1900, 2999  # years of a series' start; date arithmetic cannot overflow
DAY_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class Frequency(StrEnum):
    """The period by which the rule repeats."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True, order=True)
class ByDay:
    """A weekday (Monday 0); `ordinal` 2 is the second of the month or year, -1 the last, 0 each."""

    weekday: int
    ordinal: int = 0

    def as_text(self) -> str:
        """Return the weekday as RFC 5545 writes it: "MO", "2MO", "-1FR"."""
        return f"{self.ordinal or ''}{DAY_CODES[self.weekday]}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One RRULE.

    Shapes: at most one of `count` and `until` is set. `until` is an instant in UTC, included. Lists
    are sorted and without repeats. `parse_rule` guarantees that the parts may be combined.
    """

    freq: Frequency
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    by_month: tuple[int, ...] = ()
    by_week_no: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_day: tuple[ByDay, ...] = ()
    by_set_pos: tuple[int, ...] = ()
    week_start: int = 0

    @property
    def is_endless(self) -> bool:
        """Return whether the rule has neither COUNT nor UNTIL."""
        return self.count is None and self.until is None

    @property
    def has_days(self) -> bool:
        """Return whether a BY part selects days; otherwise the start of the series selects them."""
        return bool(
            self.by_month or self.by_week_no or self.by_year_day or self.by_month_day or self.by_day
        )

    def completed(self, start: date) -> "Rule":
        """Return the rule with its missing weekday, day or month taken from `start`."""
        if self.by_month_day or self.by_day or self.by_year_day or self.freq is Frequency.DAILY:
            return self
        if self.freq is Frequency.WEEKLY or self.by_week_no:
            return replace(self, by_day=(ByDay(start.weekday()),))
        months = self.by_month
        if self.freq is Frequency.YEARLY and not months:
            months = (start.month,)
        return replace(self, by_month=months, by_month_day=(start.day,))

    def as_text(self) -> str:
        """Return canonical RRULE text: parts in a fixed order, defaults left out, UNTIL in UTC."""
        parts = {
            "FREQ": self.freq.value,
            "INTERVAL": "" if self.interval == 1 else str(self.interval),
            "COUNT": str(self.count or ""),
            # Not %Y: strftime writes years before 1000 without leading zeros.
            "UNTIL": f"{self.until.year:04}{self.until:%m%dT%H%M%SZ}" if self.until else "",
            "BYMONTH": _listed(self.by_month),
            "BYWEEKNO": _listed(self.by_week_no),
            "BYYEARDAY": _listed(self.by_year_day),
            "BYMONTHDAY": _listed(self.by_month_day),
            "BYDAY": _listed(entry.as_text() for entry in self.by_day),
            "BYSETPOS": _listed(self.by_set_pos),
            "WKST": DAY_CODES[self.week_start] if self.week_start else "",
        }
        return ";".join(f"{name}={value}" for name, value in parts.items() if value)


def check_start(start: datetime) -> None:
    """Raise InvalidCommandError if no series can start at this local time.

    The code is `time_with_zone` for a time with an offset; `start_not_possible` for a fraction of a
    second, which RFC 5545 cannot write, or a year outside FIRST_YEAR to LAST_YEAR.
    """
    if start.tzinfo is not None:
        raise InvalidCommandError(
            f"The start {start.isoformat()} has an offset. Give the local time without an offset.",
            code=KernelErrorCode.TIME_WITH_ZONE,
        )
    if start.microsecond or not FIRST_YEAR <= start.year <= LAST_YEAR:
        raise InvalidCommandError(
            f"A series cannot start at {start.isoformat()}. Give a time in whole seconds, "
            f"in the years {FIRST_YEAR} to {LAST_YEAR}.",
            code=BookingErrorCode.START_NOT_POSSIBLE,
        )


def _listed(values: Iterable[object]) -> str:
    return ",".join(str(value) for value in values)

"""The rules of a file's series: read strictly, counted within a window. Pure.

The counting itself is the product's own (`recurrence_dates`); what is particular to files is here.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from booking.domain.error_codes import BookingErrorCode
from booking.series.domain.parse_rule import parse_rule
from booking.series.domain.rule import Rule
from booking.series.domain.rule_dates import matching_dates
from meeting_rooms.kernel.errors import InvalidCommandError, LimitExceededError
from meeting_rooms.kernel.local_time import resolve

MAX_DATES = 20_000  # daily for half a century
OF_THE_DAY = {"BYHOUR": "hour", "BYMINUTE": "minute", "BYSECOND": "second"}


def read_rule(text: str, start: datetime, zone: ZoneInfo) -> str:
    """Return the rule as bookings have it. `start` is the naive local start in `zone`.

    Some programs repeat the time of DTSTART in BYHOUR and the like: that says nothing new and goes.
    Raises InvalidCommandError as `parse_rule` does, and `no_occurrence` where it ends before it
    begins.
    """
    kept = (part for part in text.upper().split(";") if not _repeats_start(part, start))
    rule = _parsed(";".join(kept), start, zone)
    if rule.until is not None and rule.until < resolve(start, zone).instant:
        raise InvalidCommandError(
            "Its rule ends before it begins, so it never takes place. Choose a later end.",
            code=BookingErrorCode.NO_OCCURRENCE,
        )
    return rule.as_text()


def rule_dates(text: str, start: datetime, zone: ZoneInfo, last: datetime) -> Iterator[datetime]:
    """Yield the naive local times of the rule from `start` to `last`, both naive local, in order.

    The first is `start` only where the rule says so. Raises LimitExceededError `series_too_long`
    after MAX_DATES.
    """
    rule = _parsed(text, start, zone)
    for count, day in enumerate(matching_dates(rule, start.date(), last=last.date())):
        at = datetime.combine(day, start.time())
        if at > last or (rule.until is not None and resolve(at, zone).instant > rule.until):
            return
        if count >= MAX_DATES:
            raise LimitExceededError(
                f"It has more than {MAX_DATES:,} dates. End it earlier.",
                code=BookingErrorCode.SERIES_TOO_LONG,
            )
        yield at


def rule_until(text: str, last: datetime, zone: ZoneInfo) -> str:
    """Return the rule with `last`, naive local in `zone`, as its last date instead of its own end.

    UNTIL is in UTC, as RFC 5545 3.3.10 wants it for a start with a zone.
    """
    ends = ("COUNT=", "UNTIL=")
    kept = [part for part in text.upper().split(";") if part and not part.startswith(ends)]
    instant = last.replace(tzinfo=zone).astimezone(UTC)
    return ";".join([*kept, f"UNTIL={instant:%Y%m%dT%H%M%SZ}"])


def _parsed(text: str, start: datetime, zone: ZoneInfo) -> Rule:
    return parse_rule(text, start=start, zone=zone, horizon=date.max)  # the caller has a window


def _repeats_start(part: str, start: datetime) -> bool:
    name, _, value = part.partition("=")
    return (
        name in OF_THE_DAY and value.isdecimal() and int(value) == getattr(start, OF_THE_DAY[name])
    )

"""Read the RRULEs of calendar files and compute their dates within a window. Pure.

`booking.series.domain.rule_dates` computes the dates; this module has the particulars of files.
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

MAX_DATES = 20_000  # of one series; daily for half a century
OF_THE_DAY = {"BYHOUR": "hour", "BYMINUTE": "minute", "BYSECOND": "second"}


def read_rule(text: str, start: datetime, zone: ZoneInfo) -> str:
    """Return the canonical text of an RRULE. `start` is the naive local start in `zone`.

    Some programs repeat the time of DTSTART in BYHOUR, BYMINUTE and BYSECOND; these parts are
    removed. Raises the errors of `parse_rule`, and InvalidCommandError `no_occurrence` if the rule
    ends before it begins.
    """
    kept = (part for part in text.upper().split(";") if not _repeats_start(part, start))
    rule = _parsed(";".join(kept), start, zone)
    if rule.until is not None and rule.until < resolve(start, zone).instant:
        raise InvalidCommandError(
            "The RRULE of the event ends before the event begins. Choose a later end.",
            code=BookingErrorCode.NO_OCCURRENCE,
        )
    return rule.as_text()


def rule_dates(text: str, start: datetime, zone: ZoneInfo, last: datetime) -> Iterator[datetime]:
    """Yield the naive local times of the rule from `start` to `last`, both naive, in order.

    `start` is yielded only if it matches the rule. Raises LimitExceededError `series_too_long`
    after MAX_DATES dates.
    """
    rule = _parsed(text, start, zone)
    for count, day in enumerate(matching_dates(rule, start.date(), last=last.date())):
        at = datetime.combine(day, start.time())
        if at > last or (rule.until is not None and resolve(at, zone).instant > rule.until):
            return
        if count >= MAX_DATES:
            raise LimitExceededError(
                f"The series has more than {MAX_DATES:,} dates. Choose an earlier end.",
                code=BookingErrorCode.SERIES_TOO_LONG,
            )
        yield at


def rule_until(text: str, last: datetime, zone: ZoneInfo) -> str:
    """Return the rule with `last` (naive, local in `zone`) as its last date instead of its own end.

    UNTIL is in UTC, as RFC 5545 3.3.10 requires for a start with a zone.
    """
    ends = ("COUNT=", "UNTIL=")
    kept = [part for part in text.upper().split(";") if part and not part.startswith(ends)]
    instant = last.replace(tzinfo=zone).astimezone(UTC)
    return ";".join([*kept, f"UNTIL={instant:%Y%m%dT%H%M%SZ}"])


def _parsed(text: str, start: datetime, zone: ZoneInfo) -> Rule:
    return parse_rule(
        text, start=start, zone=zone, horizon=date.max
    )  # no horizon here: the caller has a window


def _repeats_start(part: str, start: datetime) -> bool:
    name, _, value = part.partition("=")
    return (
        name in OF_THE_DAY and value.isdecimal() and int(value) == getattr(start, OF_THE_DAY[name])
    )

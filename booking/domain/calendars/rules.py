"""The dates of a file's RRULE, in bounded work. Pure."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from meeting_rooms.kernel.errors import InvalidCommandError, LimitExceededError

MAX_RULE_LENGTH = 500
MAX_DATES = 20_000  # daily for half a century
CYCLE_YEARS = 400  # the Gregorian calendar repeats itself, weekdays and all
LAST_START = 9999 - 200  # leaves two centuries to count in before the library's last year
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
OF_THE_DAY = {"BYHOUR": "hour", "BYMINUTE": "minute", "BYSECOND": "second"}
KNOWN = {
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO",
    "BYMONTH", "BYSETPOS", *OF_THE_DAY,
}  # fmt: skip


class UnusableRuleError(InvalidCommandError):
    """The rule cannot be read, or means something that no booking can be."""

    default_code = "unusable_rule"


def check_rule(text: str, start: datetime, zone: ZoneInfo) -> None:
    """Raise UnusableRuleError unless the rule is one of days, weeks, months or years.

    `start` is the naive local start in `zone`. Parts that RFC 5545 does not name are refused, not
    ignored: the dates would be other ones than the file's author sees.
    """
    parts = _parts(text)
    if parts.get("FREQ") not in FREQUENCIES:
        raise UnusableRuleError(
            "It repeats within a day. Bookings repeat by days, weeks, months or years.",
            code="rule_within_a_day",
        )
    unknown = sorted(parts.keys() - KNOWN)
    if unknown:
        raise UnusableRuleError(f"Its rule has the part {unknown[0][:20]}, which is not known.")
    for name, of_day in OF_THE_DAY.items():
        if parts.get(name, "").lstrip("0") not in ("", str(getattr(start, of_day))):
            raise UnusableRuleError(
                "It takes place at several times of a day. Make it one event for each.",
                code="rule_within_a_day",
            )
    _check_numbers(parts)
    until = _until(text, zone)
    if until is not None and until < start:
        raise UnusableRuleError(
            "Its rule ends before it begins, so it never takes place.", code="no_occurrence"
        )
    _rule(text, start)


def rule_dates(text: str, start: datetime, zone: ZoneInfo, last: datetime) -> Iterator[datetime]:
    """Yield the naive local times of the rule from `start` to `last`, both naive local, in order.

    The first is `start` only where the rule says so. Bounded: a rule that never occurs is searched
    for no more than one calendar cycle (under half a second), because the search runs in the last
    cycle before the year 9999, where the library stops.
    Raises UnusableRuleError, and LimitExceededError `series_too_long` after MAX_DATES.
    """
    years = max((LAST_START - start.year) // CYCLE_YEARS, 0) * CYCLE_YEARS
    until = _until(text, zone)
    stop = min(last, until) if until else last
    rule = _rule(text, start.replace(year=start.year + years))
    try:
        for count, at in enumerate(rule):
            local = at.replace(year=at.year - years)
            if local > stop:
                return
            if count >= MAX_DATES:
                raise LimitExceededError(
                    f"It has more than {MAX_DATES:,} dates. End it earlier.", code="series_too_long"
                )
            yield local
    except (ValueError, OverflowError, TypeError) as exc:
        raise UnusableRuleError(f"Its rule '{text[:60]}' cannot be counted.") from exc


def rule_until(text: str, last: datetime, zone: ZoneInfo) -> str:
    """Return the rule with `last`, naive local in `zone`, as its last date instead of its own end.

    UNTIL is in UTC, as RFC 5545 3.3.10 wants it for a start with a zone.
    """
    ends = ("COUNT=", "UNTIL=")
    kept = [part for part in text.upper().split(";") if part and not part.startswith(ends)]
    instant = last.replace(tzinfo=zone).astimezone(UTC)
    return ";".join([*kept, f"UNTIL={instant:%Y%m%dT%H%M%SZ}"])


def _rule(text: str, start: datetime) -> rrule:
    """Return the library's rule, without its UNTIL, which is looked at here."""
    bare = ";".join(part for part in text.upper().split(";") if not part.startswith("UNTIL="))
    try:
        rule = rrulestr(bare, dtstart=start)
    except (ValueError, OverflowError, TypeError, LookupError) as exc:
        raise UnusableRuleError(f"Its rule '{text[:60]}' cannot be read.") from exc
    if not isinstance(rule, rrule):
        raise UnusableRuleError(f"Its rule '{text[:60]}' is more than one rule.")
    return rule


def _parts(text: str) -> dict[str, str]:
    if len(text) > MAX_RULE_LENGTH:
        raise UnusableRuleError(f"Its rule is longer than {MAX_RULE_LENGTH} characters.")
    pairs = [part.partition("=") for part in text.upper().split(";") if part]
    return {name: value for name, _, value in pairs}


def _check_numbers(parts: dict[str, str]) -> None:
    for name in ("INTERVAL", "COUNT"):
        if name in parts and not re.fullmatch(r"0*[1-9]\d{0,8}", parts[name]):
            raise UnusableRuleError(f"{name} in its rule must be a whole number from 1 on.")
    if "COUNT" in parts and "UNTIL" in parts:
        raise UnusableRuleError("Its rule has both COUNT and UNTIL. Keep one of them.")
    if parts.get("BYSETPOS") and not any(name in parts for name in KNOWN if name[:2] == "BY"):
        raise UnusableRuleError("BYSETPOS in its rule counts within nothing.")


def _until(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the last local time that the rule allows. A date includes its whole day."""
    value = _parts(text).get("UNTIL")
    if value is None:
        return None
    try:
        if len(value) == len("YYYYMMDD"):
            day = datetime.strptime(value, "%Y%m%d")  # noqa: DTZ007 - local
            return day.replace(hour=23, minute=59, second=59)
        at = datetime.strptime(value.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007
    except ValueError as exc:
        raise UnusableRuleError(f"UNTIL={value[:20]} in its rule is no date.") from exc
    if not value.endswith("Z"):
        return at
    return at.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)

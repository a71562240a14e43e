"""Parse an RRULE (RFC 5545, 3.3.10) strictly: an unknown or ambiguous part is an error. Pure.

`Rule.as_text` is the inverse of `parse_rule`.
"""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from booking.domain.error_codes import BookingErrorCode
from booking.series.domain.rule import DAY_CODES, ByDay, Frequency, Rule, check_start
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.local_time import resolve

MAX_RULE_LENGTH = 500  # characters, the size of the column `Series.rule`
MAX_INTERVAL = 1000  # periods; bounds INTERVAL
ANY_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)  # to measure the length of a rule with UNTIL
MAX_COUNT = 100_000  # bounds the parser only; `expand` limits the number of dates

KNOWN = {
    *("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYWEEKNO", "BYYEARDAY"),
    *("BYMONTHDAY", "BYDAY", "BYSETPOS"),
}
FINER_THAN_A_DAY = {"BYHOUR", "BYMINUTE", "BYSECOND", "HOURLY", "MINUTELY", "SECONDLY"}
WEEKDAYS_IN = {Frequency.MONTHLY: 5, Frequency.YEARLY: 53}  # maximum of days with one weekday

_PART = re.compile(r"([A-Z]+)=([^=]+)")
_NUMBER = re.compile(r"[+-]?[0-9]{1,6}")
_DAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"[0-9]{8}(T[0-9]{6}Z?)?")


def parse_rule(text: str, *, start: datetime, zone: ZoneInfo, horizon: date | None = None) -> Rule:
    """Return the Rule of an RRULE value, for a series with first local time `start` (naive).

    UNTIL may be a date (that local day is included), an instant in UTC, or a local time in `zone`.
    A rule without COUNT and UNTIL needs a `horizon`.
    Raises InvalidCommandError with one of the codes `rule_too_long`, `rule_not_readable`,
    `rule_part_unknown`, `finer_than_a_day`, `rule_part_not_allowed`, `rule_value_invalid`,
    `count_and_until` and `endless_rule`, and the errors of `check_start`.
    """
    check_start(start)
    parts = _split(text)
    rule = Rule(
        freq=_frequency(parts),
        interval=_number(parts, "INTERVAL", MAX_INTERVAL) or 1,
        count=_number(parts, "COUNT", MAX_COUNT),
        until=_until(parts, start, zone),
        by_month=_numbers(parts, "BYMONTH", 12, signed=False),
        by_week_no=_numbers(parts, "BYWEEKNO", 53),
        by_year_day=_numbers(parts, "BYYEARDAY", 366),
        by_month_day=_numbers(parts, "BYMONTHDAY", 31),
        by_day=_by_day(parts),
        by_set_pos=_numbers(parts, "BYSETPOS", 366),
        week_start=_week_start(parts),
    )
    _check_end(rule, horizon)
    _check_combination(rule)
    # The canonical text must fit the column too. A split gives an endless rule an UNTIL.
    _check_length((replace(rule, until=ANY_INSTANT) if rule.is_endless else rule).as_text())
    return rule


def _check_length(text: str) -> None:
    if len(text) > MAX_RULE_LENGTH:
        raise InvalidCommandError(
            f"The rule has {len(text)} characters; the maximum is {MAX_RULE_LENGTH}. "
            "List fewer days.",
            code=BookingErrorCode.RULE_TOO_LONG,
            facts={"length": len(text), "at_most": MAX_RULE_LENGTH},
        )


def _split(text: str) -> dict[str, str]:
    _check_length(text)
    parts: dict[str, str] = {}
    for piece in text.upper().removeprefix("RRULE:").split(";"):
        found = _PART.fullmatch(piece)
        if found is None or found[1] in parts:
            raise InvalidCommandError(
                f'"{piece}" cannot be read in the rule. Write each part once, as NAME=VALUE, '
                'for example "FREQ=WEEKLY;BYDAY=TU;COUNT=10".',
                code=BookingErrorCode.RULE_NOT_READABLE,
                facts={"part": piece},
            )
        parts[found[1]] = found[2]
    _refuse_foreign(parts)
    return parts


def _refuse_foreign(parts: dict[str, str]) -> None:
    for name in parts:
        if name in FINER_THAN_A_DAY:
            raise _too_fine(name)
        if name not in KNOWN:
            raise InvalidCommandError(
                f"{name} is not a part of an RRULE. Use {', '.join(sorted(KNOWN))}.",
                code=BookingErrorCode.RULE_PART_UNKNOWN,
                facts={"part": name, "allowed": sorted(KNOWN)},
            )


def _too_fine(name: str) -> InvalidCommandError:
    return InvalidCommandError(
        f"{name} repeats within a day. Use FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, and one series "
        "for each time of day.",
        code=BookingErrorCode.FINER_THAN_A_DAY,
        facts={"part": name, "allowed": [freq.value for freq in Frequency]},
    )


def _invalid(name: str, value: str, allowed: str) -> InvalidCommandError:
    return InvalidCommandError(
        f"{name}={value} is not valid. Use {allowed}.",
        code=BookingErrorCode.RULE_VALUE_INVALID,
        facts={"part": name, "value": value, "allowed": allowed},
    )


def _frequency(parts: dict[str, str]) -> Frequency:
    value = parts.get("FREQ", "")
    if value in FINER_THAN_A_DAY:
        raise _too_fine(value)
    try:
        return Frequency(value)
    except ValueError as exc:
        raise _invalid("FREQ", value, "DAILY, WEEKLY, MONTHLY or YEARLY") from exc


def _number(parts: dict[str, str], name: str, highest: int) -> int | None:
    found = _numbers(parts, name, highest, signed=False)
    if len(found) > 1:
        raise _invalid(name, parts[name], "one number")
    return found[0] if found else None


def _numbers(
    parts: dict[str, str], name: str, highest: int, *, signed: bool = True
) -> tuple[int, ...]:
    if name not in parts:
        return ()
    texts = parts[name].split(",")
    allowed = f"1 to {highest}" + (f", or -1 to -{highest} from the end" if signed else "")
    if not all(_NUMBER.fullmatch(text) for text in texts):
        raise _invalid(name, parts[name], allowed)
    values = {int(text) for text in texts}
    lowest = -highest if signed else 1
    if 0 in values or min(values) < lowest or max(values) > highest:
        raise _invalid(name, parts[name], allowed)
    return tuple(sorted(values))


def _by_day(parts: dict[str, str]) -> tuple[ByDay, ...]:
    if "BYDAY" not in parts:
        return ()
    found = [_DAY.fullmatch(text) for text in parts["BYDAY"].split(",")]
    entries = {ByDay(DAY_CODES.index(day[2]), int(day[1] or 0)) for day in found if day}
    zeroth = any(day and day[1] and not int(day[1]) for day in found)
    if None in found or zeroth:
        raise _invalid("BYDAY", parts["BYDAY"], 'weekdays such as "TU", "1FR" or "-1MO"')
    return tuple(sorted(entries))


def _week_start(parts: dict[str, str]) -> int:
    day = parts.get("WKST", "MO")
    if day not in DAY_CODES:
        raise _invalid("WKST", day, "one of " + ", ".join(DAY_CODES))
    return DAY_CODES.index(day)


def _until(parts: dict[str, str], start: datetime, zone: ZoneInfo) -> datetime | None:
    if (value := parts.get("UNTIL")) is None:
        return None
    allowed = '"20261231" or an instant such as "20261231T225959Z"'
    if not _UNTIL.fullmatch(value):
        raise _invalid("UNTIL", value, allowed)
    try:
        day = date(int(value[:4]), int(value[4:6]), int(value[6:8]))
        clock = datetime.strptime(value[9:15], "%H%M%S").time() if "T" in value else start.time()  # noqa: DTZ007 - a time alone
    except ValueError as exc:
        raise _invalid("UNTIL", value, allowed) from exc
    # A date includes that local day: UNTIL is then the start time on the day, not midnight in UTC.
    local = datetime.combine(day, clock)
    return local.replace(tzinfo=UTC) if value.endswith("Z") else resolve(local, zone).instant


def _check_end(rule: Rule, horizon: date | None) -> None:
    if rule.count is not None and rule.until is not None:
        raise InvalidCommandError(
            "The rule has both COUNT and UNTIL. Keep one of them.",
            code=BookingErrorCode.COUNT_AND_UNTIL,
        )
    if rule.is_endless and horizon is None:
        raise InvalidCommandError(
            "The rule never ends. Add COUNT, for example COUNT=10, or UNTIL.",
            code=BookingErrorCode.ENDLESS_RULE,
            facts={"allowed": ["COUNT", "UNTIL"]},
        )


def _check_combination(rule: Rule) -> None:
    """Raise InvalidCommandError for parts that RFC 5545, 3.3.10, does not allow together."""
    freq = rule.freq
    furthest = max((abs(entry.ordinal) for entry in rule.by_day), default=0)
    counted_in = Frequency.MONTHLY if rule.by_month else freq
    not_yearly = freq is not Frequency.YEARLY
    _require("FREQ=YEARLY", "BYWEEKNO", fits=not (rule.by_week_no and not_yearly))
    _require("FREQ=YEARLY", "BYYEARDAY", fits=not (rule.by_year_day and not_yearly))
    _require(
        "FREQ=DAILY, MONTHLY or YEARLY",
        "BYMONTHDAY",
        fits=not (rule.by_month_day and freq is Frequency.WEEKLY),
    )
    _require(
        "FREQ=MONTHLY or YEARLY, and no BYWEEKNO",
        "BYDAY with a number",
        fits=not furthest or (freq in WEEKDAYS_IN and not rule.by_week_no),
    )
    _require(
        "1 to 5 in a month, 1 to 53 in a year",
        f"BYDAY with the number {furthest}",
        fits=furthest <= WEEKDAYS_IN.get(counted_in, furthest),
    )
    _require("BYSETPOS with another BY part", "BYSETPOS", fits=not rule.by_set_pos or rule.has_days)


def _require(allowed: str, part: str, *, fits: bool) -> None:
    if not fits:
        raise InvalidCommandError(
            f"{part} cannot be combined with the rest of the rule. Use {allowed}.",
            code=BookingErrorCode.RULE_PART_NOT_ALLOWED,
            facts={"part": part, "allowed": allowed},
        )

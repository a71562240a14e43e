"""Describe an RRULE in plain English, and list the choices that a form offers. Pure."""

from calendar import day_name, month_name
from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from booking.series.domain.rule import DAY_CODES, ByDay, Frequency, Rule
from booking.series.domain.rule_dates import days_of_month

NOUNS = {
    Frequency.DAILY: "day",
    Frequency.WEEKLY: "week",
    Frequency.MONTHLY: "month",
    Frequency.YEARLY: "year",
}
SMALL_ORDINALS = ("", "first", "second", "third", "fourth", "fifth")
ENDINGS = {1: "st", 2: "nd", 3: "rd"}
WORKING_DAYS = tuple(ByDay(weekday) for weekday in range(5))
FIFTH = 5
FEBRUARY = 2
ALL_MONTHS = set(range(1, 13))
LACKING = {29: {2}, 30: {2}, 31: {2, 4, 6, 9, 11}}  # day of the month -> months that may lack it


def ordinal_choices(day: date) -> tuple[tuple[str, str], ...]:
    """Return the possible meanings of "monthly on this weekday", as (label, rule part) pairs.

    A fifth Monday is also the last Monday of its month, and a fourth Monday may be. In the next
    month these dates may differ, and a month with four Mondays has no fifth. If there is only one
    pair, the form need not ask.
    """
    code, name = DAY_CODES[day.weekday()], day_name[day.weekday()]
    ordinal = (day.day - 1) // 7 + 1
    choices = [(f"{SMALL_ORDINALS[ordinal]} {name}", f"BYDAY={ordinal}{code}")]
    if day.day + 7 > days_of_month(day):
        choices.append((f"last {name}", f"BYDAY=-1{code}"))
    return tuple(choices)


def explain(rule: Rule, *, start: datetime, zone: ZoneInfo) -> str:
    """Return one sentence, such as "Every 2 weeks on Tuesday and Sunday, 4 times".

    The sentence names skipped periods: "only in leap years", "months without a 31st are skipped".
    """
    full = rule.completed(start.date())
    noun = NOUNS[rule.freq]
    every = f"Every {noun}" if rule.interval == 1 else f"Every {rule.interval} {noun}s"
    places = [*_days(full), *_weeks_and_months(full)]
    return "".join([" ".join([every, *places]), _positions(full), _end(rule, zone), _skips(full)])


def _days(rule: Rule) -> list[str]:
    if _is_one_month(rule):
        days = [str(day) for day in rule.by_month_day]
        return [f"on {_joined(days)} {month_name[rule.by_month[0]]}"]
    phrases = []
    if rule.by_day:
        phrases.append(f"on {_weekdays(rule)}")
    if rule.by_month_day:
        days = [_month_day(day) for day in rule.by_month_day]
        phrases.append(f"if that is {_joined(days, 'or')}" if phrases else f"on {_joined(days)}")
    if rule.by_year_day:
        phrases.append(
            f"on {_joined([f'the {_nth(day)}' for day in rule.by_year_day])} day of the year"
        )
    return phrases


def _month_day(day: int) -> str:
    return f"the {_numeral(day)}" if day > 0 else f"the {_nth(day)} day"


def _weeks_and_months(rule: Rule) -> list[str]:
    phrases = []
    if rule.by_week_no:
        phrases.append(f"in {_joined([f'the {_nth(week)}' for week in rule.by_week_no])} week")
    if rule.by_month and not _is_one_month(rule):
        phrases.append(f"in {_joined([month_name[month] for month in rule.by_month])}")
    return phrases


def _is_one_month(rule: Rule) -> bool:
    """Return whether the rule means plain days of one month, as in "29 February"."""
    if rule.by_day or rule.by_week_no or rule.by_year_day or len(rule.by_month) != 1:
        return False
    return bool(rule.by_month_day) and min(rule.by_month_day) > 0


def _weekdays(rule: Rule) -> str:
    if rule.by_day == WORKING_DAYS:
        return "working days (Monday to Friday)"
    of = " of the year" if rule.freq is Frequency.YEARLY and not rule.by_month else ""
    return _joined([_weekday(entry, of) for entry in rule.by_day])


def _weekday(entry: ByDay, of: str) -> str:
    name = day_name[entry.weekday]
    return f"the {_nth(entry.ordinal)} {name}{of}" if entry.ordinal else name


def _positions(rule: Rule) -> str:
    if not rule.by_set_pos:
        return ""
    chosen = _joined([f"the {_nth(at)}" for at in rule.by_set_pos])
    return f", only {chosen} of these in the {NOUNS[rule.freq]}"


def _end(rule: Rule, zone: ZoneInfo) -> str:
    if rule.until is not None:
        until = rule.until.astimezone(zone)
        return f", until {until.day} {until:%B %Y}"
    if rule.count is None:
        return ""
    return ", once" if rule.count == 1 else f", {rule.count} times"


def _skips(rule: Rule) -> str:
    """Return the phrase for the months or years that have no such day, "" if all have one."""
    if (rule.by_month, rule.by_month_day) == ((FEBRUARY,), (29,)) or rule.by_year_day == (366,):
        return "; only in leap years"
    if rule.freq not in (Frequency.MONTHLY, Frequency.YEARLY) or rule.by_set_pos:
        return ""
    months = set(rule.by_month) or ALL_MONTHS
    missing = [
        f"a {_numeral(day)}" for day in rule.by_month_day if months & LACKING.get(day, set())
    ]
    missing += [f"a fifth {day_name[e.weekday]}" for e in rule.by_day if abs(e.ordinal) == FIFTH]
    if not missing or (rule.freq is Frequency.YEARLY and not rule.by_month and rule.by_day):
        return ""
    verb = "are skipped" if len(missing) == len(rule.by_month_day + rule.by_day) else "skip it"
    return f"; months without {' or '.join(missing)} {verb}"


def _nth(number: int) -> str:
    """Return an ordinal in words: "first", "20th", "last", "second to last"."""
    if number == -1:
        return "last"
    if number < 0:
        return f"{_nth(-number)} to last"
    if number < len(SMALL_ORDINALS):
        return SMALL_ORDINALS[number]
    return _numeral(number)


def _numeral(number: int) -> str:
    """Return an ordinal in digits: "1st", "22nd", "13th"."""
    teen = number % 100 // 10 == 1
    return f"{number}{'th' if teen else ENDINGS.get(number % 10, 'th')}"


def _joined(items: Sequence[str], word: str = "and") -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"

"""Compute the dates that an RRULE matches within a window. Pure.

The rule is evaluated period by period (day, week, month or year). INTERVAL selects periods; the
days of a period must pass every BY part; BYSETPOS selects among these days. The work grows only
with the days of the window, so a rule that never matches takes no longer than other rules. This is
why the project does not use dateutil's `rrule`: dateutil checks UNTIL only when a date matches, so
it follows "every week, on 30 February, until next year" up to the year 9999 (measured: 0.9 s). The
tests compare both implementations.

Decisions where RFC 5545 leaves a choice:

- DTSTART counts only if DTSTART matches the rule, and COUNT counts matching dates. (3.8.5.3 calls
  any other DTSTART undefined; the example "every Friday the 13th" removes DTSTART by EXDATE.)
- Weekday, day of the month and month come from DTSTART if the rule does not name them.
- BYDAY is one list, even if some of its days have a number: "MO,1TU" means Mondays and first
  Tuesdays. (In dateutil a day must match both.)
- BYSETPOS counts in complete periods, including the first period, so splitting a series moves no
  date. (dateutil counts a first week from DTSTART.)
- In BYWEEKNO a date belongs to one week and to its own calendar year; negative numbers count the
  same weeks from the end. (Of the weeks over New Year, dateutil knows only -1.)
"""

from calendar import isleap, monthrange
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta

from booking.series.domain.rule import Frequency, Rule

ONE_WEEK = timedelta(weeks=1)

Check = Callable[[date], bool]


def matching_dates(rule: Rule, start: date, *, last: date) -> Iterator[date]:
    """Yield the dates of the rule from `start` to `last`, both included, in order.

    COUNT is applied. UNTIL is not: it is an instant, and the caller knows the time of day.
    """
    left = rule.count
    for days in _sets(rule, start, last):
        for day in _at_positions(rule, days):
            if day < start:
                continue
            if day > last:
                return
            yield day
            left = left and left - 1
            if left == 0:
                return


def _sets(rule: Rule, start: date, last: date) -> Iterator[Iterable[date]]:
    """Yield the days of each period that pass every BY part except BYSETPOS."""
    checks = _checks(rule.completed(start))
    if rule.freq is Frequency.DAILY:
        step = timedelta(days=rule.interval)
        every = (start + step * n for n in range((last - start) // step + 1))
        yield from ([day] for day in _passing(every, checks))
    else:
        for first, following in _periods(rule, start, last):
            days = (first + timedelta(days=n) for n in range((following - first).days))
            yield _passing(days, checks)


def _passing(days: Iterable[date], checks: Iterable[Check]) -> Iterable[date]:
    for check in checks:
        days = filter(check, days)
    return days


def _at_positions(rule: Rule, days: Iterable[date]) -> Iterable[date]:
    if not rule.by_set_pos:
        return days
    listed = list(days)
    count = len(listed)
    chosen = {at - 1 if at > 0 else count + at for at in rule.by_set_pos if abs(at) <= count}
    return [listed[index] for index in sorted(chosen)]


def _periods(rule: Rule, start: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield first day and next period's first day of each week, month or year by INTERVAL."""
    if rule.freq is Frequency.WEEKLY:
        return _weeks(start - timedelta(days=(start.weekday() - rule.week_start) % 7), rule, last)
    if rule.freq is Frequency.MONTHLY:
        return _months(start.year * 12 + start.month - 1, 1, rule.interval, last)
    return _months(start.year * 12, 12, rule.interval * 12, last)


def _weeks(first: date, rule: Rule, last: date) -> Iterator[tuple[date, date]]:
    while first <= last:
        yield first, first + ONE_WEEK
        first += ONE_WEEK * rule.interval


def _months(month: int, length: int, step: int, last: date) -> Iterator[tuple[date, date]]:
    while (first := _first_of(month)) <= last:
        yield first, _first_of(month + length)
        month += step


def _first_of(month: int) -> date:
    """Return the first day of a month. Months are counted from January of the year 0."""
    return date(month // 12, month % 12 + 1, 1)


def _checks(rule: Rule) -> list[Check]:
    """Return the checks that a day must pass, the cheapest first."""
    months, month_days = set(rule.by_month), set(rule.by_month_day)
    weekdays = {entry.weekday for entry in rule.by_day}
    checks: list[Check] = []
    if months:
        checks.append(lambda day: day.month in months)
    if weekdays:
        checks.append(lambda day: day.weekday() in weekdays)
    if month_days:
        checks.append(lambda day: _is_one_of(month_days, day.day, days_of_month(day)))
    return checks + _rarer_checks(rule)


def _rarer_checks(rule: Rule) -> list[Check]:
    checks: list[Check] = []
    year_days, week_numbers = set(rule.by_year_day), set(rule.by_week_no)
    if year_days:
        checks.append(
            lambda day: _is_one_of(year_days, day.timetuple().tm_yday, _days_of(day.year))
        )
    if week_numbers:
        checks.append(lambda day: _is_one_of(week_numbers, *_week_of(day, rule.week_start)))
    if any(entry.ordinal for entry in rule.by_day):
        checks.append(lambda day: _is_numbered_weekday(rule, day))
    return checks


def days_of_month(day: date) -> int:
    """Return the number of days in the month of `day`."""
    return monthrange(day.year, day.month)[1]


def _is_one_of(wanted: set[int], number: int, of: int) -> bool:
    """Return whether `wanted` has `number`, the n-th of `of`, counted from the start or the end."""
    return number in wanted or number - of - 1 in wanted


def _is_numbered_weekday(rule: Rule, day: date) -> bool:
    if rule.freq is Frequency.MONTHLY or rule.by_month:
        number, days = day.day, days_of_month(day)
    else:
        number, days = day.timetuple().tm_yday, _days_of(day.year)
    from_start, from_end = (number - 1) // 7 + 1, -((days - number) // 7 + 1)
    return any(
        entry.weekday == day.weekday() and entry.ordinal in (0, from_start, from_end)
        for entry in rule.by_day
    )


def _days_of(year: int) -> int:
    return 366 if isleap(year) else 365


def _week_of(day: date, week_start: int) -> tuple[int, int]:
    """Return the number of the day's week, and the number of weeks in the year of that week.

    Week 1 is the first with at least four days in the year. Source: RFC 5545, 3.3.10; ISO 8601.
    """
    fourth_day = day + timedelta(days=3 - (day.weekday() - week_start) % 7)
    number = (fourth_day.timetuple().tm_yday - 1) // 7 + 1
    last_day = date(fourth_day.year, 12, 31)
    fourth_of_last = last_day + timedelta(days=3 - (last_day.weekday() - week_start) % 7)
    if fourth_of_last.year > fourth_day.year:
        fourth_of_last -= timedelta(days=7)
    return number, (fourth_of_last.timetuple().tm_yday - 1) // 7 + 1

"""Cases 60 to 72 and 75: clock changes and time zones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from booking.series.domain.occurrences import Occurrence, expand
from booking.series.domain.parse_rule import parse_rule
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.local_time import (
    WallKind,
    day_bounds,
    day_of,
    hour_rows,
    interval_of,
    label,
    resolve,
    resolve_strict,
)

HELSINKI = ZoneInfo("Europe/Helsinki")
LONDON = ZoneInfo("Europe/London")
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
SANTIAGO = ZoneInfo("America/Santiago")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
HOUR = timedelta(hours=1)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def series(
    text: str, start: datetime, zone: ZoneInfo, length: timedelta = HOUR
) -> tuple[Occurrence, ...]:
    rule = parse_rule(text, start=start, zone=zone)
    return expand(rule, start=start, length=length, zone=zone).occurrences


def starts(occurrences: tuple[Occurrence, ...]) -> list[datetime]:
    return [at.interval.start for at in occurrences]


def test_case_060__weekly_meeting__keeps_its_local_time_in_spring():
    """Weekly at 10:00 in Helsinki stays at 10:00 when summer time begins."""
    found = series("FREQ=WEEKLY;COUNT=2", datetime(2026, 3, 23, 10), HELSINKI)
    assert starts(found) == [utc(2026, 3, 23, 8), utc(2026, 3, 30, 7)]
    assert [label(at.interval.start, HELSINKI) for at in found] == ["10:00", "10:00"]
    assert [label(at.interval.end, HELSINKI) for at in found] == ["11:00", "11:00"]


def test_case_061__weekly_meeting__keeps_its_local_time_in_autumn():
    """Weekly at 09:00 in London stays at 09:00 when summer time ends."""
    found = series("FREQ=WEEKLY;COUNT=2", datetime(2026, 10, 19, 9), LONDON)
    assert starts(found) == [utc(2026, 10, 19, 8), utc(2026, 10, 26, 9)]
    assert [label(at.interval.start, LONDON) for at in found] == ["09:00", "09:00"]


def test_case_062__skipped_time_resolved_strictly__is_refused_with_an_offer():
    """A time that the clock skips is refused, and the time that exists is offered."""
    with pytest.raises(InvalidCommandError) as refused:
        resolve_strict(datetime(2026, 3, 29, 2, 30), BERLIN)
    assert refused.value.code == "time_does_not_exist"
    offered = refused.value.facts["offered"]
    assert offered["local"] == "2026-03-29T03:30:00"
    assert offered["instant"] == "2026-03-29T01:30:00+00:00"


def test_case_062__skipped_time__is_shifted_by_the_clock_change():
    """A time that the clock skips is read as if the clock had not changed."""
    found = resolve(datetime(2026, 3, 29, 2, 30), BERLIN)
    assert found.instant == utc(2026, 3, 29, 1, 30)
    assert (found.kind, label(found.instant, BERLIN)) == (WallKind.GAP, "03:30")


def test_case_063__daily_meeting_in_the_skipped_hour__is_shifted_and_flagged():
    """A daily meeting in the skipped hour takes place one hour later and has a flag."""
    found = series("FREQ=DAILY;COUNT=3", datetime(2026, 3, 7, 2, 30), NEW_YORK)
    assert [label(at.interval.start, NEW_YORK) for at in found] == ["02:30", "03:30", "02:30"]
    assert starts(found) == [utc(2026, 3, 7, 7, 30), utc(2026, 3, 8, 7, 30), utc(2026, 3, 9, 6, 30)]
    assert [at.shift for at in found] == [WallKind.PLAIN, WallKind.GAP, WallKind.PLAIN]
    assert found[1].recurrence_id == datetime(2026, 3, 8, 2, 30)
    assert {at.interval.duration for at in found} == {HOUR}


def test_case_064__repeated_time_resolved_strictly__is_refused_with_both_choices():
    """A time that the clock shows twice is refused with both choices; the default is the first."""
    twice = datetime(2026, 11, 1, 1, 30)
    with pytest.raises(InvalidCommandError) as refused:
        resolve_strict(twice, NEW_YORK)
    assert refused.value.code == "time_is_ambiguous"
    assert [choice["instant"] for choice in refused.value.facts["choices"]] == [
        "2026-11-01T05:30:00+00:00",
        "2026-11-01T06:30:00+00:00",
    ]
    assert resolve(twice, NEW_YORK).instant == utc(2026, 11, 1, 5, 30)


def test_case_064__both_repeated_hours__are_bookable_and_differ():
    """The two hours are two slots, shown as EDT and EST."""
    start, end = datetime(2026, 11, 1, 1), datetime(2026, 11, 1, 1, 30)
    first = interval_of(start, end, NEW_YORK)
    second = interval_of(start, end, NEW_YORK, fold=1)
    assert first.end <= second.start
    assert label(first.end, NEW_YORK) == "01:30 EDT"
    assert label(second.end, NEW_YORK) == "01:30 EST"
    found = series("FREQ=DAILY;COUNT=3", datetime(2026, 10, 31, 1, 30), NEW_YORK)
    assert [at.shift for at in found] == [WallKind.PLAIN, WallKind.FOLD, WallKind.PLAIN]


@pytest.mark.parametrize("day, hours", [((2026, 3, 29), 2), ((2026, 10, 25), 4)])
def test_case_065__length_over_a_clock_change__is_in_real_minutes(day, hours):
    """01:00 to 04:00 lasts two hours in spring and four in autumn."""
    wanted = interval_of(datetime(*day, 1), datetime(*day, 4), BERLIN)
    assert wanted.duration == timedelta(hours=hours)
    assert (label(wanted.start, BERLIN), label(wanted.end, BERLIN)) == ("01:00", "04:00")
    single = series("FREQ=DAILY;COUNT=1", datetime(*day, 1), BERLIN, timedelta(hours=3))
    assert single[0].interval == wanted


def test_case_066__day_of_23_hours__has_23_rows():
    """The day on which summer time begins has 23 rows, without the skipped hour."""
    assert day_bounds(date(2026, 3, 29), BERLIN).duration == timedelta(hours=23)
    rows = hour_rows(date(2026, 3, 29), BERLIN)
    assert [row.label for row in rows] == [f"{hour:02}:00" for hour in range(24) if hour != 2]


def test_case_066__day_of_25_hours__has_25_rows():
    """The day on which summer time ends has 25 rows; the repeated hour has two."""
    assert day_bounds(date(2026, 10, 25), BERLIN).duration == timedelta(hours=25)
    labels = [row.label for row in hour_rows(date(2026, 10, 25), BERLIN)]
    assert len(labels) == 25
    assert labels[1:5] == ["01:00", "02:00 CEST", "02:00 CET", "03:00"]


def test_case_067__clock_change_of_half_an_hour__is_applied():
    """A clock change can be 30 minutes, as on Lord Howe."""
    found = resolve(datetime(2026, 10, 4, 2, 15), LORD_HOWE)
    assert (found.kind, found.instant) == (WallKind.GAP, utc(2026, 10, 3, 15, 45))
    assert found.local == datetime(2026, 10, 4, 2, 45)
    daily = series("FREQ=DAILY;COUNT=3", datetime(2026, 10, 3, 2, 15), LORD_HOWE)
    assert [label(at.interval.start, LORD_HOWE) for at in daily] == ["02:15", "02:45", "02:15"]
    assert day_bounds(date(2026, 10, 4), LORD_HOWE).duration == timedelta(hours=23, minutes=30)
    assert resolve(datetime(2026, 10, 4, 2, 30), LORD_HOWE).kind is WallKind.PLAIN


def test_case_068__day_without_midnight__begins_at_one_o_clock():
    """In Santiago one midnight does not exist: the day begins at 01:00."""
    day = day_bounds(date(2026, 9, 6), SANTIAGO)
    assert (day.start, day.duration) == (utc(2026, 9, 6, 4), timedelta(hours=23))
    assert label(day.start, SANTIAGO) == "01:00"
    assert hour_rows(date(2026, 9, 6), SANTIAGO)[0].label == "01:00"
    before = day.start - timedelta(seconds=1)
    assert day_of(before, SANTIAGO) == date(2026, 9, 5)
    assert day_of(day.start, SANTIAGO) == date(2026, 9, 6)


def test_case_068__series_of_full_days__has_no_gap_at_the_missing_midnight():
    """Full days in Santiago are adjacent over the midnight that does not exist."""
    full_days = series("FREQ=DAILY;COUNT=3", datetime(2026, 9, 5), SANTIAGO, timedelta(days=1))
    days = [day_bounds(date(2026, 9, day), SANTIAGO) for day in (5, 6, 7)]
    assert [at.interval for at in full_days] == days
    # The first date ends at the skipped midnight, and the second date begins there.
    assert [at.shift for at in full_days] == [WallKind.GAP, WallKind.GAP, WallKind.PLAIN]


def test_case_069__zone_with_45_minutes__is_shown_in_each_zone():
    """09:00 in Kathmandu is 03:15 UTC; each zone shows its own local time."""
    booked = resolve(datetime(2026, 1, 15, 9), KATHMANDU).instant
    assert booked == utc(2026, 1, 15, 3, 15)
    shown = [label(booked, zone, always_abbreviation=True) for zone in (KATHMANDU, LONDON)]
    assert shown == ["09:00 +0545", "03:15 GMT"]
    assert [row.label for row in hour_rows(date(2026, 1, 15), KATHMANDU)][8:10] == [
        "08:00",
        "09:00",
    ]


def test_case_070__viewer_in_another_zone__sees_the_time_of_that_zone():
    """Weekly at 15:00 in New York, seen in London, while only New York has changed its clock."""
    found = series("FREQ=WEEKLY;COUNT=4", datetime(2026, 3, 9, 15), NEW_YORK)
    assert [at.recurrence_id.day for at in found] == [9, 16, 23, 30]
    seen = [label(at.interval.start, LONDON) for at in found]
    assert seen == ["19:00", "19:00", "19:00", "20:00"]


def test_case_071__picked_day__is_a_day_of_the_rooms_zone():
    """A picked day is a day of the room's zone, not of the browser's zone."""
    picked = day_bounds(date(2026, 11, 6), HELSINKI)
    assert picked.start == utc(2026, 11, 5, 22)
    assert day_of(picked.start, LOS_ANGELES) == date(2026, 11, 5)
    late = resolve(datetime(2026, 11, 6, 23, 30), HELSINKI).instant
    assert late in picked
    assert (day_of(late, HELSINKI), label(late, HELSINKI)) == (date(2026, 11, 6), "23:30")


def test_case_072__booking_for_july__has_the_offset_of_july():
    """A meeting in July that is booked in January has the offset of July."""
    january, july = (resolve(datetime(2026, month, 15, 9), LONDON).instant for month in (1, 7))
    assert (january, july) == (utc(2026, 1, 15, 9), utc(2026, 7, 15, 8))
    across = series("FREQ=MONTHLY;INTERVAL=6;COUNT=2", datetime(2026, 1, 15, 9), LONDON)
    assert starts(across) == [january, july]


def test_case_075__today__is_the_local_date():
    """A meeting at 00:15 belongs to its local date, though its date in UTC is the day before."""
    starts_at = resolve(datetime(2026, 7, 1, 0, 15), HELSINKI).instant
    edited_at = resolve(datetime(2026, 7, 1, 10, 15), HELSINKI).instant
    assert starts_at.date() < edited_at.date(), "in UTC it looks like yesterday"
    assert day_of(starts_at, HELSINKI) == day_of(edited_at, HELSINKI) == date(2026, 7, 1)

"""Series: booked completely or in part, and changed without a change of past dates."""

from datetime import datetime, time

import pytest

from booking.commands.cancel_booking import cancel_booking
from booking.commands.check_in import check_in
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.domain.states import BookingState
from booking.models import AuditEntry, Booking, Series, SkippedDate
from booking.series.add_date import add_date
from booking.series.book_series import BookSeries, OnClash, book_series, preview_series
from booking.series.cancel_series import cancel_series
from booking.series.domain.series_data import SeriesReport
from booking.series.edit_series import SeriesEdit, edit_series
from booking.series.evaluate_dates import SeriesClashesError
from booking.tests.factories import book
from identity.tests.factories import actor
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval
from rooms.models import Room
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db

MONDAY = FixedClock(datetime.fromisoformat("2026-02-02T06:00:00+00:00"))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


def slot(day: str, start: str = "08:00", end: str = "09:00") -> Interval:
    """Return an interval in UTC; the default is 10:00 to 11:00 in Helsinki in winter."""
    return Interval(utc(f"{day}T{start}"), utc(f"{day}T{end}"))


def series(
    where: Room, rule: str, *, by: Actor, start: str = "2026-02-03T10:00", **more: object
) -> SeriesReport:
    wanted = BookSeries(where.uuid, datetime.fromisoformat(start), 60, rule, "Stand-up", **more)
    return book_series(actor=by, wanted=wanted, clock=MONDAY)


def starts(**wanted: object) -> list[str]:
    """Return the UTC starts of the stored bookings, in order."""
    found = Booking.objects.filter(**wanted).order_by("during")
    return [f"{booking.during.lower:%m-%d %H:%M}" for booking in found]


def test_case_049__rule_without_a_date__is_refused_and_stores_nothing():
    """A rule without a single date"""
    with pytest.raises(InvalidCommandError) as refused:
        series(room(), "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3", by=actor())
    assert refused.value.code == "no_occurrence"
    assert (Series.objects.count(), Booking.objects.count()) == (0, 0)


def test_case_050__series_that_overlaps_itself__is_refused():
    """A daily series of 25 hours"""
    wanted = BookSeries(
        room().uuid, datetime.fromisoformat("2026-02-03T10:00"), 25 * 60, "FREQ=DAILY;COUNT=3"
    )
    with pytest.raises(InvalidCommandError) as refused:
        book_series(actor=actor(), wanted=wanted, clock=MONDAY)
    assert refused.value.code == "overlaps_itself"
    assert Booking.objects.count() == 0


def _three_taken(where: Room) -> None:
    for day in ("2026-02-17", "2026-03-03", "2026-04-21"):
        hour = ("07:00", "08:00") if day > "2026-03-29" else ("08:00", "09:00")
        book(where, slot(day, *hour), clock=MONDAY)


def test_case_051__all_or_nothing__names_the_three_dates_and_stores_nothing():
    """12 dates, 3 of them taken: all or nothing, or the other 9"""
    dogger, ann = room(), actor("Ann")
    _three_taken(dogger)
    with pytest.raises(SeriesClashesError) as refused:
        series(dogger, "FREQ=WEEKLY;COUNT=12", by=ann)
    facts = refused.value.facts
    assert (facts["bookable"], facts["of"]) == (9, 12)
    dates = [date["recurrence_id"] for date in facts["refused"]]
    assert dates == ["2026-02-17T10:00:00", "2026-03-03T10:00:00", "2026-04-21T10:00:00"]
    assert {date["code"] for date in facts["refused"]} == {"slot_taken"}
    assert (Series.objects.count(), Booking.objects.count()) == (0, 3)


def test_case_051__book_the_rest__books_nine_and_accepts_one_later():
    """12 dates, 3 of them taken: all or nothing, or the other 9"""
    dogger, ann = room(), actor("Ann")
    _three_taken(dogger)
    report = series(dogger, "FREQ=WEEKLY;COUNT=12", by=ann, on_clash=OnClash.BOOK_THE_REST)
    assert (len(report.booked), len(report.refused)) == (9, 3)
    assert SkippedDate.objects.count() == 3
    blocking = Booking.objects.get(during__startswith=utc("2026-02-17T08:00"))
    cancel_booking(actor=actor(role="admin"), booking_id=blocking.pk, clock=MONDAY)
    name = datetime.fromisoformat("2026-02-17T10:00")
    added = add_date(actor=ann, series_id=report.series_id, recurrence_id=name, clock=MONDAY)
    assert added.interval == slot("2026-02-17")
    assert SkippedDate.objects.count() == 2


def test_case_051__another_room_for_the_clashing_dates__books_all_twelve():
    """12 dates, 3 of them taken: all or nothing, or the other 9"""
    dogger, fisher, ann = room(), room("Fisher"), actor("Ann")
    _three_taken(dogger)
    clashing = ("2026-02-17T10:00:00", "2026-03-03T10:00:00", "2026-04-21T10:00:00")
    report = series(
        dogger, "FREQ=WEEKLY;COUNT=12", by=ann, elsewhere=dict.fromkeys(clashing, fisher.uuid)
    )
    assert [b.recurrence_id for b in report.booked if b.room == fisher.uuid] == list(clashing)
    assert len(report.booked) == 12


def test_case_052__conflict_at_date_40__is_reported_before_anything_is_stored(with_rules):
    """All dates are checked, not only the first few"""
    dogger, ann = room(), actor("Ann")
    with_rules(dogger, series_limit=500)
    book(dogger, slot("2026-03-14"), clock=MONDAY)  # the fortieth day
    wanted = BookSeries(
        dogger.uuid, datetime.fromisoformat("2026-02-03T10:00"), 60, "FREQ=DAILY;COUNT=500"
    )
    report = preview_series(actor=ann, wanted=wanted, clock=MONDAY)
    assert [date.recurrence_id for date in report.refused] == ["2026-03-14T10:00:00"]
    assert (len(report.booked), Booking.objects.count()) == (499, 1)


def _at(report: SeriesReport, day: str):
    return next(b for b in report.booked if b.recurrence_id == f"{day}T10:00:00")


@pytest.mark.parametrize(
    ("moves", "expected"), [(False, "02-11 08:00"), (True, "02-11 09:00")], ids=["stays", "moves"]
)
def test_case_053__moved_date__keeps_its_date_when_the_series_shifts(moves: bool, expected: str):
    """A moved date, then the series moves one hour later"""
    dogger, ann = room(), actor("Ann")
    report = series(dogger, "FREQ=WEEKLY;COUNT=4", by=ann)
    moved = edit_booking(
        actor=ann,
        booking_id=_at(report, "2026-02-10").id,
        edit=BookingEdit(interval=slot("2026-02-11")),
        clock=MONDAY,
    )
    assert moved.recurrence_id == "2026-02-10T10:00:00"
    edit = SeriesEdit(starts=time(11), moves_exceptions=moves)
    edit_series(actor=ann, series_id=report.series_id, edit=edit, clock=MONDAY)
    assert starts(takes_slot=True) == ["02-03 09:00", expected, "02-17 09:00", "02-24 09:00"]
    assert Booking.objects.count() == 4


def test_case_053__deleted_date__is_not_booked_again():
    """A deleted date, then the series moves one hour later"""
    dogger, ann = room(), actor("Ann")
    report = series(dogger, "FREQ=WEEKLY;COUNT=4", by=ann)
    cancel_booking(actor=ann, booking_id=_at(report, "2026-02-10").id, clock=MONDAY)
    edit = SeriesEdit(starts=time(11))
    edit_series(actor=ann, series_id=report.series_id, edit=edit, clock=MONDAY)
    assert starts(takes_slot=True) == ["02-03 09:00", "02-17 09:00", "02-24 09:00"]


def test_case_054__series_moved_in_its_middle__keeps_past_and_running_dates():
    """4 past dates, 1 running, 4 in future: the series is moved"""
    dogger, ann = room(), actor("Ann")
    report = series(dogger, "FREQ=DAILY;COUNT=9", by=ann)
    for day in range(3, 8):
        clock = FixedClock(utc(f"2026-02-0{day}T08:00"))
        check_in(actor=ann, booking_id=_at(report, f"2026-02-0{day}").id, clock=clock)
    now = FixedClock(utc("2026-02-07T08:30"))
    edit = SeriesEdit(starts=time(14))
    changed = edit_series(actor=ann, series_id=report.series_id, edit=edit, clock=now)
    assert starts(takes_slot=True) == [
        *(f"02-0{day} 08:00" for day in range(3, 8)),
        *(f"02-{day:02} 12:00" for day in range(8, 12)),
    ]
    assert len(changed.booked) == 4
    assert Series.objects.get(pk=changed.series_id).follows_id == report.series_id


def test_case_055__deleted_series__keeps_past_dates_and_frees_the_rest():
    """4 past dates: the series is deleted"""
    dogger, ann = room(), actor("Ann")
    report = series(dogger, "FREQ=DAILY;COUNT=9", by=ann)
    for day in range(3, 7):
        clock = FixedClock(utc(f"2026-02-0{day}T08:00"))
        check_in(actor=ann, booking_id=_at(report, f"2026-02-0{day}").id, clock=clock)
    now = FixedClock(utc("2026-02-06T12:00"))
    done = cancel_series(actor=ann, series_id=report.series_id, clock=now)
    assert len(done.cancelled) == 5
    assert starts(state=BookingState.CHECKED_IN) == [f"02-0{day} 08:00" for day in range(3, 7)]
    book(dogger, slot("2026-02-07"), clock=now)


def test_case_056__new_title__splits_and_rejects_nothing():
    """Only the title is edited while the series runs"""
    dogger, ann = room(), actor("Ann")
    report = series(dogger, "FREQ=DAILY;COUNT=4", by=ann)
    now = FixedClock(utc("2026-02-04T12:00"))
    edit = SeriesEdit(title="Planning")
    edit_series(actor=ann, series_id=report.series_id, edit=edit, clock=now)
    assert Series.objects.count() == 1
    assert [b.title for b in Booking.objects.order_by("during")] == [
        "Stand-up", "Stand-up", "Planning", "Planning",
    ]  # fmt: skip
    commands = set(AuditEntry.objects.values_list("command", flat=True))
    assert commands <= {"book_series", "edit_series", "release_no_show"}


def test_case_057__extended_series__leaves_the_deleted_date_deleted():
    """The end of a series moves past a deleted date"""
    dogger, ann = room(), actor("Ann")
    report = series(dogger, "FREQ=WEEKLY;COUNT=4", by=ann)
    cancel_booking(actor=ann, booking_id=_at(report, "2026-02-17").id, clock=MONDAY)
    edit = SeriesEdit(rule="FREQ=WEEKLY;COUNT=6")
    changed = edit_series(actor=ann, series_id=report.series_id, edit=edit, clock=MONDAY)
    assert changed.series_id == report.series_id
    expected = ["02-03", "02-10", "02-24", "03-03", "03-10"]
    assert starts(takes_slot=True) == [f"{day} 08:00" for day in expected]
    assert len(changed.booked) == 2

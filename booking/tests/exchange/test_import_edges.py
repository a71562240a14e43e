"""Edge cases of imports: equal room names, times outside the supported years, locks, own edits."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from booking.commands.check_in import check_in
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.commands.end_booking import end_booking
from booking.commands.expire_due_bookings import expire_due_bookings
from booking.domain.batch_context import BatchContext
from booking.domain.booking_data import BookingData
from booking.domain.states import BookingState
from booking.exchange.csv.presets import Preset
from booking.exchange.csv.table import parse_table
from booking.exchange.ical.read_calendar import parse_calendar
from booking.exchange.import_event import ImportOutcome, import_event
from booking.exchange.import_files import HowToImport, import_calendar, import_table, known_rooms
from booking.models import Booking
from booking.tests.api.import_calls import Importer, calendar, event, report_of, row
from booking.tests.factories import NOW, at, calendar_event, hours
from booking.tests.room_rules import booked, rules
from identity.models import Role
from identity.tests.factories import actor, person
from meeting_rooms.kernel.clock import Clock, FixedClock
from meeting_rooms.kernel.interval import Interval
from rooms.models import Room
from rooms.tests.factories import building, divide, floor, room

pytestmark = pytest.mark.django_db
THEN = FixedClock(NOW)
HELSINKI = ZoneInfo("Europe/Helsinki")


def admin() -> Importer:
    return Importer(person(role=Role.ADMIN))


@pytest.mark.parametrize("number", ["", "7"])
def test_table__one_row_for_rooms_of_one_name_in_two_buildings__is_two_bookings(number):
    houses = [building(slug=slug) for slug in ("hq", "annex")]
    blues = [room("Blue", on=floor(house)) for house in houses]
    ada = admin()
    raw = ("id,room,starts_at,ends_at,title\n" + f"{number}," + row("Blue", 0, 1)).encode()
    for again in ("created", "unchanged"):
        for house in houses:
            report = report_of(ada.csv(raw=raw, query=f"?building={house.slug}"))
            assert (report[again], report["refused"]) == (1, 0)
    assert [Booking.objects.filter(room=blue).count() for blue in blues] == [1, 1]


FAR = [
    ("00010101T000000Z", "00010101T010000Z", "invalid_time"),
    ("99991231T230000Z", "99991231T235900Z", "invalid_time"),
    ("99900601T000000Z", "99910101T000000Z", "invalid_time"),
    ("20270401T000000Z", "99900401T000000Z", "too_long"),
    ("20270401T000000Z", "20270602T000001Z", "too_long"),
]


@pytest.mark.parametrize("zone", ["Europe/Helsinki", "America/New_York"])
@pytest.mark.parametrize(("start", "end", "code"), FAR)
def test_calendar__times_outside_the_limits__refuse_their_event_only(zone, start, end, code):
    room("Dogger", on=floor(building(timezone=zone)))
    times = f"DTSTART:{start}\r\nDTEND:{end}\r\n"
    lines = event("far", 0, 1).splitlines(keepends=True)
    far = "".join(line for line in lines if not line.startswith(("DTSTART", "DTEND")))
    far = far.replace("SUMMARY", f"{times}SUMMARY")
    report = report_of(admin().ics(event("a", 0, 1), far, event("b", 2, 3)))
    assert (report["created"], report["refused"]) == (2, 1)
    assert [(one["uid"], one["code"]) for one in report["refusals"]] == [("far", code)]


@pytest.mark.parametrize("day", ["0001-01-01T", "9999-12-31T"])
def test_table__times_outside_the_supported_years__refuse_their_row_only(day):
    room("Dogger", on=floor(building(slug="hq", timezone="America/New_York")))
    far = f"Dogger,{day}22:00:00+00:00,{day}23:00:00+00:00,Far\n"
    report = report_of(admin().csv(far, row("Dogger", 0, 1), query="?building=hq&partial=true"))
    assert (report["created"], report["stored"]) == (1, True)
    assert [(one["number"], one["code"]) for one in report["refusals"]] == [(2, "invalid_time")]


def test_import__past_event__is_booked():
    dogger = room()
    past = Interval(datetime(2001, 1, 1, 10, tzinfo=UTC), datetime(2001, 3, 4, 10, tzinfo=UTC))
    assert imported(dogger, past) is ImportOutcome.CREATED


def test_import__cancelled_event_with_times_outside_the_limits__is_cancelled():
    dogger = room()
    imported(dogger, hours(15, 16))
    endless = Interval(at(15), datetime(9999, 12, 31, 23, tzinfo=UTC))
    assert imported(dogger, endless, is_cancelled=True) is ImportOutcome.CANCELLED


def test_batch_context__booking_of_many_centuries__is_not_stored_per_day():
    room_rules = rules()
    centuries = Interval(at(10, day=20), datetime(9990, 1, 1, tzinfo=UTC))
    long, short = booked(centuries, number=1), booked(hours(15, 16), number=2)
    around = BatchContext.of([long, short], {}, [])
    within = Interval(at(3, day=21), at(4, day=21))
    assert around.near(hours(15, 16), room_rules).neighbours == (short,)
    assert around.near(within, room_rules).neighbours == (long,)
    days = len(around._by_day)  # a failure must not print millions of days
    assert days == 1


def imported(
    into: Room, interval: Interval, *, is_cancelled: bool = False, clock: Clock = THEN
) -> ImportOutcome:
    talk = calendar_event("talk", interval, is_cancelled=is_cancelled)
    return import_event(actor=actor(role=Role.ADMIN), room=into.uuid, event=talk, clock=clock)


def moved_by_an_edit(interval: Interval) -> BookingData:
    edit = BookingEdit(interval=interval)
    one = Booking.objects.get()
    return edit_booking(actor=actor(role=Role.ADMIN), booking_id=one.pk, edit=edit, clock=THEN)


def test_import__booking_moved_by_an_edit__is_moved_back_and_needs_no_check_in():
    dogger = room()
    imported(dogger, hours(15, 16))
    assert moved_by_an_edit(hours(11, 12)).lapses_at == at(11, 10)
    assert imported(dogger, hours(15, 16)) is ImportOutcome.UPDATED
    stored = Booking.objects.get().as_data()
    assert (stored.interval, stored.state) == (hours(15, 16), BookingState.CONFIRMED)
    assert stored.lapses_at is None
    expire_due_bookings(room=dogger.uuid, clock=FixedClock(at(11, 11)))
    assert Booking.objects.get().takes_slot


def test_import__booking_that_waits_for_approval__is_moved_back_and_confirmed():
    dogger = room()
    imported(dogger, hours(15, 16))
    Booking.objects.update(state=BookingState.PENDING, takes_slot=False, lapses_at=at(11))
    Booking.objects.update(during=hours(11, 12).as_range())
    assert imported(dogger, hours(15, 16)) is ImportOutcome.UPDATED
    stored = Booking.objects.get()
    assert (stored.state, stored.takes_slot) == (BookingState.CONFIRMED, True)


@pytest.mark.parametrize(
    ("to", "state"),
    [(Interval(at(10), at(13)), "checked_in"), (hours(15, 16), "confirmed")],
)
def test_import__running_booking_moved__stays_checked_in_if_it_still_runs(to, state):
    dogger = room()
    imported(dogger, hours(10, 12))
    one = Booking.objects.get().pk
    check_in(actor=actor(role=Role.ADMIN), booking_id=one, clock=THEN)
    imported(dogger, to)
    stored = Booking.objects.get()
    assert (stored.interval, stored.state, stored.lapses_at) == (to, state, None)


def rooms_free_at_each_step(rows: str, *, is_dry_calendar: bool = False) -> list[list[str]]:
    """Import `rows`; return the rooms that another connection can lock at each progress report."""
    free_rooms: list[list[str]] = []

    def lock_from_another_connection() -> None:
        free = Room.objects.select_for_update(skip_locked=True).order_by("pk")
        with transaction.atomic():
            free_rooms.append([one.name for one in free])
        connection.close()

    def record_rooms(_count: int) -> None:
        with ThreadPoolExecutor(1) as another_connection:
            another_connection.submit(lock_from_another_connection).result(timeout=30)

    how = HowToImport(actor=actor(role=Role.ADMIN), progress=record_rooms, dry_run=is_dry_calendar)
    if is_dry_calendar:
        report = import_calendar(parse_calendar(calendar(rows)), known_rooms("hq"), how)
        assert not report.refused
        return free_rooms
    raw = ("id,room,starts_at,ends_at,title\n" + rows).encode()
    table = parse_table(raw, preset=Preset.MEETING_ROOMS, building="hq", zone=HELSINKI)
    assert import_table(table, known_rooms("hq"), how, partial=False).is_stored
    return free_rooms


@pytest.mark.django_db(transaction=True)
def test_table__of_several_rooms__locks_them_all_before_the_first_row():
    on = floor(building(slug="hq"))
    hall, half, _other, last = (room(name, on=on) for name in ("Hall", "Half", "Other", "Last"))
    divide(hall, half)
    first = "1," + row("Last", 0, 1)
    rooms_free_at_each_step(first)
    Booking.objects.update(room=hall)  # the row's booking is now in another room
    with CaptureQueriesContext(connection) as queries:
        free_rooms = rooms_free_at_each_step(first + "2," + row("Half", 2, 3))
    assert free_rooms[1] == ["Half", "Other"]  # the lock of the hall covers the half
    assert free_rooms[2:] == [["Other"]] * 2
    assert Booking.objects.get(title="Plan", room=last)
    locks = [q["sql"] for q in queries if "FOR UPDATE" in q["sql"]]
    assert 'ORDER BY "rooms_room"."id" ASC' in locks[0]


@pytest.mark.django_db(transaction=True)
def test_calendar__dry_run__locks_all_rooms_before_the_first_event():
    on = floor(building(slug="hq"))
    for name in ("One", "Two", "Three"):
        room(name, on=on)
    events = event("b", 0, 1, "Three") + event("a", 0, 1, "One")
    assert rooms_free_at_each_step(events, is_dry_calendar=True) == [["Two"]] * 3


def test_import_again__of_a_meeting_that_was_ended_early__keeps_the_rest_free():
    boss, dogger = actor(role=Role.ADMIN), room()
    talk = calendar_event("early", hours(10, 11))
    import_event(actor=boss, room=dogger.uuid, event=talk, clock=FixedClock(at(9)))
    mine = Booking.objects.get().pk
    check_in(actor=boss, booking_id=mine, clock=FixedClock(at(10)))
    end_booking(actor=boss, booking_id=mine, clock=FixedClock(at(10, 20)))
    later = FixedClock(at(10, 30))
    again = import_event(actor=boss, room=dogger.uuid, event=talk, clock=later)
    assert again is ImportOutcome.UNCHANGED
    assert Booking.objects.get().as_data().interval.end == at(10, 20)

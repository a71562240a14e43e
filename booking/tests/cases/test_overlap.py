"""Cases 1 to 10: overlapping bookings, which Postgres itself refuses to store."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from booking.commands.book_room import BookRooms, book_rooms
from booking.commands.cancel_booking import cancel_booking
from booking.domain.errors import RoomClosedError, SlotTakenError
from booking.domain.states import STATES_THAT_MAY_TAKE_THE_SLOT, BookingState
from booking.models import AuditEntry, Booking
from booking.repository import bookings_during, unavailable_intervals
from booking.tests.factories import NOW, at, book, hours
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.interval import Interval
from rooms.models import Closure
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db
CLOCK = FixedClock(NOW)
TICK = timedelta(microseconds=1)  # the shortest interval that Postgres can store
INSERT = """
INSERT INTO booking_booking (id, room_id, units, during, local_start, local_end, title,
                             organizer_name, is_private, state, takes_slot, version, flags,
                             created_at)
VALUES (gen_random_uuid(), %(room)s, %(units)s::int8range, %(during)s::tstzrange, '', '', 'Raw',
        'Raw', false, 'confirmed', true, 1, '{}', now())
"""


def insert_by_raw_sql(room_id: int, during: str, units: str | None = None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, {"room": room_id, "during": during, "units": units})


@pytest.mark.parametrize(
    "start,end,overlaps",
    [
        (10, 11, False), (11, 12, False), (11, 13, True), (11, 15, True),
        (12, 14, True), (13, 15, True), (14, 15, False), (15, 16, False),
    ],
)  # fmt: skip
def test_case_001__beside_over_and_within__only_overlaps_are_refused(start, end, overlaps):
    """Beside, over and within a booking"""
    dogger = room()
    book(dogger, hours(12, 14))
    with pytest.raises(SlotTakenError) if overlaps else nullcontext():
        book(dogger, hours(start, end))
    assert Booking.objects.count() == (1 if overlaps else 2)


@pytest.mark.parametrize("overlaps,end", [(False, at(12)), (True, at(12) + TICK)])
def test_case_001__overlap_of_one_microsecond__is_refused(overlaps, end):
    """An overlap of one microsecond is refused, and adjacent bookings are stored"""
    dogger = room()
    book(dogger, hours(12, 14))
    with pytest.raises(SlotTakenError) if overlaps else nullcontext():
        book(dogger, Interval(at(11), end))


def test_case_002__adjacent_bookings__are_stored_without_a_free_instant():
    """One ends as the next begins"""
    dogger = room()
    first, second = book(dogger, hours(11, 12)), book(dogger, hours(12, 13))

    def taken_at(instant):
        during = bookings_during(Interval(instant, instant + TICK), now=NOW)
        return [booking.id for booking in during]

    assert taken_at(at(12) - TICK) == [first.id]
    assert taken_at(at(12)) == [second.id]


def test_case_003__closed_bounds__would_refuse_back_to_back():
    """Closed bounds would refuse back-to-back"""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE scratch (during tstzrange, EXCLUDE USING gist (during WITH &&))"
        )
        for bounds, wrongly_conflicts in (("[)", False), ("[]", True)):
            cursor.execute("TRUNCATE scratch")
            back_to_back = (
                f"INSERT INTO scratch VALUES (tstzrange('2026-03-12 11:00Z', '2026-03-12 12:00Z',"
                f" '{bounds}')), (tstzrange('2026-03-12 12:00Z', '2026-03-12 13:00Z', '{bounds}'))"
            )
            conflict = pytest.raises(IntegrityError) if wrongly_conflicts else nullcontext()
            with conflict, transaction.atomic():
                cursor.execute(back_to_back)
        cursor.execute("DROP TABLE scratch")


@pytest.mark.parametrize("bounds", ["[]", "(]", "()"])
def test_case_003__bounds_that_are_not_half_open__are_refused(bounds):
    """Only half-open intervals are stored"""
    with pytest.raises(IntegrityError, match="booking_during_is_an_interval"):
        insert_by_raw_sql(room().pk, f'{bounds[0]}"{at(11)}","{at(12)}"{bounds[1]}')


def test_case_004__empty_interval_inside_a_booked_hour__is_refused_by_the_check():
    """An interval of no length inside a booked hour"""
    dogger = room()
    book(dogger, hours(11, 12))
    empty = f'["{at(11, 30)}","{at(11, 30)}")'
    with pytest.raises(IntegrityError, match="booking_during_is_an_interval"):
        insert_by_raw_sql(dogger.pk, empty)
    assert Booking.objects.count() == 1


def test_case_004__empty_interval__passes_the_exclusion_constraint():
    """The exclusion constraint accepts an empty range, so the check constraint is needed"""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE scratch (during tstzrange, EXCLUDE USING gist (during WITH &&))"
        )
        cursor.execute("INSERT INTO scratch VALUES ('[2026-03-12 11:00Z,2026-03-12 12:00Z)')")
        cursor.execute("INSERT INTO scratch VALUES ('[2026-03-12 11:30Z,2026-03-12 11:30Z)')")
        cursor.execute("SELECT count(*) FROM scratch")
        assert cursor.fetchone() == (2,)
        cursor.execute("DROP TABLE scratch")


def test_case_004__end_before_the_start__is_refused_by_postgres():
    """Postgres has no range whose end is before its start"""
    with pytest.raises(Exception, match="lower bound must be less than or equal"):
        insert_by_raw_sql(room().pk, f'["{at(12)}","{at(11)}")')


@pytest.mark.parametrize("during", [f'["{at(11)}",)', f'(,"{at(11)}")', "(,)", "empty"])
def test_case_004__interval_without_start_or_end__is_refused_by_the_check(during):
    """An interval needs a start and an end"""
    with pytest.raises(IntegrityError, match="booking_during_is_an_interval"):
        insert_by_raw_sql(room().pk, during)


def test_case_008__bookings_of_two_rooms__never_conflict():
    """Other rooms and ended bookings never block"""
    for _ in range(2):
        book(room(), hours(11, 12))
    assert Booking.objects.filter(takes_slot=True).count() == 2


ENDED = sorted(set(BookingState) - STATES_THAT_MAY_TAKE_THE_SLOT)


@pytest.mark.parametrize("state", ENDED)
def test_case_008__ended_bookings__never_block(state):
    """A booking that is cancelled, rejected, released or lapsed does not block"""
    dogger = room()
    before = book(dogger, hours(11, 12))
    Booking.objects.filter(pk=before.id).update(state=state, takes_slot=False, lapses_at=None)
    assert unavailable_intervals([dogger], hours(11, 12), now=NOW) == {}
    after = book(dogger, hours(11, 12))
    assert Booking.objects.get(takes_slot=True).id == after.id


def test_case_008__slot_of_a_cancelled_booking__is_bookable_at_once():
    """The slot of a cancelled booking is free"""
    ann, dogger = actor(), room()
    before = book(dogger, hours(11, 12), by=ann)
    cancel_booking(actor=ann, booking_id=before.id, clock=CLOCK)
    book(dogger, hours(11, 12))
    assert sorted(Booking.objects.values_list("state", flat=True)) == ["cancelled", "confirmed"]


def test_case_010__one_of_three_rooms_taken__stores_nothing_and_names_the_room():
    """Three rooms together, one of them taken"""
    rooms = [room(), room(name="Fisher"), room()]
    book(rooms[1], Interval(at(11, 30), at(13)))
    wanted = BookRooms(tuple(each.uuid for each in rooms), hours(11, 12))
    with pytest.raises(SlotTakenError, match="Fisher") as refused:
        book_rooms(actor=actor(), wanted=wanted, clock=CLOCK)
    assert refused.value.facts == {
        "room": str(rooms[1].uuid),
        "taken": [{"starts_at": at(11, 30).isoformat(), "ends_at": at(13).isoformat()}],
    }
    assert (Booking.objects.count(), AuditEntry.objects.count()) == (1, 1)


def test_case_010__one_of_three_rooms_closed__stores_nothing():
    """One closed room among three refuses the booking of all three"""
    rooms = [room(), room(), room()]
    Closure.objects.create(room=rooms[2], starts_at=at(9), ends_at=at(12), reason="Painting")
    wanted = BookRooms(tuple(each.uuid for each in rooms), hours(11, 12))
    with pytest.raises(RoomClosedError, match="Painting"):
        book_rooms(actor=actor(), wanted=wanted, clock=CLOCK)
    assert not Booking.objects.exists()


def test_case_010__three_free_rooms__are_one_booking():
    """Three free rooms are booked together"""
    rooms = [room(), room(), room()]
    wanted = BookRooms(tuple(each.uuid for each in rooms), hours(11, 12))
    booked = book_rooms(actor=actor(), wanted=wanted, clock=CLOCK)
    assert [facts.room for facts in booked] == [each.uuid for each in rooms]
    assert len({facts.group_id for facts in booked}) == 1
    assert Booking.objects.filter(takes_slot=True).count() == 3


@pytest.mark.parametrize("start,end", [(11, 12), (10, 15), (11, 13)])
def test_case_001__overlap_inserted_by_raw_sql__is_refused(start, end):
    """Raw SQL cannot store an overlap"""
    dogger = room()
    book(dogger, hours(11, 12))
    with pytest.raises(IntegrityError, match="booking_no_overlap"):
        insert_by_raw_sql(dogger.pk, hours(start, end).as_range())
    insert_by_raw_sql(dogger.pk, hours(12, 13).as_range())


def test_case_001__overlap_by_a_raw_update__is_refused():
    """An UPDATE of the time, the room or the state cannot make an overlap"""
    dogger, fisher = room(), room()
    first = book(dogger, hours(11, 12))
    beside, elsewhere = book(dogger, hours(12, 13)), book(fisher, hours(11, 12))
    cancelled = book(dogger, hours(13, 14))
    for pk, change in (
        (beside.id, {"during": (at(11, 59), at(13))}),
        (elsewhere.id, {"room": dogger}),
        (cancelled.id, {"during": (at(11), at(12)), "state": "checked_in"}),
    ):
        with pytest.raises(IntegrityError, match="booking_no_overlap"), transaction.atomic():
            Booking.objects.filter(pk=pk).update(**change)
    assert Booking.objects.get(pk=first.id).interval == hours(11, 12)


def test_case_001__wrong_units_by_raw_sql__are_corrected():
    """The database sets the room's units in each INSERT and UPDATE, so the constraint applies"""
    dogger, fisher = room(), room()
    book(dogger, hours(11, 12))
    with pytest.raises(IntegrityError, match="booking_no_overlap"):
        insert_by_raw_sql(dogger.pk, hours(11, 12).as_range(), f"[{fisher.pk},{fisher.pk}]")
    beside = book(dogger, hours(12, 13))
    Booking.objects.filter(pk=beside.id).update(units=(10**9, 10**9 + 1))
    units = Booking.objects.get(pk=beside.id).units
    assert (units.lower, units.upper) == (dogger.pk, dogger.pk + 1)


@pytest.mark.parametrize(
    "state,takes_slot", [("confirmed", False), ("checked_in", False), ("held", False)]
)
def test_case_001__live_booking_without_a_slot__is_refused(state, takes_slot):
    """A live booking must take its slot, so the exclusion constraint applies to it"""
    facts = book(room(), hours(11, 12))
    with pytest.raises(IntegrityError, match="booking_slot_goes_with_state"), transaction.atomic():
        Booking.objects.filter(pk=facts.id).update(state=state, takes_slot=takes_slot)

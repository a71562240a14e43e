"""Races over one slot, and what happens where the guard is off."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from booking.domain.refusals import SlotTakenError
from booking.models import AuditEntry, Booking, as_range
from booking.services.cancel_booking import cancel_booking
from booking.services.check_in import check_in
from booking.services.settle_room import settle_room
from booking.tests.factories import NOW, at, book, hours
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import ConflictError
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 12


def at_once(*commands: Callable[[], object]) -> list[object]:
    """Run the commands in threads of their own, started together; return results or refusals."""
    start = Barrier(len(commands))

    def run(command: Callable[[], object]) -> object:
        start.wait(10)
        try:
            return command()
        except ConflictError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(commands)) as threads:
        return list(threads.map(run, commands))


def test_book__raced_for_one_slot__one_wins_and_the_rest_are_told():
    dogger, people = room(), [actor() for _ in range(CLIENTS)]
    outcomes = at_once(*(lambda p=p: book(dogger, hours(11, 12), by=p) for p in people))
    refused = [o for o in outcomes if isinstance(o, SlotTakenError)]
    assert len(refused) == CLIENTS - 1
    assert Booking.objects.count() == 1


def test_negative_control__check_then_insert_without_the_guard__stores_a_double_booking():
    """The race is real: without constraint and lock the same clients book one slot many times."""
    dogger = room()
    gate = Barrier(CLIENTS)

    def naive() -> None:
        with transaction.atomic():
            taken = Booking.objects.filter(room=dogger, during__overlap=as_range(hours(11, 12)))
            is_free = not taken.exists()
            gate.wait(10)  # every client has looked before any has written
            if is_free:
                Booking.objects.create(
                    room=dogger, during=as_range(hours(11, 12)), title="x", state="confirmed",
                    created_at=NOW,
                )  # fmt: skip

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s",
                       ["booking_no_overlap"])  # fmt: skip
        (definition,) = cursor.fetchone()
        cursor.execute("ALTER TABLE booking_booking DROP CONSTRAINT booking_no_overlap")
    try:
        at_once(*[naive] * CLIENTS)
        assert Booking.objects.count() == CLIENTS
    finally:
        Booking.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                f"ALTER TABLE booking_booking ADD CONSTRAINT booking_no_overlap {definition}"
            )


def test_check_in_and_release__at_the_grace_instant__one_outcome():
    dogger = room()
    facts = book(dogger, hours(11, 12))
    just_before, instant = FixedClock(at(11, 9)), FixedClock(at(11, 10))
    at_once(
        lambda: check_in(actor=actor(), booking_id=facts.id, clock=just_before),
        lambda: settle_room(room=dogger.uuid, clock=instant),
    )
    events = AuditEntry.objects.exclude(command="book_room").values_list("command", flat=True)
    told = {"check_in": "checked_in", "release_no_show": "released"}
    assert [told[command] for command in events] == [Booking.objects.get().state]


def test_cancel_and_rebook__raced__never_overlap():
    ann, dogger = actor(), room()
    facts = book(dogger, hours(11, 12), by=ann)
    at_once(
        lambda: cancel_booking(actor=ann, booking_id=facts.id, clock=FixedClock(NOW)),
        *(lambda p=actor(): book(dogger, hours(11, 12), by=p) for _ in range(4)),
    )
    assert Booking.objects.filter(state="confirmed").count() <= 1


def test_key__sent_in_parallel__is_one_booking_and_one_answer():
    ann, dogger = actor(), room()
    send = lambda: book(dogger, hours(11, 12), by=ann, key="k")  # noqa: E731 - one expression
    answers = at_once(*[send] * 10)
    assert len({a.id for a in answers}) == 1
    assert Booking.objects.count() == 1

"""Cases 14, 15 and 21: repeated requests, and requests from an outdated page."""

from datetime import UTC, datetime, timedelta

import pytest

from booking.commands.cancel_booking import cancel_booking
from booking.domain.errors import SlotTakenError
from booking.models import Booking, IdempotencyReceipt
from booking.repository import unavailable_intervals
from booking.tests.factories import NOW, book, hours
from booking.tests.races.contest import (
    SLOT,
    booking,
    contest_of,
)
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.idempotency import KeyReusedError
from identity.models import Role
from identity.tests.factories import actor, bearer, person
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.interval import Interval
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db(transaction=True)
CLOCK = FixedClock(NOW)


def test_case_014__request_sent_in_parallel__is_one_booking_with_one_answer():
    """The same request sent twice with one key"""
    with contest_of(8) as contest:
        [scene] = contest.rounds(of=1)
        send = booking(scene, contest.cast.ann, key="k")
        first, *others = contest.race(scene, *[send] * 8)
        assert others == [first] * 7
        assert send() == first
        assert Booking.objects.count() == 1


def test_case_014__key_with_another_body__is_refused():
    """One key for two different requests"""
    ann, dogger = actor(), room()
    book(dogger, SLOT, by=ann, key="k")
    with pytest.raises(KeyReusedError) as refused:
        book(dogger, hours(12, 13), by=ann, key="k")
    assert refused.value.code == "idempotency_key_reused"


def test_case_014__same_key_of_another_person__is_another_key():
    """The same key of two people"""
    dogger = room()
    book(dogger, SLOT, key="k")
    book(dogger, hours(12, 13), key="k")
    assert Booking.objects.count() == 2


def test_case_014__refused_request__leaves_no_receipt():
    """A refusal is not stored under the key"""
    ann, dogger = actor(), room()
    other = book(dogger, SLOT)
    with pytest.raises(SlotTakenError):
        book(dogger, SLOT, by=ann, key="k")
    assert not IdempotencyReceipt.objects.exists()
    admin = actor(role=Role.ADMIN)
    cancel_booking(actor=admin, booking_id=other.id, clock=CLOCK)
    assert book(dogger, SLOT, by=ann, key="k").organizer_id == ann.user_id


def test_case_014__key_with_another_body_by_http__is_422(client):
    """One key for two different requests is 422"""
    ann, dogger = person(), room()
    answers = [
        _post(client, ann, dogger, starts, key="k") for starts in (_tomorrow(9), _tomorrow(11))
    ]
    assert [answer.status_code for answer in answers] == [201, 422]


def test_case_015__retry_after_a_lost_answer__gets_the_answer(client):
    """The answer was lost; the retry gets it"""
    ann, dogger = person(), room()
    lost = _post(client, ann, dogger, _tomorrow(9), key="k")
    retry = _post(client, ann, dogger, _tomorrow(9), key="k")
    assert (lost.status_code, retry.status_code) == (201, 201)
    assert retry.json() == lost.json()
    assert Booking.objects.count() == 1


def test_case_021__booking_from_an_outdated_page__is_refused_with_free_alternatives(client):
    """Booked from a page that is out of date"""
    ann, dogger = person(), room()
    page = unavailable_intervals([dogger], Interval(_tomorrow(9), _tomorrow(10)), now=NOW)
    assert page == {}
    assert _post(client, person(), dogger, _tomorrow(9)).status_code == 201
    answer = _post(client, ann, dogger, _tomorrow(9))
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["code"] == "slot_taken"
    [taken] = problem["taken"]
    assert datetime.fromisoformat(taken["starts_at"]) == _tomorrow(9)
    free = [offer for offer in problem["alternatives"] if offer["room"] == str(dogger.uuid)]
    starts = datetime.fromisoformat(free[0]["starts_at"])
    assert _post(client, ann, dogger, starts).status_code == 201


def _tomorrow(hour: int) -> datetime:
    """Return an hour of tomorrow by the database's clock, which the HTTP API uses."""
    day = DATABASE_CLOCK.now().astimezone(UTC) + timedelta(days=1)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def _post(client, who, where, starts: datetime, key: str | None = None):
    body = {
        "room": str(where.uuid),
        "starts_at": starts.isoformat(),
        "ends_at": (starts + timedelta(hours=1)).isoformat(),
    }
    headers = bearer(who) | ({"Idempotency-Key": key} if key else {})
    return client.post("/api/v1/bookings", body, content_type="application/json", headers=headers)

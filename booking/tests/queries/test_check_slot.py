"""Checking a slot lists all refusals at once and writes nothing."""

from datetime import datetime, timedelta

import pytest

from booking.commands.hold_slot import hold_slot
from booking.domain.booking_request import Decision
from booking.domain.states import BookingState
from booking.models import AuditEntry, Booking
from booking.queries.check_slot import check_slot
from booking.tests.factories import NOW, at, book, hours
from identity.models import Role
from identity.queries import actor_of
from identity.tests.factories import actor, bearer, person
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, FixedClock
from meeting_rooms.kernel.errors import MeetingRoomsError
from meeting_rooms.kernel.interval import Interval
from rooms.models import Closure
from rooms.tests.factories import every_day, policy, room

pytestmark = pytest.mark.django_db


def check(one, interval, *, by=None, attendees=None, now=NOW):
    return check_slot(
        actor=by or actor(), room=one.uuid, interval=interval, attendees=attendees,
        clock=FixedClock(now),
    )  # fmt: skip


def test_check__free_slot__returns_the_decision_of_a_booking():
    found = check(room(), hours(11, 12))
    assert found.refusals == []
    assert (found.decision.state, found.decision.lapses_at) == (
        BookingState.CONFIRMED, at(11, 10)
    )  # fmt: skip
    assert not Booking.objects.exists()


def test_check__many_violations__lists_all_of_them():
    dogger, ann = room(), actor()
    stored = policy(
        dogger, hours=every_day("08:00", "14:00"), max_minutes=60, step_minutes=15,
        notice_minutes=240, gap_minutes=30, capacity_rule="refuse", bookable_by="managers",
    )  # fmt: skip
    stored.quotas.create(period="day", max_count=0)
    Closure.objects.create(room=dogger, starts_at=at(13), ends_at=None, reason="Painting")
    admin = actor(role=Role.ADMIN)
    book(dogger, hours(11, 12), by=admin)
    found = check(dogger, Interval(at(11, 50), at(13, 10)), by=ann, attendees=9)
    assert found.decision is None
    assert [(refusal["code"], refusal["source"]) for refusal in found.refusals] == [
        ("slot_taken", None),
        ("out_of_service", None),
        ("not_bookable_by_you", "room"),
        ("outside_opening_hours", "room"),
        ("too_long", "room"),
        ("length_not_in_steps", "room"),
        ("too_short_notice", "room"),
        ("quota_of_bookings", "room"),
        ("over_capacity", "room"),
    ]
    assert all(refusal["detail"].endswith(".") for refusal in found.refusals)
    assert AuditEntry.objects.count() == 1


def test_check__by_a_room_manager__flags_the_overridden_rules():
    dogger, ann = room(), person()
    policy(dogger, max_minutes=30, approval="always", managers=[ann])
    found = check(dogger, hours(11, 12), by=actor_of(ann))
    assert (found.decision.state, found.decision.flags) == (
        BookingState.CONFIRMED, ("too_long",)
    )  # fmt: skip
    past = check(dogger, hours(8, 9), by=actor_of(ann))
    assert [refusal["code"] for refusal in past.refusals] == ["in_the_past"]


def test_check__no_show_not_yet_released__is_free():
    dogger = room()
    book(dogger, Interval(at(10, 30), at(12)))
    found = check(dogger, hours(11, 12), now=at(10, 40))
    assert found.decision is not None


THEN = FixedClock(NOW)
SITUATIONS = {
    "free": lambda _dogger, _ann: None,
    "approval": lambda dogger, _ann: policy(dogger, approval="always"),
    "rules": lambda dogger, _ann: policy(dogger, max_minutes=30, notice_minutes=240),
    "closure": lambda dogger, _ann: Closure.objects.create(
        room=dogger, starts_at=at(11), ends_at=None, reason="Painting"
    ),
    "booking": lambda dogger, _ann: book(dogger, hours(11, 12)),
    "hold": lambda dogger, _ann: hold_slot(
        actor=actor(), room=dogger.uuid, interval=hours(11, 12), clock=THEN
    ),
    "own hold": lambda dogger, ann: hold_slot(
        actor=ann, room=dogger.uuid, interval=hours(11, 12), clock=THEN
    ),
    "no-show": lambda dogger, _ann: book(
        dogger, Interval(at(9, 30), at(12)), clock=FixedClock(at(9))
    ),
}


@pytest.mark.parametrize("role", [Role.STAFF, Role.ADMIN])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_check__followed_by_the_booking__gives_the_same_result(situation, role):
    dogger, ann = room(), actor(role=role)
    SITUATIONS[situation](dogger, ann)
    found = check(dogger, hours(11, 12), by=ann)
    if found.decision is None:
        with pytest.raises(MeetingRoomsError) as refused:
            book(dogger, hours(11, 12), by=ann)
        assert refused.value.code == found.refusals[0]["code"]
    else:
        one = book(dogger, hours(11, 12), by=ann)
        assert found.decision == Decision(one.state, one.takes_slot, one.lapses_at, one.flags)


def test_check__over_rest__returns_200_with_the_refusals(client):
    dogger = room()
    policy(dogger, min_minutes=30)
    day = SYSTEM_CLOCK.now() + timedelta(days=2)
    params = {"starts_at": day.isoformat(), "ends_at": (day + timedelta(minutes=10)).isoformat()}
    headers = bearer(person())
    answer = client.get(f"/api/v1/rooms/{dogger.uuid}/check", params, headers=headers).json()
    assert (answer["allowed"], answer["state"]) == (False, None)
    assert [refusal["code"] for refusal in answer["refusals"]] == ["too_short"]
    params["attendees"] = 9
    params["ends_at"] = (day + timedelta(minutes=30)).isoformat()
    answer = client.get(f"/api/v1/rooms/{dogger.uuid}/check", params, headers=headers).json()
    assert (answer["allowed"], answer["flags"]) == (True, ["over_capacity"])


def test_check__times_outside_the_supported_years__are_refused_and_not_counted(client):
    dogger = room()
    policy(dogger, gap_minutes=30, one_booking_a_day=True).quotas.create(period="day", max_count=1)
    headers = bearer(person(role=Role.ADMIN))
    for start, end in (
        ("9999-12-31T10:00", "9999-12-31T23:00"),
        ("0001-01-01T10:00", "0001-01-01T11:00"),
    ):
        answer = client.get(
            f"/api/v1/rooms/{dogger.uuid}/check",
            {"starts_at": f"{start}:00Z", "ends_at": f"{end}:00Z"}, headers=headers,
        )  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_time")
        wanted = Interval(datetime.fromisoformat(f"{start}Z"), datetime.fromisoformat(f"{end}Z"))
        assert check(dogger, wanted).refusals[0]["code"] in {"invalid_time", "in_the_past"}


def test_book__against_several_rules__lists_all_violations(client):
    dogger = room()
    policy(dogger.floor.building, min_minutes=30, hours=every_day("08:00", "08:30"))
    day = SYSTEM_CLOCK.now().replace(hour=12) + timedelta(days=2)
    body = {"room": str(dogger.uuid), "starts_at": day.isoformat(),
            "ends_at": (day + timedelta(minutes=10)).isoformat()}  # fmt: skip
    answer = client.post(
        "/api/v1/bookings", body, content_type="application/json", headers=bearer(person())
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "outside_opening_hours")
    listed = [(one["code"], one["source"]) for one in answer.json()["refusals"]]
    assert listed == [("outside_opening_hours", "building"), ("too_short", "building")]

"""Alternatives are cached for equal questions, and searched again after any change."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.commands.cancel_booking import cancel_booking
from booking.commands.close_room import CloseRoom, close_room
from booking.queries.alternatives import KEPT_FOR_S, suggest_alternatives
from booking.tests.factories import NOW, at, book, hours
from identity.models import Role
from identity.tests.factories import actor, person
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import NotFoundError
from rooms.models import Room
from rooms.tests.factories import floor, policy, room

pytestmark = pytest.mark.django_db
SLOT = hours(11, 12)
MARCH_NOW = NOW.replace(microsecond=0)


class House:
    """A building with a room whose slot is taken, and another room that is free."""

    def __init__(self) -> None:
        self.floor = floor()
        self.taken = room("Dogger", on=self.floor)
        self.free = room("Fisher", on=self.floor)
        self.ann = actor("Ann")
        self.booking = book(self.taken, SLOT, by=self.ann)

    def offers(self, *, after_s: float = 0, **options) -> list[tuple[str, str]]:
        now = MARCH_NOW + timedelta(seconds=after_s)
        found = suggest_alternatives(self.taken.uuid, SLOT, now=now, **options)
        return [(one.room.name, f"{one.interval.start:%H:%M}") for one in found]

    def queries(self, **options) -> int:
        """Return the number of queries for one answer, not counting the query for the versions."""
        with CaptureQueriesContext(connection) as caught:
            self.offers(**options)
        return len(caught)


@pytest.fixture
def house() -> House:
    return House()


def _book_the_other(house: House) -> None:
    book(house.free, SLOT)


def _cancel(house: House) -> None:
    clock = FixedClock(NOW)
    cancel_booking(actor=house.ann, booking_id=house.booking.id, clock=clock)


def _close_the_other(house: House) -> None:
    wanted = CloseRoom(house.free.uuid, at(9), at(20), "Painting")
    close_room(actor=actor(role=Role.ADMIN), wanted=wanted, clock=FixedClock(NOW))


def _change_the_rules(house: House) -> None:
    policy(house.free, max_minutes=30)


def _rename_the_other(house: House) -> None:
    Room.objects.filter(pk=house.free.pk).update(name="Viking")


def _add_a_room(house: House) -> None:
    room("Forties", on=house.floor)


def _retire_the_other(house: House) -> None:
    Room.objects.filter(pk=house.free.pk).update(is_active=False)


@pytest.mark.parametrize("change", [
    _book_the_other, _cancel, _close_the_other, _change_the_rules, _rename_the_other, _add_a_room,
    _retire_the_other,
])  # fmt: skip
def test_offers__after_any_change_in_the_building__are_searched_again(house, change):
    before = house.offers()
    assert ("Fisher", "11:00") in before
    change(house)
    assert house.offers() != before


def test_offers__same_question_again__need_only_the_query_for_the_versions(house):
    assert house.queries() > 0
    assert house.queries() == 0
    assert house.queries(person=house.ann.user_id) == 0
    assert house.queries(attendees=3) > 0


def test_offers__after_the_cache_period__are_searched_again(house):
    first = house.offers(after_s=3600 - KEPT_FOR_S)
    assert ("Dogger", "12:00") in first
    assert house.queries(after_s=3600 - 2 * KEPT_FOR_S) > 0
    assert house.queries(after_s=3600 - KEPT_FOR_S + 0.5) == 0


def test_offers__of_rooms_for_listed_people__differ_by_person(house):
    listed, other = person("Listed"), person("Other")
    policy(house.free, bookable_by="listed", bookers=[listed])
    for _ in range(2):
        assert ("Fisher", "11:00") in house.offers(person=listed.pk)
        assert ("Fisher", "11:00") not in house.offers(person=other.pk)
    assert house.queries(person=other.pk) == 0


def test_offers__for_more_people_than_seats__leave_out_the_room(house):
    policy(house.free, capacity_rule="refuse")
    assert ("Fisher", "11:00") in house.offers(attendees=8)
    assert ("Fisher", "11:00") not in house.offers(attendees=9)


def test_offers__for_an_unknown_room__are_refused_each_time(house):
    unknown = actor().user_id
    for _ in range(2):
        with pytest.raises(NotFoundError):
            suggest_alternatives(unknown, SLOT, now=NOW)

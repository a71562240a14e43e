"""Commands that read a second snapshot, at the instant and versions of the first snapshot."""

import pytest

from booking.tests.factories import NOW, book, hours
from booking.transaction.context import CommandContext
from booking.transaction.read_snapshot import SnapshotQuery
from booking.transaction.unit_of_work import read_second_snapshot, run_in_rooms
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.interval import Interval
from rooms.tests.factories import policy, room

pytestmark = pytest.mark.django_db
MORNING = SnapshotQuery(windows=(hours(10, 13),))


def test_second_snapshot__by_the_clock_of_the_database__keeps_the_instant():
    def command(tx: CommandContext) -> bool:
        before = tx.now
        read_second_snapshot(tx, MORNING)
        return tx.now == before

    assert run_in_rooms(command, rooms=[room().uuid])


def test_second_snapshot__of_a_room_that_is_booked_after_the_first_snapshot__loses_the_race():
    place, attempts = room(), []

    def command(tx: CommandContext) -> list[Interval]:
        attempts.append(tx)
        if len(attempts) == 1:
            book(place, hours(11, 12))
        read_second_snapshot(tx, MORNING)
        return [booking.interval for booking in tx.snapshot.neighbours]

    read = run_in_rooms(command, rooms=[place.uuid], clock=FixedClock(NOW))
    assert (read, len(attempts)) == ([hours(11, 12)], 2)


def test_second_snapshot__under_rules_that_change_after_the_first_snapshot__loses_the_race():
    place, attempts = room(), []

    def command(tx: CommandContext) -> int:
        attempts.append(tx)
        if len(attempts) == 1:
            policy(place, gap_minutes=15)
        read_second_snapshot(tx, MORNING)
        return tx.rooms[place.uuid].policy.gap_minutes

    gap = run_in_rooms(command, rooms=[place.uuid], clock=FixedClock(NOW))
    assert (gap, len(attempts)) == (15, 2)

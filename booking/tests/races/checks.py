"""The consistency checks of rooms after a race; each fault is one text."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from django.db import connection
from django.db.models import Max

from booking.domain.booking_data import BookingData
from booking.models import AuditEntry, Booking
from booking.series.domain.series_data import SeriesReport
from meeting_rooms.kernel.errors import MeetingRoomsError, UnavailableError
from rooms.models import Closure, Room

OVERLAPS = """
SELECT one.id, other.id FROM booking_booking AS one JOIN booking_booking AS other
ON one.id < other.id AND one.units && other.units AND one.during && other.during
WHERE one.takes_slot AND other.takes_slot AND one.room_id = ANY(%s)
"""
IN_A_CLOSURE = """
SELECT booking.id FROM booking_booking AS booking JOIN rooms_closure AS closure
ON closure.room_id = booking.room_id
   AND booking.during && tstzrange(closure.starts_at, closure.ends_at)
WHERE booking.takes_slot AND booking.room_id = ANY(%s)
"""
WAITING_FOR_A_FREE_SLOT = """
SELECT waiting.id FROM rooms_room AS room JOIN booking_waitingentry AS waiting
ON waiting.room_id = room.id AND waiting.closed_at IS NULL AND waiting.offer_id IS NULL
WHERE room.id = ANY(%s)
  AND NOT EXISTS (
    SELECT FROM booking_booking AS booking
    WHERE booking.takes_slot AND booking.during && waiting.during
      AND booking.units && coalesce(room.units, int8range(room.id, room.id, '[]')))
  AND NOT EXISTS (
    SELECT FROM rooms_closure AS closure
    WHERE closure.room_id = room.id
      AND waiting.during && tstzrange(closure.starts_at, closure.ends_at))
"""
WRITES = """
SELECT count(DISTINCT xmin::text) FROM booking_auditentry
WHERE id > %(after)s AND (room_id = %(room)s OR (before->>'room_id')::bigint = %(room)s)
"""


class Before(NamedTuple):
    """The rooms' versions and the last audit entry before a race."""

    versions: dict[int, int]
    last_entry: int

    @classmethod
    def race(cls, rooms: Iterable[Room]) -> "Before":
        last = AuditEntry.objects.aggregate(last=Max("pk"))["last"]
        return cls(versions_of(room.pk for room in rooms), last or 0)


def versions_of(ids: Iterable[int]) -> dict[int, int]:
    """Return the rooms' versions, by which screens and recovery notice changes."""
    found = Room.objects.filter(pk__in=list(ids))
    return dict(found.values_list("pk", "schedule_version"))


def faults(before: Before, outcomes: Iterable[object]) -> list[str]:
    """Return the faults in the rooms after a race with these outcomes."""
    ids = list(before.versions)
    outcomes = list(outcomes)
    found = [*_errors(outcomes), *_double_bookings(ids), *_unstored_answers(outcomes)]
    return [*found, *_broken_histories(ids), *_wrong_versions(before, outcomes)]


def _errors(outcomes: Iterable[object]) -> Iterator[str]:
    for outcome in outcomes:
        is_refused = isinstance(outcome, MeetingRoomsError)
        if isinstance(outcome, UnavailableError) or (
            isinstance(outcome, Exception) and not is_refused
        ):
            yield f"failed: {type(outcome).__name__}: {outcome}"


def _double_bookings(ids: list[int]) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(OVERLAPS, [ids])
        yield from (f"double booking: {pair}" for pair in cursor.fetchall())
        cursor.execute(WAITING_FOR_A_FREE_SLOT, [ids])
        yield from (f"waits for a free slot: {pk}" for (pk,) in cursor.fetchall())
        if Closure.objects.filter(room_id__in=ids).exists():
            cursor.execute(IN_A_CLOSURE, [ids])
            yield from (f"booked while closed: {pk}" for (pk,) in cursor.fetchall())


def _reported_bookings(outcomes: Iterable[object]) -> Iterator[BookingData]:
    for outcome in outcomes:
        if isinstance(outcome, BookingData):
            yield outcome
        elif isinstance(outcome, SeriesReport):
            yield from (*outcome.booked, *outcome.cancelled)
        elif isinstance(outcome, tuple):
            yield from _reported_bookings(outcome)


def _unstored_answers(outcomes: Iterable[object]) -> Iterator[str]:
    """Yield a fault for each booking in an outcome that was not stored exactly so, once."""
    for facts in _reported_bookings(outcomes):
        entries = AuditEntry.objects.filter(booking_id=facts.id, after__version=facts.version)
        if [BookingData.from_row(entry.after) for entry in entries] != [facts]:
            yield f"told but not stored: {facts}"


def _broken_histories(ids: list[int]) -> Iterator[str]:
    """Yield a fault for each booking whose log is not a chain that ends in its stored values."""
    stored = {
        b.id: b.as_data() for b in Booking.objects.filter(room__in=ids).select_related("room")
    }
    logs: dict[object, list[AuditEntry]] = {}
    for entry in AuditEntry.objects.filter(booking_id__in=stored):
        logs.setdefault(entry.booking_id, []).append(entry)
    for booking_id, entries in logs.items():
        entries.sort(key=lambda entry: entry.after["version"])
        follows = all(late.before == early.after for early, late in pairwise(entries))
        if not follows or BookingData.from_row(entries[-1].after) != stored[booking_id]:
            yield f"lost update: {[(e.command, e.after['version']) for e in entries]}"


def _wrong_versions(before: Before, outcomes: list[object]) -> Iterator[str]:
    """Yield a fault for each room whose version rose less than its transactions, or too much."""
    acknowledged = sum(not isinstance(outcome, Exception) for outcome in outcomes)
    changes = AuditEntry.objects.filter(pk__gt=before.last_entry).count()
    after = versions_of(before.versions)
    for pk, version in before.versions.items():
        rise = after[pk] - version
        with connection.cursor() as cursor:
            cursor.execute(WRITES, {"room": pk, "after": before.last_entry})
            [transactions] = cursor.fetchone()
        if not transactions <= rise <= changes + acknowledged:
            yield f"version rose by {rise} for {transactions} transactions, {changes} changes"

"""Demo bookings for a realistic week around now.

Rooms are busier in local working hours and never all empty at night, so that the demo shows
activity at any hour; only a building with opening hours is empty outside them. All bookings are
inserted together, not by one command per booking; the exclusion constraint prevents overlaps.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from booking.domain.changes import local_time
from booking.domain.policy_checks import check_in_deadline
from booking.domain.states import BookingState
from booking.models import Booking, as_range
from identity.models import User
from meeting_rooms.dev.demo.campus import CLOSED_REASON, CLOSED_ROOM, TITLES
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import EffectivePolicy
from rooms.domain.opening_hours import is_open_throughout
from rooms.models import Closure, Room
from rooms.places.mark_rooms_changed import mark_rooms_changed
from rooms.policies.cache import current_room_policies
from rooms.queries import active_rooms, zone_of

DAYS_BEFORE, DAYS_AFTER = timedelta(days=2), timedelta(days=5)
QUARTER = timedelta(minutes=15)
DURATIONS = (QUARTER * 2, QUARTER * 2, QUARTER * 3, QUARTER * 4, QUARTER * 4, QUARTER * 6)
PAUSES_AT_WORK = (QUARTER * 0, QUARTER, QUARTER * 2, QUARTER * 3, QUARTER * 6)
PAUSES_AT_REST = (QUARTER * 2, QUARTER * 4, QUARTER * 6, QUARTER * 10)
WORKING_HOURS = range(8, 18)
WEEKEND = (5, 6)
PRIVATE_SHARE = 0.08
SEED = 20  # a fixed seed, so every demo has the same bookings relative to its date


def fill_week(*, people: Sequence[User], clock: Clock) -> None:
    """Create bookings in every room for the week around now, and a closure of CLOSED_ROOM."""
    chance = random.Random(SEED)  # noqa: S311 - a demo, not a secret
    now = clock.now()
    rooms = list(active_rooms())
    rules = {known.uuid: known for known in current_room_policies([room.uuid for room in rooms])}
    with transaction.atomic():
        for room in rooms:
            if room.name == CLOSED_ROOM:
                Closure.objects.create(
                    room=room,
                    starts_at=now - timedelta(hours=2),
                    ends_at=_next_quarter(now) + timedelta(days=1),
                    reason=CLOSED_REASON,
                )
                continue
            Booking.objects.bulk_create(
                _booking(room, interval, chance.choice(people), now=now, chance=chance)
                for interval in _intervals(zone_of(room), now, chance)
                if is_open_throughout(rules[room.uuid].policy, zone_of(room), interval)
            )
        mark_rooms_changed([room.pk for room in rooms])


def _intervals(zone: ZoneInfo, now: datetime, chance: random.Random) -> Iterator[Interval]:
    cursor = _next_quarter(now - DAYS_BEFORE) + QUARTER * chance.randrange(6)
    while cursor < now + DAYS_AFTER:
        end = cursor + chance.choice(DURATIONS)
        yield Interval(cursor, end)
        local = end.astimezone(zone)
        is_work = local.weekday() not in WEEKEND and local.hour in WORKING_HOURS
        cursor = end + chance.choice(PAUSES_AT_WORK if is_work else PAUSES_AT_REST)


def _booking(
    room: Room, interval: Interval, person: User, *, now: datetime, chance: random.Random
) -> Booking:
    has_begun, zone = interval.start <= now, zone_of(room)
    return Booking(
        room=room,
        during=as_range(interval),
        title=chance.choice(TITLES),
        organizer=person,
        organizer_name=person.display_name,
        is_private=chance.random() < PRIVATE_SHARE,
        state=BookingState.CHECKED_IN if has_begun else BookingState.CONFIRMED,
        lapses_at=check_in_deadline(interval, EffectivePolicy(), now=now),
        local_start=local_time(interval.start, zone),
        local_end=local_time(interval.end, zone),
        created_at=now,
    )


def _next_quarter(at: datetime) -> datetime:
    """Return the first full quarter of an hour after `at`."""
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0) + QUARTER

"""Queries for bookings.

A booking takes no slot after its `lapses_at`, also if no command has expired the booking yet.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from booking.domain.booking_data import BookingData
from booking.domain.policy_checks import interval_to_read, shortest_length
from booking.domain.states import BookingState
from booking.models import Booking, Series, as_range
from meeting_rooms.kernel.errors import NotFoundError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy
from rooms.models import Closure, Room
from rooms.policies.cache import current_room_policies, room_policies
from rooms.queries import active_rooms, closures_during, rooms_sharing_floor

ONE_DAY = timedelta(days=1)  # the longest extension that `time_until_taken` returns
LATELY = timedelta(days=60)  # a no-show further back does not start a review of its series


def taking_the_slot(now: datetime) -> Q:
    """Return the condition for bookings that take their slot at `now`."""
    return Q(takes_slot=True) & (Q(lapses_at=None) | Q(lapses_at__gt=now))


def bookings_during(interval: Interval, *, now: datetime) -> QuerySet[Booking]:
    """Return the bookings that take a part of `interval`, earliest first."""
    return (
        Booking.objects.select_related("room")
        .filter(taking_the_slot(now), during__overlap=as_range(interval))
        .order_by("during", "pk")
    )


def rooms_with_something_due(*, now: datetime) -> list[UUID]:
    """Return the active rooms with a due booking: a no-show, hold or request to expire."""
    due = Booking.objects.filter(lapses_at__lte=now, room__is_active=True)
    return list(due.values_list("room__uuid", flat=True).distinct())


def get_booking(booking_id: UUID) -> Booking:
    """Return one booking, in any state. Raises NotFoundError for an unknown id."""
    booking = Booking.objects.select_related("room").filter(pk=booking_id).first()
    if booking is None:
        raise NotFoundError(f"There is no booking {booking_id}.")
    return booking


def parts_of(booking_id: UUID) -> list[BookingData]:
    """Return the booking and, for a multi-room booking, its parts in the other active rooms.

    Raises NotFoundError for an unknown id.
    """
    group = Booking.objects.filter(pk=booking_id).values("group_id")
    parts = Booking.objects.select_related("room").filter(
        Q(pk=booking_id) | Q(group_id__in=group, room__is_active=True)
    )
    found = [part.as_data() for part in parts.order_by("room_id", "pk")]
    if not found:
        raise NotFoundError(f"There is no booking {booking_id}.")
    return found


def pending_rivals(booking: BookingData, room: RoomPolicy) -> list[BookingData]:
    """Return the other requests for a part of this slot, which an approval of `booking` rejects."""
    rivals = Booking.objects.select_related("room").filter(
        room_id__in=room.related,
        room__is_active=True,
        state=BookingState.PENDING,
        during__overlap=as_range(booking.interval),
    )
    return [rival.as_data() for rival in rivals.exclude(pk=booking.id).order_by("created_at", "pk")]


def series_to_review(*, now: datetime) -> list[UUID]:
    """Return the series with future dates that had a no-show lately."""
    own = Booking.objects.filter(series=OuterRef("pk"))
    missed = own.filter(state=BookingState.RELEASED, during__startswith__gt=now - LATELY)
    ahead = own.filter(takes_slot=True, during__startswith__gt=now)
    return list(Series.objects.filter(Exists(missed), Exists(ahead)).values_list("pk", flat=True))


def time_until_taken(booking: BookingData, *, now: datetime) -> timedelta:
    """Return how long the room stays free after this booking, less the gap; the maximum is a day.

    The result is zero if the next booking leaves no time.
    """
    [room] = room_policies([booking.room])
    window = Interval(booking.interval.end, booking.interval.end + ONE_DAY)
    following = bookings_during(window, now=now).filter(room_id__in=room.related)
    gap = timedelta(minutes=room.policy.gap_minutes)
    starts = [b.interval.start - gap for b in following.exclude(pk=booking.id)]
    free_until = min(starts, default=window.end)
    return max(free_until - booking.interval.end, timedelta(0))


def unavailable_intervals(
    rooms: Sequence[Room], interval: Interval, *, now: datetime
) -> dict[int, list[Interval]]:
    """Return the booked and closed intervals by room id, within `interval`. Three queries."""
    taken: dict[int, list[Interval]] = defaultdict(list)
    for room_id, bookings in bookings_of(rooms, interval, now=now).items():
        taken[room_id] += [booking.interval for booking in bookings]
    for room_id, closures in closures_of(rooms, interval).items():
        taken[room_id] += [Interval(c.starts_at, c.ends_at or interval.end) for c in closures]
    return taken


def bookings_of(
    rooms: Sequence[Room], interval: Interval, *, now: datetime
) -> dict[int, list[Booking]]:
    """Return by room id the bookings that take a part of `interval`, earliest first.

    A booking of a divisible hall also takes its parts, and the other way round. Two queries.
    """
    blocked_by = rooms_sharing_floor(rooms)
    found: dict[int, list[Booking]] = defaultdict(list)
    for booking in bookings_during(interval, now=now).filter(room__in=blocked_by):
        for room_id in blocked_by[booking.room_id]:
            found[room_id].append(booking)
    return found


def closures_of(rooms: Iterable[Room], interval: Interval) -> dict[int, list[Closure]]:
    """Return by room id the closures that overlap `interval`, earliest first.

    A closure of a divisible hall also closes its parts, and the other way round. Two queries.
    """
    closed_by = rooms_sharing_floor(rooms)
    found: dict[int, list[Closure]] = defaultdict(list)
    for closure in closures_during(closed_by, interval.start, interval.end):
        for room_id in closed_by[closure.room_id]:
            found[room_id].append(closure)
    return found


def bookings_in_the_way(room: Room, interval: Interval, *, now: datetime) -> QuerySet[Booking]:
    """Return the bookings that a closure in `interval` affects, earliest first.

    Bookings that are over are not affected. Holds are left out, because a closure releases them.
    """
    blocked_by = [pk for pk, taken in rooms_sharing_floor([room]).items() if taken]
    met = bookings_during(interval, now=now).filter(room__in=blocked_by)
    return met.filter(during__endswith__gt=now).exclude(state=BookingState.HELD)


@dataclass(frozen=True, slots=True)
class RoomSchedule:
    """A room with its rules, bookings and closures, all read at `room.schedule_version`.

    `bookings` and `closures` are all that the screens show and all that the `rules` need.
    """

    room: Room
    rules: RoomPolicy
    features: tuple[str, ...]
    bookings: tuple[Booking, ...]
    closures: tuple[Closure, ...]


def read_schedules(
    room_uuids: Collection[UUID], interval: Interval, *, now: datetime
) -> dict[UUID, RoomSchedule]:
    """Return the schedules of the active rooms among these, by room, with their versions.

    All reads see one repeatable-read snapshot, so a version never comes with bookings or rules of a
    later version. Six queries for any number of rooms; more after a change of rules. Besides
    `interval`, the schedules cover the time that the rules need to evaluate a booking from `now`.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        rooms = list(active_rooms().filter(uuid__in=room_uuids).prefetch_related("features"))
        rules = {
            known.uuid: known for known in current_room_policies([room.uuid for room in rooms])
        }
        around = _around(interval, rules.values(), now)
        bookings = bookings_of(rooms, around, now=now)
        closures = closures_of(rooms, around)
    return {
        room.uuid: RoomSchedule(
            room=room,
            rules=rules[room.uuid],
            features=tuple(feature.slug for feature in room.features.all()),
            bookings=tuple(bookings.get(room.pk, ())),
            closures=tuple(closures.get(room.pk, ())),
        )
        for room in rooms
    }


def _around(interval: Interval, rooms: Iterable[RoomPolicy], now: datetime) -> Interval:
    """Return `interval`, extended to the time that the rules of these rooms need."""
    wanted = (interval_to_read(Interval(now, now + shortest_length(r.policy)), r) for r in rooms)
    every = [interval, *wanted]
    return Interval(min(one.start for one in every), max(one.end for one in every))

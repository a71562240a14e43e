"""Reads of bookings. What is past its grace instant is free here, whether released yet or not."""

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

ONE_DAY = timedelta(days=1)
LATELY = timedelta(days=60)


def taking_the_slot(now: datetime) -> Q:
    """Return the condition of a booking that still takes its slot at `now`."""
    return Q(takes_slot=True) & (Q(lapses_at=None) | Q(lapses_at__gt=now))


def bookings_during(interval: Interval, *, now: datetime) -> QuerySet[Booking]:
    """Return the bookings that take a part of `interval`, earliest first."""
    return (
        Booking.objects.select_related("room")
        .filter(taking_the_slot(now), during__overlap=as_range(interval))
        .order_by("during", "pk")
    )


def rooms_with_something_due(*, now: datetime) -> list[UUID]:
    """Return the rooms in use with a no-show, hold or request whose time has run out unsettled."""
    due = Booking.objects.filter(lapses_at__lte=now, room__is_active=True)
    return list(due.values_list("room__uuid", flat=True).distinct())


def get_booking(booking_id: UUID) -> Booking:
    """Return one booking in whatever state. Raises NotFoundError."""
    booking = Booking.objects.select_related("room").filter(pk=booking_id).first()
    if booking is None:
        raise NotFoundError(f"There is no booking {booking_id}.")
    return booking


def parts_of(booking_id: UUID) -> list[BookingData]:
    """Return the booking and, where it has several rooms, its parts in the others in use.

    Raises NotFoundError.
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
    """Return the other requests for a part of this slot, which approving this one would reject."""
    rivals = Booking.objects.select_related("room").filter(
        room_id__in=room.related,
        room__is_active=True,
        state=BookingState.PENDING,
        during__overlap=as_range(booking.interval),
    )
    return [rival.as_data() for rival in rivals.exclude(pk=booking.id).order_by("created_at", "pk")]


def rooms_of_series(series_id: UUID) -> set[UUID]:
    """Return the rooms in use that dates of the series take place in."""
    own = Booking.objects.filter(series_id=series_id, room__is_active=True)
    return set(own.values_list("room__uuid", flat=True).distinct())


def series_to_review(*, now: datetime) -> list[UUID]:
    """Return the series with dates to come to which nobody came lately."""
    own = Booking.objects.filter(series=OuterRef("pk"))
    missed = own.filter(state=BookingState.RELEASED, during__startswith__gt=now - LATELY)
    ahead = own.filter(takes_slot=True, during__startswith__gt=now)
    return list(Series.objects.filter(Exists(missed), Exists(ahead)).values_list("pk", flat=True))


def time_until_taken(booking: BookingData, *, now: datetime) -> timedelta:
    """Return how much longer the room stays free once this booking ends, gaps kept; a day at most.

    Zero where the next one begins at once.
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
    """Return by room id when each room is booked or closed within `interval`. Three queries."""
    taken: dict[int, list[Interval]] = defaultdict(list)
    for room_id, bookings in bookings_of(rooms, interval, now=now).items():
        taken[room_id] += [booking.interval for booking in bookings]
    for room_id, closures in closures_of(rooms, interval).items():
        taken[room_id] += [Interval(c.starts_at, c.ends_at or interval.end) for c in closures]
    return taken


def bookings_of(
    rooms: Sequence[Room], interval: Interval, *, now: datetime
) -> dict[int, list[Booking]]:
    """Return by room id the bookings that take a part of `interval` from it, earliest first.

    The parts of a divisible hall take from the hall, and the hall from its parts. Two queries.
    """
    blocked_by = rooms_sharing_floor(rooms)
    found: dict[int, list[Booking]] = defaultdict(list)
    for booking in bookings_during(interval, now=now).filter(room__in=blocked_by):
        for room_id in blocked_by[booking.room_id]:
            found[room_id].append(booking)
    return found


def closures_of(rooms: Iterable[Room], interval: Interval) -> dict[int, list[Closure]]:
    """Return by room id the closures that take a part of `interval` from it, earliest first.

    A hall is closed where one of its parts is, and its parts where the hall is. Two queries.
    """
    closed_by = rooms_sharing_floor(rooms)
    found: dict[int, list[Closure]] = defaultdict(list)
    for closure in closures_during(closed_by, interval.start, interval.end):
        for room_id in closed_by[closure.room_id]:
            found[room_id].append(closure)
    return found


def bookings_in_the_way(room: Room, interval: Interval, *, now: datetime) -> QuerySet[Booking]:
    """Return the bookings that a closure in `interval` would meet, earliest first.

    What is over stays, and holds are let go.
    """
    blocked_by = [pk for pk, taken in rooms_sharing_floor([room]).items() if taken]
    met = bookings_during(interval, now=now).filter(room__in=blocked_by)
    return met.filter(during__endswith__gt=now).exclude(state=BookingState.HELD)


@dataclass(frozen=True, slots=True)
class RoomSchedule:
    """A room with what its screens show, all from one snapshot at `room.schedule_version`.

    `bookings` and `closures` are all that its `rules` look at, too.
    """

    room: Room
    rules: RoomPolicy
    features: tuple[str, ...]
    bookings: tuple[Booking, ...]
    closures: tuple[Closure, ...]


def read_schedules(
    room_uuids: Collection[UUID], interval: Interval, *, now: datetime
) -> dict[UUID, RoomSchedule]:
    """Return the schedules of those of the rooms that are in use, with the versions they had then.

    One repeatable-read snapshot: a version never comes with bookings or rules of a later one. Six
    queries, however many rooms; more after a change of rules. What the rules look at to judge a
    booking from `now` on is read besides `interval`.
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
    """Return `interval` with all that the rules of these rooms look at."""
    wanted = (interval_to_read(Interval(now, now + shortest_length(r.policy)), r) for r in rooms)
    every = [interval, *wanted]
    return Interval(min(one.start for one in every), max(one.end for one in every))

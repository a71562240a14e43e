"""Bookings by intent. It is Thursday 12 March 2026, 10:00 UTC if the caller gives no other time."""

from datetime import UTC, datetime, timedelta

from booking.commands.book_room import BookRooms, book_room
from booking.domain.booking_data import BookingData
from booking.exchange.ical.events import CalendarEvent
from identity.tests.factories import actor
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock, FixedClock
from meeting_rooms.kernel.interval import Interval
from rooms.models import Room

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)


def at(hour: int, minute: int = 0, *, day: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def hours(start: int, end: int) -> Interval:
    return Interval(at(start), at(end))


def book(
    room: Room,
    interval: Interval,
    *,
    by: Actor | None = None,
    clock: Clock | None = None,
    title: str = "",
    private: bool = False,
    key: str | None = None,
) -> BookingData:
    return book_room(
        actor=by or actor(),
        wanted=BookRooms.one(room.uuid, interval, title, private),
        idempotency_key=key,
        clock=clock or FixedClock(NOW),
    )


def soon(minutes: int, length: int = 30) -> Interval:
    """Return an interval that starts `minutes` minutes after NOW."""
    start = NOW + timedelta(minutes=minutes)
    return Interval(start, start + timedelta(minutes=length))


def calendar_event(uid: str, interval: Interval, *, is_cancelled: bool = False) -> CalendarEvent:
    return CalendarEvent(
        uid=uid,
        location="",
        start=interval.start,
        end=interval.end,
        title="Talk",
        organizer="Eve",
        is_private=False,
        is_cancelled=is_cancelled,
    )

"""Query: bookings as rows of a table, redacted for a viewer. Used by the command and the API."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from booking.domain.privacy import BUSY_TITLE
from booking.domain.states import BookingState
from booking.exchange.csv.table import TableRow
from booking.exchange.export_calendar import is_readable
from booking.models import Booking, as_range
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.interval import Interval

BATCH_ROWS = 1000  # rows read from the database at a time, to bound memory
A_DAY = timedelta(days=1)


def bookings_around(first: date, last: date) -> QuerySet[Booking]:
    """Return the bookings of these days in every time zone. `table_rows` checks the room's zone."""
    start = datetime.combine(first, time(0), UTC) - A_DAY
    end = datetime.combine(last, time(0), UTC) + 2 * A_DAY
    return (
        Booking.objects.select_related("room__floor__building", "organizer")
        .filter(during__overlap=as_range(Interval(start, end)))
        .exclude(state__in=[BookingState.HELD, BookingState.LAPSED])
        .order_by("during", "pk")
    )


def table_rows(
    found: QuerySet[Booking], viewer: Actor, first: date, last: date
) -> Iterator[TableRow]:
    """Yield a row for each booking that begins on one of these days, local in its room."""
    for booking in found.iterator(chunk_size=BATCH_ROWS):
        house = booking.room.floor.building
        zone = ZoneInfo(house.timezone)
        if not first <= booking.interval.start.astimezone(zone).date() <= last:
            continue
        readable = is_readable(booking, viewer)
        yield TableRow(
            id=str(booking.pk),
            room=booking.room.name,
            building=house.slug,
            interval=booking.interval,
            zone=zone,
            title=booking.title if readable else BUSY_TITLE,
            organizer=booking.organizer_name if readable else "",
            organizer_email=booking.organizer.email if readable and booking.organizer else "",
            state=booking.state,
            is_private=booking.is_private,
            attendees=str(booking.attendees) if readable and booking.attendees else "",
        )

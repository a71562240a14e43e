"""Match the dates of a changed series with its stored bookings. Pure.

Past and running dates never change. A date that was deleted or refused, or that lost its slot,
stays without a booking. A date that was moved by hand keeps its time unless the caller asks to move
such dates.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from booking.domain.booking_data import BookingData
from booking.series.domain.occurrences import Occurrence
from meeting_rooms.kernel.local_time import interval_of, resolve


@dataclass(slots=True)
class Reschedule:
    """The dates of a changed series, grouped by what happens to each date.

    `moving` pairs a new occurrence with the booking that moves there, or with None for a new
    booking. `carried` pairs an occurrence with a booking that keeps its slot and gets the new
    name. `skipped` maps the new name of a date without booking to its old name. `dropped` are
    bookings on dates that the rule no longer has.
    """

    moving: list[tuple[Occurrence, BookingData | None]] = field(default_factory=list)
    carried: list[tuple[Occurrence, BookingData]] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    dropped: list[BookingData] = field(default_factory=list)


def reschedule(
    occurrences: Iterable[Occurrence],
    stored: Iterable[BookingData],
    skipped: Iterable[str],
    *,
    room: UUID | None,
    zone: ZoneInfo,
    moves_exceptions: bool,
) -> Reschedule:
    """Match new occurrences with stored bookings by local date: a rule has at most one date a day.

    `stored` and `skipped` are the bookings and skipped dates to come, from the first changed date
    on. `room` is the new room; None keeps each date in its own room.
    """
    by_date = {_named(booking).date(): booking for booking in stored}
    without_booking = {datetime.fromisoformat(name).date(): name for name in skipped}
    plan = Reschedule()
    for regular in occurrences:
        occurrence = regular
        day = occurrence.recurrence_id.date()
        if (old_name := without_booking.get(day)) is not None:
            plan.skipped[occurrence.recurrence_id.isoformat()] = old_name
            continue
        booking = by_date.pop(day, None)
        if booking and is_exception(booking, zone):
            occurrence = _shifted(occurrence, booking, zone)
        is_fixed = booking and is_exception(booking, zone) and not moves_exceptions
        if booking and (is_fixed or _stays(booking, occurrence, room)):
            plan.carried.append((occurrence, booking))
        else:
            plan.moving.append((occurrence, booking))
    plan.dropped = [booking for booking in by_date.values() if booking.is_live]
    return plan


def is_exception(booking: BookingData, zone: ZoneInfo) -> bool:
    """Return whether the booking starts at another time than its rule gives in `zone`."""
    return booking.interval.start not in resolve(_named(booking), zone).choices


def _stays(booking: BookingData, occurrence: Occurrence, room: UUID | None) -> bool:
    is_there = booking.interval == occurrence.interval and room in (None, booking.room)
    return not booking.is_live or is_there


def _shifted(occurrence: Occurrence, booking: BookingData, zone: ZoneInfo) -> Occurrence:
    """Return the occurrence of a booking that was moved by hand: its own time plus the shift."""
    start, end = (datetime.fromisoformat(at) for at in (booking.local_start, booking.local_end))
    by = occurrence.recurrence_id - _named(booking)
    return replace(occurrence, interval=interval_of(start + by, end + by, zone))


def _named(booking: BookingData) -> datetime:
    return datetime.fromisoformat(booking.recurrence_id or booking.local_start)

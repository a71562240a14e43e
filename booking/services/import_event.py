"""Command: bring events of a calendar in, or up to date."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from booking.clock import DATABASE_CLOCK
from booking.domain.rules import clean_title
from booking.domain.states import BookingState
from booking.models import Booking, as_range
from booking.services.room_transaction import RoomTransaction, room_transaction
from booking.services.slots import insert_booking, move_booking
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.interval import Interval

MAX_ORGANIZER_LENGTH = 100


class ImportOutcome(StrEnum):
    """What an import did with one event."""

    CREATED = "created"
    UPDATED = "updated"
    CANCELLED = "cancelled"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One event of a calendar, its room known."""

    uid: str
    room: UUID
    interval: Interval
    title: str
    organizer: str
    is_private: bool
    is_cancelled: bool


def import_event(
    *, actor: Actor, event: CalendarEvent, clock: Clock = DATABASE_CLOCK
) -> ImportOutcome:
    """Store the event, move the booking that came from it, or find nothing to do.

    The calendar is taken as it is, past or future: people's booking rules do not apply and no
    check-in is asked for; the exclusion constraint and closures do apply. A booking that was
    cancelled here stays cancelled.
    Raises: SlotTakenError, RoomClosedError, InvalidCommandError for the title, NotFoundError for
    the room; then the event's booking is as it was.
    """
    with room_transaction(_rooms_touched([event]), clock=clock) as tx:
        booking = _booking_of(event)
        if booking is not None:
            return _update(tx, actor, event, booking)
        return ImportOutcome.UNCHANGED if event.is_cancelled else _create(tx, actor, event)


def import_events_together(
    *, actor: Actor, events: Sequence[CalendarEvent], clock: Clock = DATABASE_CLOCK
) -> list[ImportOutcome]:
    """Bring several events in or up to date at once, all or none.

    For events that stand in each other's way, such as two talks that swapped rooms: every slot is
    given back first, inside the transaction, and then each new one is taken.
    Raises what `import_event` raises; then every booking is as it was.
    """
    with room_transaction(_rooms_touched(events), clock=clock) as tx:
        bookings = {event.uid: _booking_of(event) for event in events}
        parked = [b for b in bookings.values() if b and b.state != BookingState.CANCELLED]
        parked_ids = [booking.pk for booking in parked]
        Booking.objects.filter(pk__in=parked_ids).update(state=BookingState.CANCELLED)
        outcomes = []
        for event in events:
            booking = bookings[event.uid]
            outcomes.append(
                _update(tx, actor, event, booking) if booking else _create(tx, actor, event)
            )
            if booking in parked and outcomes[-1] is ImportOutcome.UNCHANGED:
                move_booking(booking)  # takes its own slot again
        return outcomes


def _rooms_touched(events: Sequence[CalendarEvent]) -> set[UUID]:
    known = Booking.objects.filter(external_uid__in=[event.uid for event in events])
    return {*(event.room for event in events), *known.values_list("room__uuid", flat=True)}


def _booking_of(event: CalendarEvent) -> Booking | None:
    return Booking.objects.select_related("room").filter(external_uid=event.uid).first()


def _create(tx: RoomTransaction, actor: Actor, event: CalendarEvent) -> ImportOutcome:
    booking = Booking(
        external_uid=event.uid,
        state=BookingState.CONFIRMED,
        created_at=tx.now,
        **_fields(tx, event),
    )
    insert_booking(booking)
    tx.audit(actor=actor, command="import_event", before=None, after=booking.facts())
    return ImportOutcome.CREATED


def _update(
    tx: RoomTransaction, actor: Actor, event: CalendarEvent, booking: Booking
) -> ImportOutcome:
    before = booking.facts()
    if before.state is BookingState.CANCELLED:
        return ImportOutcome.UNCHANGED
    if event.is_cancelled:
        booking.state = BookingState.CANCELLED
        outcome = ImportOutcome.CANCELLED
    else:
        for name, value in _fields(tx, event).items():
            setattr(booking, name, value)
        outcome = ImportOutcome.UPDATED
    after = booking.facts()
    if after == before:
        return ImportOutcome.UNCHANGED
    move_booking(booking)
    tx.audit(actor=actor, command="import_event", before=before, after=after)
    return outcome


def _fields(tx: RoomTransaction, event: CalendarEvent) -> dict[str, Any]:
    return {
        "room": tx.rooms[event.room],
        "during": as_range(event.interval),
        "title": clean_title(event.title),
        "organizer_name": event.organizer[:MAX_ORGANIZER_LENGTH],
        "is_private": event.is_private,
    }

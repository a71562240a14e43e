"""Command: create, update or cancel the bookings of calendar events."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import Q, QuerySet

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest, Decision
from booking.domain.changes import Details, draft, moved, with_decision, without_slot
from booking.domain.policy_checks import refuse_closed, refuse_endless, refuse_taken
from booking.domain.policy_checks.hard_limits import FIRST_YEAR, LAST_YEAR, is_countable
from booking.domain.states import STATES_THAT_MAY_TAKE_THE_SLOT, BookingState
from booking.domain.titles import clean_title
from booking.exchange.ical.events import CalendarEvent
from booking.models import Booking
from booking.transaction.context import CommandContext
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.read_snapshot import SnapshotQuery
from booking.transaction.unit_of_work import run_in_rooms
from booking.transaction.write_changes import Change
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy
from rooms.models import Room

MAX_ORGANIZER_LENGTH = 100  # characters, the size of the column `Booking.organizer_name`
WITHOUT_CHECK_IN = Decision(BookingState.CONFIRMED, takes_slot=True, lapses_at=None)
EventInRoom = tuple[UUID, CalendarEvent]  # the room that was found for the event, and the event


class ImportOutcome(StrEnum):
    """The result of the import of one event."""

    CREATED = "created"
    UPDATED = "updated"
    CANCELLED = "cancelled"
    UNCHANGED = "unchanged"


def import_event(
    *, actor: Actor, room: UUID, event: CalendarEvent, clock: Clock = DATABASE_CLOCK
) -> ImportOutcome:
    """Create, update or cancel the booking of an event in its room. Return what was done.

    Past and future events are imported. The policy of the room does not apply, and no check-in is
    required. Other bookings, closures and the maximum length of a booking do apply. A booking that
    was cancelled or released here stays so. A booking that was moved here is moved back and then
    requires no check-in.
    Raises SlotTakenError if another booking has the slot; RoomClosedError if the room is closed;
    InvalidCommandError for a bad title, `too_long` and `invalid_time`; NotFoundError if there is no
    such room. After an error the booking of the event is unchanged.
    """
    [outcome] = import_events_together(actor=actor, events=[(room, event)], clock=clock)
    return outcome


def import_events_together(
    *, actor: Actor, events: Sequence[EventInRoom], clock: Clock = DATABASE_CLOCK
) -> list[ImportOutcome]:
    """Import several events in one transaction, all or none. Return what was done with each.

    Events that block each other, such as two talks that swapped rooms, are moved together.
    Raises the errors of `import_event`. After an error every booking is unchanged.
    """

    def run(tx: CommandContext) -> list[ImportOutcome]:
        known = _bookings_of(events)
        own = frozenset(booking.id for booking in known.values())
        outcomes = [
            _import_one(tx, actor, tx.rooms[room], event, known.get(event.uid), own)
            for room, event in events
        ]
        _refuse_overlaps(tx)
        return outcomes

    windows = tuple(event.interval for _, event in events if not event.is_cancelled)
    for window in windows:
        _refuse_impossible(window)

    def rooms() -> list[UUID]:
        stored = _bookings_of(events).values()
        return sorted({*(room for room, _ in events), *(booking.room for booking in stored)})

    query = SnapshotQuery(windows=windows)
    return run_in_rooms(run, rooms=rooms, query=query, clock=clock)


def lock_rooms_of(events: Sequence[EventInRoom]) -> None:
    """Lock the rooms of these events and of their bookings in the current transaction.

    An import in one transaction would otherwise lock room after room, in the order of the events,
    and deadlock with commands on several rooms. Like these commands, this function locks by
    ascending id.
    """
    rooms = {room for room, _ in events}
    concerned = Room.objects.filter(Q(uuid__in=rooms) | Q(pk__in=_came_from(events).values("room")))
    locks = {hall or pk for pk, hall in concerned.values_list("pk", "division")}
    list(Room.objects.select_for_update(of=("self",)).filter(pk__in=locks).order_by("pk"))


def _refuse_impossible(wanted: Interval) -> None:
    """Raise InvalidCommandError for a time that no booking may have: far away or too long."""
    if not is_countable(wanted):
        raise InvalidCommandError(
            f"The event is too far away. Choose a time in the years {FIRST_YEAR} to {LAST_YEAR}.",
            code=KernelErrorCode.INVALID_TIME,
        )
    refuse_endless(wanted)


def _bookings_of(events: Sequence[EventInRoom]) -> dict[str, BookingData]:
    found = _came_from(events).select_related("room")
    return {str(booking.external_uid): booking.as_data() for booking in found}


def _came_from(events: Sequence[EventInRoom]) -> QuerySet[Booking]:
    return Booking.objects.filter(external_uid__in=[event.uid for _, event in events])


def _import_one(
    tx: CommandContext,
    actor: Actor,
    room: RoomPolicy,
    event: CalendarEvent,
    stored: BookingData | None,
    giving_way: frozenset[UUID],
) -> ImportOutcome:
    if stored is None and event.is_cancelled:
        return ImportOutcome.UNCHANGED
    if stored is None:
        new = replace(_drafted(tx, room, event), external_uid=event.uid)
        _refuse_conflicts(tx, room, event, giving_way)
        tx.changes.append(Change(None, new, actor, "import_event"))
        return ImportOutcome.CREATED
    tx.room_of(stored)
    if stored.state not in STATES_THAT_MAY_TAKE_THE_SLOT:
        return ImportOutcome.UNCHANGED
    after = _updated(tx, room, event, stored)
    if after == stored:
        return ImportOutcome.UNCHANGED
    if after.takes_slot:
        _refuse_conflicts(tx, room, event, giving_way)
    tx.changes.append(Change.of(stored, after, actor, "import_event"))
    return ImportOutcome.CANCELLED if event.is_cancelled else ImportOutcome.UPDATED


def _drafted(tx: CommandContext, room: RoomPolicy, event: CalendarEvent) -> BookingData:
    details = Details(
        title=clean_title(event.title),
        organizer=event.organizer[:MAX_ORGANIZER_LENGTH],
        organizer_id=None,
        private=event.is_private,
    )
    return draft(room, event.interval, WITHOUT_CHECK_IN, details, now=tx.now)


def _updated(
    tx: CommandContext, room: RoomPolicy, event: CalendarEvent, stored: BookingData
) -> BookingData:
    """Return the booking with the values of its event."""
    if event.is_cancelled:
        return without_slot(stored, BookingState.CANCELLED)
    new = _drafted(tx, room, event)
    after = replace(
        moved(stored, room, event.interval),
        title=new.title,
        organizer=new.organizer,
        private=new.private,
    )
    if (stored.room_id, stored.interval) == (after.room_id, after.interval):
        return after
    if _was_left_early(stored, event, tx.now):
        return stored
    has_begun = after.interval.start <= tx.now
    if stored.state is BookingState.CHECKED_IN and has_begun:
        return after  # the people are in the room: the check-in stays
    return with_decision(after, WITHOUT_CHECK_IN)


def _was_left_early(stored: BookingData, event: CalendarEvent, now: datetime) -> bool:
    """Return whether the meeting ended early: the calendar still has its old end."""
    is_over = stored.state is BookingState.CHECKED_IN and stored.interval.end <= now
    return is_over and stored.interval.start == event.interval.start


def _refuse_conflicts(
    tx: CommandContext, room: RoomPolicy, event: CalendarEvent, giving_way: frozenset[UUID]
) -> None:
    known = tx.room_context(room)
    request = BookingRequest(event.interval, person=None, replaces=giving_way)
    refuse_taken(request, room, known.neighbours)
    refuse_closed(event.interval, room, known)


def _refuse_overlaps(tx: CommandContext) -> None:
    """Raise SlotTakenError if changed bookings overlap each other or an unchanged booking."""
    changed = {change.after.id for change in tx.changes}
    staying = [other for other in tx.snapshot.neighbours if other.id not in changed]
    for number, change in enumerate(tx.changes):
        if change.after.takes_slot:
            room = tx.rooms[change.after.room]
            others = [other.after for other in tx.changes[:number]] + staying
            near = [o for o in others if o.takes_slot and o.room_id in room.related]
            request = BookingRequest(change.after.interval, person=None)
            refuse_taken(request, room, near)

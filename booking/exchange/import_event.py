"""Command: bring events of a calendar in, or up to date."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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

MAX_ORGANIZER_LENGTH = 100
AS_IT_IS = Decision(BookingState.CONFIRMED, takes_slot=True, lapses_at=None)


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
    check-in is asked for; the exclusion constraint and closures do apply, and no booking is longer
    than any may be. A booking that was cancelled or lost here stays so; one that was moved here is
    moved back, and no check-in is asked for it any more.
    Raises: SlotTakenError, RoomClosedError, InvalidCommandError for the title, `too_long` and
    `invalid_time`, NotFoundError for the room; then the event's booking is as it was.
    """
    [outcome] = import_events_together(actor=actor, events=[event], clock=clock)
    return outcome


def import_events_together(
    *, actor: Actor, events: Sequence[CalendarEvent], clock: Clock = DATABASE_CLOCK
) -> list[ImportOutcome]:
    """Bring several events in or up to date at once, all or none.

    Events that stand in each other's way, such as two talks that swapped rooms, trade places.
    Raises what `import_event` raises; then every booking is as it was.
    """

    def run(tx: CommandContext) -> list[ImportOutcome]:
        known = _bookings_of(events)
        own = frozenset(booking.id for booking in known.values())
        outcomes = [_bring_in(tx, actor, event, known.get(event.uid), own) for event in events]
        _refuse_overlaps(tx)
        return outcomes

    coming = [event for event in events if not event.is_cancelled]
    for event in coming:
        _refuse_impossible(event.interval)

    def rooms() -> list[UUID]:
        stored = _bookings_of(events).values()
        return sorted({*(event.room for event in events), *(booking.room for booking in stored)})

    query = SnapshotQuery(windows=tuple(event.interval for event in coming))
    return run_in_rooms(run, rooms=rooms, query=query, clock=clock)


def lock_rooms_of(events: Iterable[CalendarEvent]) -> None:
    """Lock the rooms of these events and of their bookings, for the transaction that is open.

    For an import that is one transaction: it would lock them as they come, and deadlock with
    commands over several of them. In ascending id, as those do.
    """
    events = list(events)
    rooms = {event.room for event in events}
    concerned = Room.objects.filter(Q(uuid__in=rooms) | Q(pk__in=_came_from(events).values("room")))
    locks = {hall or pk for pk, hall in concerned.values_list("pk", "division")}
    list(Room.objects.select_for_update(of=("self",)).filter(pk__in=locks).order_by("pk"))


def _refuse_impossible(wanted: Interval) -> None:
    """Raise for times that nobody's booking has: they cannot be counted, in some zone or at all."""
    if not is_countable(wanted):
        raise InvalidCommandError(
            f"Choose a time in the years {FIRST_YEAR} to {LAST_YEAR}.",
            code=KernelErrorCode.INVALID_TIME,
        )
    refuse_endless(wanted)


def _bookings_of(events: Iterable[CalendarEvent]) -> dict[str, BookingData]:
    found = _came_from(events).select_related("room")
    return {str(booking.external_uid): booking.as_data() for booking in found}


def _came_from(events: Iterable[CalendarEvent]) -> QuerySet[Booking]:
    return Booking.objects.filter(external_uid__in=[event.uid for event in events])


def _bring_in(
    tx: CommandContext,
    actor: Actor,
    event: CalendarEvent,
    stored: BookingData | None,
    giving_way: frozenset[UUID],
) -> ImportOutcome:
    if stored is None and event.is_cancelled:
        return ImportOutcome.UNCHANGED
    if stored is None:
        room = tx.rooms[event.room]
        new = replace(_drafted(tx, room, event), external_uid=event.uid)
        _refuse_conflicts(tx, room, event, giving_way)
        tx.changes.append(Change(None, new, actor, "import_event"))
        return ImportOutcome.CREATED
    tx.room_of(stored)
    if stored.state not in STATES_THAT_MAY_TAKE_THE_SLOT:
        return ImportOutcome.UNCHANGED
    after = _brought_up_to_date(tx, event, stored)
    if after == stored:
        return ImportOutcome.UNCHANGED
    if after.takes_slot:
        _refuse_conflicts(tx, tx.rooms[event.room], event, giving_way)
    tx.changes.append(Change.of(stored, after, actor, "import_event"))
    return ImportOutcome.CANCELLED if event.is_cancelled else ImportOutcome.UPDATED


def _drafted(tx: CommandContext, room: RoomPolicy, event: CalendarEvent) -> BookingData:
    details = Details(
        title=clean_title(event.title),
        organizer=event.organizer[:MAX_ORGANIZER_LENGTH],
        organizer_id=None,
        private=event.is_private,
    )
    return draft(room, event.interval, AS_IT_IS, details, now=tx.now)


def _brought_up_to_date(
    tx: CommandContext, event: CalendarEvent, stored: BookingData
) -> BookingData:
    if event.is_cancelled:
        return without_slot(stored, BookingState.CANCELLED)
    room = tx.rooms[event.room]
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
        return after  # they are there
    return with_decision(after, AS_IT_IS)


def _was_left_early(stored: BookingData, event: CalendarEvent, now: datetime) -> bool:
    """Say whether people came and went: the calendar does not know, and the rest is free."""
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
    """Refuse events that overlap each other, or a booking of this calendar that stays in place."""
    changed = {change.after.id for change in tx.changes}
    staying = [other for other in tx.snapshot.neighbours if other.id not in changed]
    for number, change in enumerate(tx.changes):
        if change.after.takes_slot:
            room = tx.rooms[change.after.room]
            others = [other.after for other in tx.changes[:number]] + staying
            near = [o for o in others if o.takes_slot and o.room_id in room.related]
            request = BookingRequest(change.after.interval, person=None)
            refuse_taken(request, room, near)

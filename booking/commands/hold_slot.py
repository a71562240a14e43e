"""Command: keep a slot for the person who is in the middle of booking it."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest, Decision
from booking.domain.changes import Details, draft, without_slot
from booking.domain.error_codes import BookingErrorCode
from booking.domain.errors import shown
from booking.domain.holds import HOLD_TITLE, MAX_HOLDS, first_end, is_same_slot, renewed_end
from booking.domain.policy_checks import evaluate, own_holds, refuse_endless
from booking.domain.states import BookingState
from booking.models import Booking, WaitingEntry
from booking.transaction.context import CommandContext, is_manager
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.read_snapshot import SnapshotQuery
from booking.transaction.unit_of_work import run_in_rooms
from booking.transaction.write_changes import Change
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import LimitExceededError, PermissionDeniedError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy


def hold_slot(
    *, actor: Actor, room: UUID, interval: Interval, clock: Clock = DATABASE_CLOCK
) -> BookingData:
    """Hold the slot for two minutes: until then nobody else can book it or a part of it.

    The rules of the room hold as for a booking, but for quotas and approval: those are asked when
    it is booked. Own holds of an overlapping slot in the room give way; holding the very slot again
    renews the hold, within its six minutes.
    Raises: SlotTakenError, RoomClosedError, InvalidCommandError (see
    `booking.domain.policy_checks`), LimitExceededError `too_many_holds`, NotFoundError,
    PermissionDeniedError for who is no person.
    """
    if (person := actor.user_id) is None:
        raise PermissionDeniedError("Only a person can hold a room. Sign in.")
    refuse_endless(interval)

    def hold(tx: CommandContext) -> BookingData:
        rules = tx.rooms[room]
        known = tx.room_context(rules)
        own = own_holds(known.neighbours, interval, person)
        for earlier in own:
            if is_same_slot(earlier, rules.id, interval):
                return _renew(tx, earlier, actor)
        replaced = frozenset(earlier.id for earlier in own)
        _refuse_too_many(person, besides=replaced, now=tx.now)
        request = BookingRequest(
            interval, person, is_manager=is_manager(actor, rules), replaces=replaced
        )
        evaluate(request, _without_quotas(rules), known, now=tx.now)
        decision = Decision(BookingState.HELD, takes_slot=True, lapses_at=first_end(tx.now))
        facts = draft(rules, interval, decision, Details.of(actor, HOLD_TITLE), now=tx.now)
        tx.changes += [
            Change.of(
                earlier,
                without_slot(earlier, BookingState.LAPSED),
                actor,
                "release_hold",
                "Another slot was chosen",
            )
            for earlier in own
        ]
        tx.changes.append(Change(None, facts, actor, "hold_slot"))
        return facts

    query = SnapshotQuery(windows=(interval,), person=person, counts=True)
    return run_in_rooms(hold, rooms=(room,), query=query, clock=clock)


def _renew(tx: CommandContext, hold: BookingData, actor: Actor) -> BookingData:
    renewed = replace(hold, lapses_at=renewed_end(hold, now=tx.now))
    if renewed == hold:
        return hold
    change = Change.of(hold, renewed, actor, "renew_hold")
    tx.changes.append(change)
    return change.after


def _without_quotas(room: RoomPolicy) -> RoomPolicy:
    return replace(room, policy=replace(room.policy, quotas=()))


def _refuse_too_many(person: UUID, *, besides: frozenset[UUID], now: datetime) -> None:
    """Raise `too_many_holds`. An offer to somebody who waited was not their choice: not counted."""
    live = (
        Booking.objects.select_related("room")
        .filter(organizer_id=person, state=BookingState.HELD, lapses_at__gt=now)
        .exclude(pk__in=besides)
        .exclude(pk__in=WaitingEntry.objects.exclude(offer=None).values("offer"))
        .order_by("lapses_at", "pk")
    )
    held = [booking.as_data() for booking in live]
    if len(held) < MAX_HOLDS:
        return
    raise LimitExceededError(
        f"You hold {len(held)} slots already. Book one of them or let one go.",
        code=BookingErrorCode.TOO_MANY_HOLDS,
        facts={"limit": MAX_HOLDS, "held": [_told(hold) for hold in held]},
    )


def _told(hold: BookingData) -> dict[str, str]:
    return {
        "hold": str(hold.id),
        "room": str(hold.room),
        **shown(hold.interval),
        "expires_at": hold.lapses_at.isoformat() if hold.lapses_at else "",
    }

"""Command: hold a slot for the person who is booking it."""

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
    """Hold the slot for two minutes and return the hold. No other person can book the slot then.

    The rules of the room apply as for a booking, except quotas and approval, which apply when the
    slot is booked. The person's other holds that overlap in the room are released. A second hold of
    the same slot renews the first one, up to six minutes in all.
    Raises: what `evaluate` and `refuse_endless` raise; LimitExceededError `too_many_holds`;
    NotFoundError for an unknown room; PermissionDeniedError for an actor who is not a person.
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
    """Raise LimitExceededError if the person has `MAX_HOLDS` holds.

    A waitlist offer does not count, because the person did not choose the time of the offer.
    """
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
        f"You already hold {len(held)} slots. Book or release one of them first.",
        code=BookingErrorCode.TOO_MANY_HOLDS,
        facts={"limit": MAX_HOLDS, "held": [_format_hold(hold) for hold in held]},
    )


def _format_hold(hold: BookingData) -> dict[str, str]:
    return {
        "hold": str(hold.id),
        "room": str(hold.room),
        **shown(hold.interval),
        "expires_at": hold.lapses_at.isoformat() if hold.lapses_at else "",
    }

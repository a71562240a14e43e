"""Waiting for a slot that is taken: when it comes free, the first in line is offered it.

The offer is a hold in their name, so nobody can take the slot from under them while they decide.
"""

from datetime import timedelta

from booking.domain.booking_request import BookingRequest, Decision, RoomContext
from booking.domain.changes import Details, draft
from booking.domain.policy_checks import evaluate
from booking.domain.states import BookingState
from booking.domain.titles import DEFAULT_TITLE
from booking.models import Booking, WaitingEntry, as_range
from booking.transaction.context import CommandContext
from booking.transaction.write_changes import Change
from meeting_rooms.kernel.actor import SYSTEM_ACTOR
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy
from rooms.policies.cache import room_policies
from rooms.queries import closures_during

OFFER_LASTS = timedelta(minutes=15)
MAX_IN_LINE = 100  # entries of one room that are considered when a slot comes free


def offer_freed_slots(tx: CommandContext) -> None:
    """Offer what the changes free to those who wait for it, the earliest first.

    An entry is over when its offer is: taken or let go.
    """
    _close_answered(tx)
    for uuid in {change.before.room for change in tx.changes if change.before and change.frees}:
        [room] = room_policies([uuid], version=tx.snapshot.rules_version)
        in_line = WaitingEntry.objects.select_related("user", "room").filter(
            room_id__in=room.related, room__is_active=True, user__is_active=True
        )
        waiting = in_line.filter(closed_at=None, offer=None, during__endswith__gt=tx.now)
        for entry in waiting[:MAX_IN_LINE]:
            _offer(tx, entry)


def _close_answered(tx: CommandContext) -> None:
    answered = [
        change.after.id
        for change in tx.changes
        if change.before
        and change.before.state is BookingState.HELD
        and change.after.state is not BookingState.HELD
    ]
    if answered:
        entries = WaitingEntry.objects.filter(offer_id__in=answered, closed_at=None)
        tx.also.append(lambda: entries.update(closed_at=tx.now))


def _offer(tx: CommandContext, entry: WaitingEntry) -> None:
    wanted = Interval(entry.during.lower, entry.during.upper)
    [room] = room_policies([entry.room.uuid], version=tx.snapshot.rules_version)
    if not _is_free(tx, room, wanted) or not _is_allowed(tx, room, wanted, entry):
        return
    decision = Decision(BookingState.HELD, takes_slot=True, lapses_at=tx.now + OFFER_LASTS)
    # Private: nobody has booked anything yet that others might read.
    details = Details(
        entry.title or DEFAULT_TITLE, entry.user.display_name, entry.user_id, private=True
    )
    hold = draft(room, wanted, decision, details, now=tx.now)
    tx.changes.append(Change(None, hold, SYSTEM_ACTOR, "offer_slot", "First in line"))
    waiting = WaitingEntry.objects.filter(pk=entry.pk, offer=None)
    tx.also.append(lambda: waiting.update(offer_id=hold.id, offered_at=tx.now))


def _is_allowed(
    tx: CommandContext, room: RoomPolicy, wanted: Interval, entry: WaitingEntry
) -> bool:
    """Say whether the room's rules would still let the person book it."""
    is_manager = entry.user.is_admin or entry.user_id in room.policy.managers
    try:
        evaluate(
            BookingRequest(wanted, entry.user_id, is_manager=is_manager),
            room,
            RoomContext(),
            now=tx.now,
        )
    except InvalidCommandError:
        return False
    return True


def _is_free(tx: CommandContext, room: RoomPolicy, wanted: Interval) -> bool:
    """Say whether the stretch can be had once the changes so far are stored."""
    if any(closing.overlaps(wanted) for pk, closing in tx.closing.items() if pk in room.related):
        return False
    if closures_during(room.related, wanted.start, wanted.end).exists():
        return False
    changed = [change.after for change in tx.changes]
    taking = [other for other in changed if other.takes_slot and other.room_id in room.related]
    if any(other.interval.overlaps(wanted) for other in taking):
        return False
    stored = Booking.objects.filter(
        room_id__in=room.related, takes_slot=True, during__overlap=as_range(wanted)
    )
    return not stored.exclude(pk__in=[other.id for other in changed]).exists()

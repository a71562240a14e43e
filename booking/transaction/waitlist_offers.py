"""Waitlist offers: a slot that becomes free is offered to the first person on its waitlist.

The offer is a hold of that person, so no other person can book the slot while the offer lasts.
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

OFFER_LASTS = timedelta(minutes=15)  # time for the person to notice the offer and to book
MAX_CONSIDERED = 100  # earliest entries of one room that are checked when a slot becomes free


def offer_freed_slots(tx: CommandContext) -> None:
    """Add offers of the slots that the changes free, to the people who wait, the earliest first.

    An entry is closed when its offer ends: booked, released or expired.
    """
    _close_answered(tx)
    for uuid in {change.before.room for change in tx.changes if change.before and change.frees}:
        [room] = room_policies([uuid], version=tx.snapshot.rules_version)
        entries = WaitingEntry.objects.select_related("user", "room").filter(
            room_id__in=room.related, room__is_active=True, user__is_active=True
        )
        waiting = entries.filter(closed_at=None, offer=None, during__endswith__gt=tx.now)
        for entry in waiting[:MAX_CONSIDERED]:
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
    # Private: the person has not accepted the offer, so others may not read the title and the name.
    details = Details(
        entry.title or DEFAULT_TITLE, entry.user.display_name, entry.user_id, private=True
    )
    hold = draft(room, wanted, decision, details, now=tx.now)
    tx.changes.append(Change(None, hold, SYSTEM_ACTOR, "offer_slot", "First on the waitlist"))
    waiting = WaitingEntry.objects.filter(pk=entry.pk, offer=None)
    tx.also.append(lambda: waiting.update(offer_id=hold.id, offered_at=tx.now))


def _is_allowed(
    tx: CommandContext, room: RoomPolicy, wanted: Interval, entry: WaitingEntry
) -> bool:
    """Return whether the rules of the room still allow the person to book the slot."""
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
    """Return whether the slot is free once the changes so far are stored."""
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

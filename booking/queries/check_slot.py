"""Query: whether a booking would be allowed now, and all reasons if not."""

from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from booking.domain.booking_request import BookingRequest, Decision
from booking.domain.policy_checks import evaluate, own_holds, refusals, refuse_endless
from booking.transaction.context import CommandContext, is_manager
from booking.transaction.database_clock import DATABASE_CLOCK, instant_for_sql
from booking.transaction.read_snapshot import SnapshotQuery, read_snapshot
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.interval import Interval
from rooms.policies.cache import current_room_policies


class SlotCheck(NamedTuple):
    """The result of evaluating a booking: a decision, or all reasons against it.

    Shapes: `refusals` are as in `RuleError.facts`; `rule` is None for a hard limit. For a room
    manager a broken rule is not a refusal; its code is a flag of the decision.
    """

    decision: Decision | None
    refusals: list[dict[str, Any]]


def check_slot(
    *,
    actor: Actor,
    room: UUID,
    interval: Interval,
    attendees: int | None = None,
    clock: Clock = DATABASE_CLOCK,
) -> SlotCheck:
    """Evaluate the booking as `book_room` would, without storing it.

    The result may be outdated at once; use a hold to reserve the slot. Raises NotFoundError if
    there is no such room, InvalidCommandError `too_long` if no room allows this length.
    """
    refuse_endless(interval)
    [rules] = current_room_policies([room])
    snapshot = read_snapshot(
        [rules],
        SnapshotQuery(windows=(interval,), person=actor.user_id),
        now=instant_for_sql(clock),
    )
    known = CommandContext({room: rules}, snapshot).room_context(rules)
    # A command expires due bookings before it decides; this query only leaves them out.
    taken = tuple(other for other in known.neighbours if other.takes_slot_at(snapshot.now))
    known = replace(known, neighbours=taken)
    holds = own_holds(taken, interval, actor.user_id)
    request = BookingRequest(
        interval=interval,
        person=actor.user_id,
        is_manager=is_manager(actor, rules),
        attendees=attendees,
        replaces=frozenset(hold.id for hold in holds),
    )
    found = refusals(request, rules, known, now=snapshot.now)
    if request.is_manager:
        found = [refusal for refusal in found if refusal["rule"] is None]
    if found:
        return SlotCheck(None, found)
    return SlotCheck(evaluate(request, rules, known, now=snapshot.now), [])

"""Query: whether a booking would be allowed now, and all reasons if not."""

from typing import Any, NamedTuple
from uuid import UUID

from booking.domain.booking_request import Decision
from booking.domain.policy_checks import evaluate, refusals, refuse_endless
from booking.queries.free_rooms import REFUSALS
from booking.transaction.context import CommandContext, request_of
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.read_snapshot import SnapshotQuery
from booking.transaction.unit_of_work import preview_in_rooms
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.interval import Interval


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

    def check(tx: CommandContext) -> SlotCheck:
        rules = tx.rooms[room]
        request, known, _ = request_of(tx, actor, rules, interval, attendees)
        try:
            return SlotCheck(evaluate(request, rules, known, now=tx.now), [])
        except REFUSALS:
            found = refusals(request, rules, known, now=tx.now)
        if request.is_manager:
            found = [refusal for refusal in found if refusal["rule"] is None]
        return SlotCheck(None, found)

    query = SnapshotQuery(windows=(interval,), person=actor.user_id)
    return preview_in_rooms(check, rooms=(room,), query=query, clock=clock)

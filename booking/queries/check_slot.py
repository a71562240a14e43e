"""Read: would a booking be allowed, and if not, what all speaks against it. Writes nothing."""

from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from booking.domain.booking_request import BookingRequest, Decision
from booking.domain.policy_checks import evaluate, own_holds, refusals, refuse_endless
from booking.transaction.context import CommandContext, is_manager
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.read_snapshot import SnapshotQuery, read_snapshot
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.interval import Interval
from rooms.policies.cache import current_room_policies


class SlotCheck(NamedTuple):
    """What booking the slot now would give: a judgement, or everything that speaks against it.

    Shapes: `refusals` are as in `RuleError.facts`, with `rule` null for what nobody overrides. For
    those who run the room a broken rule is no refusal but a flag of the judgement.
    """

    judgement: Decision | None
    refusals: list[dict[str, Any]]


def check_slot(
    *,
    actor: Actor,
    room: UUID,
    interval: Interval,
    attendees: int | None = None,
    clock: Clock = DATABASE_CLOCK,
) -> SlotCheck:
    """Judge as `book_room` would at this moment; a promise is only a hold.

    Raises NotFoundError for the room, InvalidCommandError `too_long` for what no room allows.
    """
    refuse_endless(interval)
    [rules] = current_room_policies([room])
    snapshot = read_snapshot(
        [rules], SnapshotQuery(windows=(interval,), person=actor.user_id), clock=clock
    )
    known = CommandContext({room: rules}, snapshot).room_context(rules)
    # A command settles what is due before it decides; here it only does not count.
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

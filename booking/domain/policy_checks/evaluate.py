"""The evaluation of a booking request: a decision, or an error with all reasons. Pure."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest, Decision, RoomContext
from booking.domain.error_codes import BookingErrorCode
from booking.domain.errors import RuleError
from booking.domain.policy_checks.gaps import check_day, check_gap
from booking.domain.policy_checks.hard_limits import (
    is_countable,
    refuse_closed,
    refuse_past,
    refuse_taken,
)
from booking.domain.policy_checks.opening_hours import check_gap_in_hours, check_opening_hours
from booking.domain.policy_checks.quotas import check_quotas
from booking.domain.policy_checks.rule_violation import RuleViolation
from booking.domain.policy_checks.time_limits import (
    check_advance,
    check_capacity,
    check_length,
    check_notice,
    check_step,
)
from booking.domain.states import BookingState
from meeting_rooms.kernel.errors import MeetingRoomsError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import (
    Approval,
    BookableBy,
    CapacityRule,
    EffectivePolicy,
    RoomPolicy,
)

ONE_MINUTE = timedelta(minutes=1)


def evaluate(
    request: BookingRequest, room: RoomPolicy, known: RoomContext, *, now: datetime
) -> Decision:
    """Return how the requested booking is stored.

    Hard limits, which no person can override: raises InvalidCommandError `in_the_past` or
    `invalid_time`, SlotTakenError if another booking takes a part of the time, and RoomClosedError
    if the room is out of service. Raises RuleError with all broken rules of the room; for a room
    manager the codes of the broken rules become the flags of the booking instead.
    """
    wanted, policy = request.interval, room.policy
    if not request.is_standing:
        refuse_past(wanted, policy, now=now)
    refuse_taken(request, room, known.neighbours)
    refuse_closed(wanted, room, known)
    violations = _violations(request, room, known, now=now)
    flags: tuple[str, ...] = ()
    if violations:
        if not request.is_manager:
            raise _rule_error(violations, room)
        flags = tuple(dict.fromkeys(each.code for each in violations))
    if policy.capacity_rule is CapacityRule.WARN and (over := check_capacity(request, room)):
        flags = (*flags, over.code)
    if policy.approval is Approval.ALWAYS and not request.is_manager:
        undecided_until = wanted.start if now < wanted.start else wanted.end
        return Decision(BookingState.PENDING, policy.pending_blocks, undecided_until, flags)
    if wanted.start <= now:  # the person is there already
        return Decision(BookingState.CHECKED_IN, takes_slot=True, lapses_at=None, flags=flags)
    lapses_at = check_in_deadline(wanted, policy, now=now)
    return Decision(BookingState.CONFIRMED, takes_slot=True, lapses_at=lapses_at, flags=flags)


def refusals(
    request: BookingRequest, room: RoomPolicy, known: RoomContext, *, now: datetime
) -> list[dict[str, Any]]:
    """Return all reasons against the request, JSON-ready: hard limits first, then broken rules.

    Shapes: as in `RuleError.facts.refusals`; for a hard limit `rule` and `source` are None.
    """
    wanted = request.interval
    hard_limits: list[Callable[[], None]] = [
        lambda: refuse_past(wanted, room.policy, now=now),
        lambda: refuse_taken(request, room, known.neighbours),
        lambda: refuse_closed(wanted, room, known),
    ]
    found = [refusal for refuse in hard_limits for refusal in _raised(refuse)]
    if is_countable(wanted):
        violations = _violations(request, room, known, now=now)
        found += [each.as_refusal(room.policy) for each in violations]
    return found


def _raised(refuse: Callable[[], None]) -> Iterator[dict[str, Any]]:
    try:
        refuse()
    except MeetingRoomsError as refused:
        refusal = {"code": refused.code, "detail": refused.detail, "rule": None, "source": None}
        yield {**refusal, **refused.facts}


def _violations(
    request: BookingRequest, room: RoomPolicy, known: RoomContext, *, now: datetime
) -> list[RuleViolation]:
    """Return all rules that the request breaks, the most important first."""
    wanted, policy = request.interval, room.policy
    found = [
        check_booker(request, room),
        check_opening_hours(wanted, room),
        check_length(wanted, policy),
        check_step(request, room, now=now),
        None if request.is_standing else check_notice(wanted, room, now=now),
        check_advance(wanted, room, now=now),
        check_gap(request, room, known),
        check_gap_in_hours(wanted, room),
        check_day(request, room, known),
        *check_quotas(request, room, known, now=now),
    ]
    if policy.capacity_rule is CapacityRule.REFUSE:
        found.append(check_capacity(request, room))
    return [violation for violation in found if violation is not None]


def _rule_error(violations: list[RuleViolation], room: RoomPolicy) -> RuleError:
    first = violations[0]
    listed = [each.as_refusal(room.policy) for each in violations]
    return RuleError(
        first.detail, code=first.code, facts={"room": str(room.uuid), "refusals": listed}
    )


def refuse_more_than_seats(
    before: BookingData, after: BookingData, room: RoomPolicy, *, is_manager: bool
) -> None:
    """Check a change of the attendees only.

    Raises RuleError if they exceed the seats of a room that refuses this; room managers may exceed.
    """
    if room.policy.capacity_rule is not CapacityRule.REFUSE or is_manager:
        return
    request = BookingRequest(after.interval, after.organizer_id, attendees=after.attendees)
    if before.attendees != after.attendees and (over := check_capacity(request, room)):
        raise _rule_error([over], room)


def check_booker(request: BookingRequest, room: RoomPolicy) -> RuleViolation | None:
    """Refuse a person who may not book this room.

    Room managers may book, and so does a request without a person.
    """
    policy = room.policy
    if policy.bookable_by is BookableBy.EVERYONE or request.is_manager or request.person is None:
        return None
    allowed = policy.managers
    if policy.bookable_by is BookableBy.LISTED:
        allowed |= policy.bookers
    if request.person in allowed:
        return None
    is_listed = policy.bookable_by is BookableBy.LISTED
    who = "people on its list" if is_listed else "room managers"
    return RuleViolation(
        BookingErrorCode.NOT_BOOKABLE_BY_YOU,
        f"{room.name} can be booked only by {who}. Ask a room manager, or choose another room.",
        "bookable_by",
        {"bookable_by": policy.bookable_by.value},
    )


def check_in_deadline(
    wanted: Interval, policy: EffectivePolicy, *, now: datetime
) -> datetime | None:
    """Return the instant at which a booking without check-in is released.

    None if no check-in is needed: by the policy, for a booking that has begun (its organizer is
    there), and for a booking that is long enough to be exempt.
    """
    if wanted.start <= now or not policy.check_in_required:
        return None
    if 0 < policy.check_in_exempt_minutes <= wanted.duration / ONE_MINUTE:
        return None
    return min(wanted.start + timedelta(minutes=policy.check_in_grace_minutes), wanted.end)

"""All rules together: allowed and how it is stored, or refused with every reason. Pure."""

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
    """Allow the request and say how it is stored, or raise and say what would be allowed.

    Raises InvalidCommandError `in_the_past`, SlotTakenError and RoomClosedError, which nobody
    overrides; RuleError with all rules of the room that are broken, which its managers override:
    then the codes of the broken rules are the booking's flags.
    """
    wanted, policy = request.interval, room.policy
    if not request.is_standing:
        refuse_past(wanted, policy, now=now)
    refuse_taken(request, room, known.neighbours)
    refuse_closed(wanted, room, known)
    broken = _broken(request, room, known, now=now)
    flags: tuple[str, ...] = ()
    if broken:
        if not request.is_manager:
            raise _refusal(broken, room)
        flags = tuple(dict.fromkeys(rule.code for rule in broken))
    if policy.capacity_rule is CapacityRule.WARN and (over := check_capacity(request, room)):
        flags = (*flags, over.code)
    if policy.approval is Approval.ALWAYS and not request.is_manager:
        undecided_until = wanted.start if now < wanted.start else wanted.end
        return Decision(BookingState.PENDING, policy.pending_blocks, undecided_until, flags)
    if wanted.start <= now:  # whoever books what has begun is there
        return Decision(BookingState.CHECKED_IN, takes_slot=True, lapses_at=None, flags=flags)
    lapses_at = check_in_deadline(wanted, policy, now=now)
    return Decision(BookingState.CONFIRMED, takes_slot=True, lapses_at=lapses_at, flags=flags)


def refusals(
    request: BookingRequest, room: RoomPolicy, known: RoomContext, *, now: datetime
) -> list[dict[str, Any]]:
    """Return everything that speaks against the request, overridable or not, JSON-ready.

    Shapes: as `RuleError.facts.refusals`; `rule` is null for what nobody overrides.
    """
    wanted = request.interval
    absolute: list[Callable[[], None]] = [
        lambda: refuse_past(wanted, room.policy, now=now),
        lambda: refuse_taken(request, room, known.neighbours),
        lambda: refuse_closed(wanted, room, known),
    ]
    found = [refusal for refuse in absolute for refusal in _raised(refuse)]
    if is_countable(wanted):
        broken = _broken(request, room, known, now=now)
        found += [rule.as_refusal(room.policy) for rule in broken]
    return found


def _raised(refuse: Callable[[], None]) -> Iterator[dict[str, Any]]:
    try:
        refuse()
    except MeetingRoomsError as refused:
        told = {"code": refused.code, "detail": refused.detail, "rule": None, "source": None}
        yield {**told, **refused.facts}


def _broken(
    request: BookingRequest, room: RoomPolicy, known: RoomContext, *, now: datetime
) -> list[RuleViolation]:
    """Return every rule that the request breaks, the most telling first."""
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
        *check_quotas(request, room, known),
    ]
    if policy.capacity_rule is CapacityRule.REFUSE:
        found.append(check_capacity(request, room))
    return [broken for broken in found if broken is not None]


def _refusal(broken: list[RuleViolation], room: RoomPolicy) -> RuleError:
    first = broken[0]
    listed = [rule.as_refusal(room.policy) for rule in broken]
    return RuleError(
        first.detail, code=first.code, facts={"room": str(room.uuid), "refusals": listed}
    )


def refuse_more_than_seats(
    before: BookingData, after: BookingData, room: RoomPolicy, *, is_manager: bool
) -> None:
    """Raise RuleError where only the attendees change, to more than the room may hold."""
    if room.policy.capacity_rule is not CapacityRule.REFUSE or is_manager:
        return
    request = BookingRequest(after.interval, after.organizer_id, attendees=after.attendees)
    if before.attendees != after.attendees and (over := check_capacity(request, room)):
        raise _refusal([over], room)


def check_booker(request: BookingRequest, room: RoomPolicy) -> RuleViolation | None:
    """Refuse a person who may not book here. Managers may, and so may the system itself."""
    policy = room.policy
    if policy.bookable_by is BookableBy.EVERYONE or request.is_manager or request.person is None:
        return None
    allowed = policy.managers
    if policy.bookable_by is BookableBy.LISTED:
        allowed |= policy.bookers
    if request.person in allowed:
        return None
    who = "those listed for it" if policy.bookable_by is BookableBy.LISTED else "those who run it"
    return RuleViolation(
        BookingErrorCode.NOT_BOOKABLE_BY_YOU,
        f"{room.name} is booked by {who}. Ask them, or choose another room.",
        "bookable_by",
        {"bookable_by": policy.bookable_by.value},
    )


def check_in_deadline(
    wanted: Interval, policy: EffectivePolicy, *, now: datetime
) -> datetime | None:
    """Return the instant at which the slot is given back unless somebody came.

    None for a walk-up, whose booker is there, and for a booking long enough to be exempt.
    """
    if wanted.start <= now or not policy.check_in_required:
        return None
    if 0 < policy.check_in_exempt_minutes <= wanted.duration / ONE_MINUTE:
        return None
    return min(wanted.start + timedelta(minutes=policy.check_in_grace_minutes), wanted.end)

"""All rules together: allowed and how it is stored, or refused with every reason. Pure."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from booking.domain.facts import BookingFacts
from booking.domain.refusals import RuleError
from booking.domain.request import Judgement, Known, Request
from booking.domain.rules.absolute import is_countable, refuse_closed, refuse_past, refuse_taken
from booking.domain.rules.broken import Broken
from booking.domain.rules.hours import check_gap_in_hours, check_opening_hours
from booking.domain.rules.neighbours import check_day, check_gap
from booking.domain.rules.quotas import check_quotas
from booking.domain.rules.times import (
    check_advance,
    check_capacity,
    check_length,
    check_notice,
    check_step,
)
from booking.domain.states import BookingState
from meeting_rooms.kernel.errors import MeetingRoomsError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.rulebook import Approval, BookableBy, CapacityRule, RoomRules, Rulebook

ONE_MINUTE = timedelta(minutes=1)


def judge(request: Request, room: RoomRules, known: Known, *, now: datetime) -> Judgement:
    """Allow the request and say how it is stored, or raise and say what would be allowed.

    Raises InvalidCommandError `in_the_past`, SlotTakenError and RoomClosedError, which nobody
    overrides; RuleError with all rules of the room that are broken, which its managers override:
    then the codes of the broken rules are the booking's flags.
    """
    wanted, book = request.interval, room.book
    if not request.is_standing:
        refuse_past(wanted, book, now=now)
    refuse_taken(request, room, known.neighbours)
    refuse_closed(wanted, room, known)
    broken = _broken(request, room, known, now=now)
    flags: tuple[str, ...] = ()
    if broken:
        if not request.is_manager:
            raise _refusal(broken, room)
        flags = tuple(dict.fromkeys(rule.code for rule in broken))
    if book.capacity_rule is CapacityRule.WARN and (over := check_capacity(request, room)):
        flags = (*flags, over.code)
    if book.approval is Approval.ALWAYS and not request.is_manager:
        undecided_until = wanted.start if now < wanted.start else wanted.end
        return Judgement(BookingState.PENDING, book.pending_blocks, undecided_until, flags)
    if wanted.start <= now:  # whoever books what has begun is there
        return Judgement(BookingState.CHECKED_IN, takes_slot=True, lapses_at=None, flags=flags)
    lapses_at = check_in_deadline(wanted, book, now=now)
    return Judgement(BookingState.CONFIRMED, takes_slot=True, lapses_at=lapses_at, flags=flags)


def refusals(
    request: Request, room: RoomRules, known: Known, *, now: datetime
) -> list[dict[str, Any]]:
    """Return everything that speaks against the request, overridable or not, JSON-ready.

    Shapes: as `RuleError.facts.refusals`; `rule` is null for what nobody overrides.
    """
    wanted = request.interval
    absolute: list[Callable[[], None]] = [
        lambda: refuse_past(wanted, room.book, now=now),
        lambda: refuse_taken(request, room, known.neighbours),
        lambda: refuse_closed(wanted, room, known),
    ]
    found = [refusal for refuse in absolute for refusal in _raised(refuse)]
    if is_countable(wanted):
        broken = _broken(request, room, known, now=now)
        found += [rule.as_refusal(room.book) for rule in broken]
    return found


def _raised(refuse: Callable[[], None]) -> Iterator[dict[str, Any]]:
    try:
        refuse()
    except MeetingRoomsError as refused:
        told = {"code": refused.code, "detail": refused.detail, "rule": None, "source": None}
        yield {**told, **refused.facts}


def _broken(request: Request, room: RoomRules, known: Known, *, now: datetime) -> list[Broken]:
    """Return every rule that the request breaks, the most telling first."""
    wanted, book = request.interval, room.book
    found = [
        check_booker(request, room),
        check_opening_hours(wanted, room),
        check_length(wanted, book),
        check_step(request, room),
        None if request.is_standing else check_notice(wanted, room, now=now),
        check_advance(wanted, room, now=now),
        check_gap(request, room, known),
        check_gap_in_hours(wanted, room),
        check_day(request, room, known),
        *check_quotas(request, room, known),
    ]
    if book.capacity_rule is CapacityRule.REFUSE:
        found.append(check_capacity(request, room))
    return [broken for broken in found if broken is not None]


def _refusal(broken: list[Broken], room: RoomRules) -> RuleError:
    first = broken[0]
    listed = [rule.as_refusal(room.book) for rule in broken]
    return RuleError(
        first.detail, code=first.code, facts={"room": str(room.uuid), "refusals": listed}
    )


def refuse_more_than_seats(
    before: BookingFacts, after: BookingFacts, room: RoomRules, *, is_manager: bool
) -> None:
    """Raise RuleError where only the attendees change, to more than the room may hold."""
    if room.book.capacity_rule is not CapacityRule.REFUSE or is_manager:
        return
    request = Request(after.interval, after.organizer_id, attendees=after.attendees)
    if before.attendees != after.attendees and (over := check_capacity(request, room)):
        raise _refusal([over], room)


def check_booker(request: Request, room: RoomRules) -> Broken | None:
    """Refuse a person who may not book here. Managers may, and so may the system itself."""
    book = room.book
    if book.bookable_by is BookableBy.EVERYONE or request.is_manager or request.person is None:
        return None
    allowed = book.managers
    if book.bookable_by is BookableBy.LISTED:
        allowed |= book.bookers
    if request.person in allowed:
        return None
    who = "those listed for it" if book.bookable_by is BookableBy.LISTED else "those who run it"
    return Broken(
        "not_bookable_by_you",
        f"{room.name} is booked by {who}. Ask them, or choose another room.",
        "bookable_by",
        {"bookable_by": book.bookable_by.value},
    )


def check_in_deadline(wanted: Interval, book: Rulebook, *, now: datetime) -> datetime | None:
    """Return the instant at which the slot is given back unless somebody came.

    None for a walk-up, whose booker is there, and for a booking long enough to be exempt.
    """
    if wanted.start <= now or not book.check_in_required:
        return None
    if 0 < book.check_in_exempt_minutes <= wanted.duration / ONE_MINUTE:
        return None
    return min(wanted.start + timedelta(minutes=book.check_in_grace_minutes), wanted.end)

"""The rules of a room applied to a request. Pure; the one place that says yes or no.

`look_around` and `questions` tell what must be known first; `judge` decides.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from booking.domain.facts import BookingFacts
from booking.domain.refusals import RoomClosedError, RuleError, SlotTakenError, shown, shown_all
from booking.domain.request import Judgement, Known, Question, Request
from booking.domain.states import BookingState
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.opening import is_open_throughout
from rooms.domain.rulebook import RoomRules, Rulebook


def look_around(wanted: Interval, room: RoomRules) -> Interval:
    """Return the stretch in which other bookings of the room matter for `wanted`."""
    gap = timedelta(minutes=room.book.gap_minutes)
    return Interval(wanted.start - gap, wanted.end + gap)


def questions(wanted: Interval, room: RoomRules) -> tuple[Question, ...]:  # noqa: ARG001
    """Return what must be known of the person's bookings to apply the room's quotas."""
    return ()


def judge(request: Request, room: RoomRules, known: Known, *, now: datetime) -> Judgement:
    """Allow the request and say how it is stored, or raise and say what would be allowed.

    Raises SlotTakenError and RoomClosedError, which nobody overrides; RuleError for the rules of
    the room, which its managers override: then the broken rules are the booking's flags.
    """
    wanted, book = request.interval, room.book
    refuse_taken(request, room, known.neighbours)
    refuse_closed(wanted, room, known)
    check_times(wanted, book, now=now)
    check_opening_hours(wanted, book, zone=room.zone)
    state = BookingState.CHECKED_IN if wanted.start <= now else BookingState.CONFIRMED
    lapses_at = check_in_deadline(wanted, book, now=now)
    return Judgement(state, takes_slot=True, lapses_at=lapses_at)


def own_holds(
    neighbours: Sequence[BookingFacts], wanted: Interval, person: UUID | None
) -> list[BookingFacts]:
    """Return the person's own holds of this slot: they give way to what the person books."""
    return [
        other
        for other in neighbours
        if other.state is BookingState.HELD
        and other.organizer_id == person is not None
        and other.interval.overlaps(wanted)
    ]


def refuse_shared_floor(rooms: Sequence[RoomRules]) -> None:
    """Refuse one booking of rooms that are parts of each other."""
    for number, room in enumerate(rooms):
        for other in rooms[:number]:
            if other.id in room.related:
                raise InvalidCommandError(
                    f"{room.name} and {other.name} share floor. Book the larger one alone.",
                    code="rooms_overlap",
                )


def refuse_taken(request: Request, room: RoomRules, neighbours: Sequence[BookingFacts]) -> None:
    """Raise SlotTakenError where another booking overlaps what is wanted."""
    wanted = request.interval
    blocking = [
        other
        for other in neighbours
        if other.interval.overlaps(wanted) and other.id not in request.replaces
    ]
    if not blocking:
        return
    only_holds = all(other.state is BookingState.HELD for other in blocking)
    facts = {"room": str(room.uuid), "taken": shown_all(other.interval for other in blocking)}
    if only_holds:
        raise SlotTakenError(
            f"Somebody is booking {room.name} for this time right now. Try again in two minutes, "
            "or choose another time.",
            code="slot_held",
            facts={**facts, "held_until": max(str(o.lapses_at) for o in blocking)},
        )
    raise SlotTakenError(f"{room.name} is already booked in this time.", facts=facts)


def refuse_closed(wanted: Interval, room: RoomRules, known: Known) -> None:
    """Raise RoomClosedError where the room is out of service for a part of what is wanted."""
    for closure in known.closures:
        if closure.start < wanted.end and (closure.end is None or wanted.start < closure.end):
            end = closure.end and closure.end.isoformat()
            raise RoomClosedError(
                f"{room.name} is out of service then: {closure.reason}.",
                facts={"closure": {"starts_at": closure.start.isoformat(), "ends_at": end}},
            )


def check_times(wanted: Interval, book: Rulebook, *, now: datetime) -> None:
    """Refuse what lies in the past, beyond the horizon, or is too long."""
    if wanted.start < now - timedelta(minutes=book.late_start_minutes) or wanted.end <= now:
        raise InvalidCommandError(
            "This time is in the past. Choose a start from now on.", code="in_the_past"
        )
    if wanted.duration > timedelta(minutes=book.max_minutes):
        raise RuleError(
            f"A booking lasts at most {book.max_minutes / 60:g} hours.", code="too_long"
        )
    horizon = now + timedelta(days=book.advance_days)
    if wanted.end > horizon:
        raise RuleError(
            f"Bookings are open until {horizon.date().isoformat()}.", code="too_far_ahead"
        )


def check_opening_hours(wanted: Interval, book: Rulebook, *, zone: ZoneInfo) -> None:
    """Refuse what reaches outside the room's opening hours."""
    if is_open_throughout(book, zone, wanted):
        return
    told = "Closed then."
    raise RuleError(
        f"{told} Choose a time within.", code="outside_opening_hours", facts=shown(wanted)
    )


def check_in_deadline(wanted: Interval, book: Rulebook, *, now: datetime) -> datetime | None:
    """Return the instant at which the slot is given back unless somebody came.

    None for a walk-up: whoever books a slot that has begun is there.
    """
    if wanted.start <= now or not book.check_in_required:
        return None
    return min(wanted.start + timedelta(minutes=book.check_in_grace_minutes), wanted.end)

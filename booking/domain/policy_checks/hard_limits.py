"""What nobody overrides: the past, another booking, a room out of service. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest, RoomContext
from booking.domain.error_codes import BookingErrorCode
from booking.domain.errors import RoomClosedError, SlotTakenError, shown_all
from booking.domain.states import BookingState
from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import EffectivePolicy, RoomPolicy

MAX_LENGTH = timedelta(days=62)
FIRST_YEAR, LAST_YEAR = 2, 9990  # so that any zone's day and any gap around it can be counted


def refuse_endless(wanted: Interval) -> None:
    """Raise where it is longer than any booking, before anything is read for it.

    SnapshotQuery at all that lies in a century would cost seconds, only to say that it is too long.
    """
    if wanted.duration > MAX_LENGTH:
        raise InvalidCommandError(
            f"A booking lasts at most {MAX_LENGTH.days} days anywhere.",
            code=BookingErrorCode.TOO_LONG,
        )


def refuse_past(wanted: Interval, policy: EffectivePolicy, *, now: datetime) -> None:
    """Raise where it began longer ago than a late start may, is over, or is beyond the calendar.

    By instants and the server's clock, whatever the caller's clock or zone says.
    """
    if wanted.end.year > LAST_YEAR:
        raise InvalidCommandError(
            f"Choose a time before {LAST_YEAR}.", code=KernelErrorCode.INVALID_TIME
        )
    start = wanted.start
    if wanted.end > now and (
        start >= now or start >= now - timedelta(minutes=policy.late_start_minutes)
    ):
        return
    raise InvalidCommandError(
        "This time is in the past. Choose a start from now on.",
        code=BookingErrorCode.IN_THE_PAST,
        facts={"earliest_start": now.isoformat()},
    )


def is_countable(wanted: Interval) -> bool:
    """Say whether the days around it are on the calendar; `refuse_past` refuses what is not."""
    return wanted.start.year >= FIRST_YEAR and wanted.end.year <= LAST_YEAR


def refuse_shared_floor(rooms: Sequence[RoomPolicy]) -> None:
    """Refuse one booking of rooms that are parts of each other."""
    for number, room in enumerate(rooms):
        for other in rooms[:number]:
            if other.id in room.related:
                raise InvalidCommandError(
                    f"{room.name} and {other.name} share floor. Book the larger one alone.",
                    code=BookingErrorCode.ROOMS_OVERLAP,
                )


def refuse_taken(
    request: BookingRequest, room: RoomPolicy, neighbours: Sequence[BookingData]
) -> None:
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
            code=BookingErrorCode.SLOT_HELD,
            facts={**facts, "held_until": max(str(o.lapses_at) for o in blocking)},
        )
    raise SlotTakenError(f"{room.name} is already booked in this time.", facts=facts)


def refuse_closed(wanted: Interval, room: RoomPolicy, known: RoomContext) -> None:
    """Raise RoomClosedError where the room is out of service for a part of what is wanted."""
    for closure in known.closures:
        if closure.start < wanted.end and (closure.end is None or wanted.start < closure.end):
            end = closure.end and closure.end.isoformat()
            raise RoomClosedError(
                f"{room.name} is out of service then: {closure.reason}.",
                facts={"closure": {"starts_at": closure.start.isoformat(), "ends_at": end}},
            )

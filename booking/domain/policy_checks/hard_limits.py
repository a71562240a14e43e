"""Hard limits, which no person can override: the past, another booking, a closure. Pure."""

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

MAX_LENGTH = timedelta(days=62)  # of a booking in any room: two months
# Python's dates end with the years 1 and 9999: days and gaps around a booking must lie within.
FIRST_YEAR, LAST_YEAR = 2, 9990


def refuse_endless(wanted: Interval) -> None:
    """Raise InvalidCommandError `too_long` if `wanted` is longer than MAX_LENGTH.

    Commands call this before they read: to read all bookings of a century would take seconds.
    """
    if wanted.duration > MAX_LENGTH:
        raise InvalidCommandError(
            f"The booking is too long. The maximum is {MAX_LENGTH.days} days.",
            code=BookingErrorCode.TOO_LONG,
        )


def refuse_past(wanted: Interval, policy: EffectivePolicy, *, now: datetime) -> None:
    """Raise InvalidCommandError if `wanted` is in the past or after the last possible year.

    `in_the_past`: `wanted` is over, or began longer ago than `late_start_minutes`. `invalid_time`:
    it ends after LAST_YEAR. `now` is the clock of the server, not of the caller.
    """
    if wanted.end.year > LAST_YEAR:
        raise InvalidCommandError(
            f"The time is too late. The last possible year is {LAST_YEAR}.",
            code=KernelErrorCode.INVALID_TIME,
        )
    start = wanted.start
    if wanted.end > now and (
        start >= now or start >= now - timedelta(minutes=policy.late_start_minutes)
    ):
        return
    raise InvalidCommandError(
        "This time is in the past. Choose a later start.",
        code=BookingErrorCode.IN_THE_PAST,
        facts={"earliest_start": now.isoformat()},
    )


def is_countable(wanted: Interval) -> bool:
    """Return whether the days and gaps around `wanted` can be computed; see FIRST_YEAR.

    `refuse_past` refuses an interval for which they cannot.
    """
    return wanted.start.year >= FIRST_YEAR and wanted.end.year <= LAST_YEAR


def refuse_shared_floor(rooms: Sequence[RoomPolicy]) -> None:
    """Raise InvalidCommandError `rooms_overlap` if two of the rooms are a hall and its part."""
    for number, room in enumerate(rooms):
        for other in rooms[:number]:
            if other.id in room.related:
                raise InvalidCommandError(
                    f"{room.name} and {other.name} share floor, so one booking cannot have both. "
                    "Book only the larger room.",
                    code=BookingErrorCode.ROOMS_OVERLAP,
                )


def refuse_taken(
    request: BookingRequest, room: RoomPolicy, neighbours: Sequence[BookingData]
) -> None:
    """Raise SlotTakenError if another booking overlaps the requested interval.

    The code is `slot_held` if only holds overlap it.
    """
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
            f"Another person is booking {room.name} for this time. Try again in two minutes, or "
            "choose another time.",
            code=BookingErrorCode.SLOT_HELD,
            facts={**facts, "held_until": max(str(o.lapses_at) for o in blocking)},
        )
    raise SlotTakenError(
        f"{room.name} is already booked at this time. Choose another time or another room.",
        facts=facts,
    )


def refuse_closed(wanted: Interval, room: RoomPolicy, known: RoomContext) -> None:
    """Raise RoomClosedError if the room is out of service for a part of `wanted`."""
    for closure in known.closures:
        if closure.start < wanted.end and (closure.end is None or wanted.start < closure.end):
            end = closure.end and closure.end.isoformat()
            raise RoomClosedError(
                f"{room.name} is out of service at this time: {closure.reason}. Choose another "
                "time or another room.",
                facts={"closure": {"starts_at": closure.start.isoformat(), "ends_at": end}},
            )

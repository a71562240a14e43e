"""One booking of several rooms. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.policy_checks import check_in_deadline
from booking.domain.states import BookingState
from rooms.domain.effective_policy import Approval, RoomPolicy

AHEAD = frozenset({BookingState.PENDING, BookingState.CONFIRMED, BookingState.CHECKED_IN})


def as_one_booking(
    parts: Sequence[BookingData],
    group: UUID | None,
    room_of: Callable[[BookingData], RoomPolicy],
    *,
    now: datetime,
) -> list[BookingData]:
    """Return the bookings of several rooms joined: the strictest room counts for all.

    Where one room asks for approval all parts wait for it; one check-in stands for all of them, and
    is due when the first room wants it. Once it has begun, the parts stay as they are.
    """
    joined = [replace(part, group_id=group) for part in parts]
    waiting = [part for part in joined if _asks(part, room_of(part))]
    if waiting:
        until = min((part.lapses_at for part in waiting if part.lapses_at), default=None)
        return [replace(p, state=BookingState.PENDING, lapses_at=until) for p in joined]
    # Those that were there when another part was moved are to come anew, like those moved with it.
    is_awaited = any(part.state is not BookingState.CHECKED_IN for part in joined)
    if not is_awaited or any(p.interval.start <= now or p.state not in AHEAD for p in joined):
        return joined
    own = [check_in_deadline(part.interval, room_of(part).policy, now=now) for part in joined]
    due = min((deadline for deadline in own if deadline), default=None)
    return [
        replace(part, state=BookingState.CONFIRMED, lapses_at=due if deadline else None)
        for part, deadline in zip(joined, own, strict=True)
    ]


def _asks(part: BookingData, room: RoomPolicy) -> bool:
    """Say whether it waits for its own room's sake: another part's room may have left since."""
    asks = room.policy.approval is Approval.ALWAYS or not part.takes_slot
    return part.state is BookingState.PENDING and asks

"""Rules for a booking of several rooms, which has one part in each room. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.policy_checks import check_in_deadline
from booking.domain.states import BookingState
from rooms.domain.effective_policy import Approval, RoomPolicy

# States in which a part that has not begun waits for approval or check-in, or is checked in.
AHEAD = frozenset({BookingState.PENDING, BookingState.CONFIRMED, BookingState.CHECKED_IN})


def as_one_booking(
    parts: Sequence[BookingData],
    group: UUID | None,
    room_of: Callable[[BookingData], RoomPolicy],
    *,
    now: datetime,
) -> list[BookingData]:
    """Return the parts as one booking: the strictest of the rooms decides for all parts.

    If one room needs approval, all parts wait for it. One check-in counts for all parts; its
    deadline is the earliest of the rooms' deadlines. If a part has begun, no part changes its
    state.
    """
    joined = [replace(part, group_id=group) for part in parts]
    waiting = [part for part in joined if _needs_approval(part, room_of(part))]
    if waiting:
        until = min((part.lapses_at for part in waiting if part.lapses_at), default=None)
        return [replace(p, state=BookingState.PENDING, lapses_at=until) for p in joined]
    # If one part moved, every part needs a new check-in, also the parts that stayed.
    needs_check_in = any(part.state is not BookingState.CHECKED_IN for part in joined)
    if not needs_check_in or any(p.interval.start <= now or p.state not in AHEAD for p in joined):
        return joined
    own = [check_in_deadline(part.interval, room_of(part).policy, now=now) for part in joined]
    due = min((deadline for deadline in own if deadline), default=None)
    return [
        replace(part, state=BookingState.CONFIRMED, lapses_at=due if deadline else None)
        for part, deadline in zip(joined, own, strict=True)
    ]


def _needs_approval(part: BookingData, room: RoomPolicy) -> bool:
    """Return whether the part is pending because of its own room.

    A part can also be pending because of the room of another part, which may have been cancelled.
    """
    is_own = room.policy.approval is Approval.ALWAYS or not part.takes_slot
    return part.state is BookingState.PENDING and is_own

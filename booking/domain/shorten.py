"""Changes that make a booking shorter. Pure."""

from dataclasses import replace
from datetime import datetime

from booking.domain.booking_data import BookingData
from booking.domain.policy_checks import check_in_deadline
from booking.domain.states import BookingState
from rooms.domain.effective_policy import RoomPolicy


def gives_time_back(before: BookingData, after: BookingData) -> bool:
    """Return whether `after` is in the same room and within the time of `before`.

    Such a change is never refused, because it takes no time from others.
    """
    was, is_now = before.interval, after.interval
    return before.room == after.room and was.start <= is_now.start and is_now.end <= was.end


def shortened(
    before: BookingData, after: BookingData, room: RoomPolicy, *, now: datetime
) -> BookingData:
    """Return the shorter booking with the check-in deadline of its new times.

    An approval stays valid. A booking with another start needs a new check-in. A booking that was
    long enough to need no check-in may need one now. An imported booking needs no check-in until a
    person moves it.
    """
    if before.interval.start <= now:
        return replace(
            after, lapses_at=after.lapses_at and min(after.lapses_at, after.interval.end)
        )
    if after.state is BookingState.PENDING:
        return replace(after, lapses_at=after.interval.start)
    starts_as_before = after.interval.start == before.interval.start
    is_checked_in = after.state is BookingState.CHECKED_IN and starts_as_before
    if is_checked_in or (after.external_uid is not None and after.lapses_at is None):
        return after
    deadline = check_in_deadline(after.interval, room.policy, now=now)
    return replace(after, state=BookingState.CONFIRMED, lapses_at=deadline)

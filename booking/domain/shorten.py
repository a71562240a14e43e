"""Giving a part of a booking's time back. Pure."""

from dataclasses import replace
from datetime import datetime

from booking.domain.booking_data import BookingData
from booking.domain.policy_checks import check_in_deadline
from booking.domain.states import BookingState
from rooms.domain.effective_policy import RoomPolicy


def gives_time_back(before: BookingData, after: BookingData) -> bool:
    """Say whether it only becomes shorter; then nobody has a reason to refuse it."""
    was, is_now = before.interval, after.interval
    return before.room == after.room and was.start <= is_now.start and is_now.end <= was.end


def shortened(
    before: BookingData, after: BookingData, room: RoomPolicy, *, now: datetime
) -> BookingData:
    """Return the shorter booking with the check-in that its new times ask for.

    What was approved covers it. Whoever was there for the old start must come for the new one, and
    one that was long enough to need no check-in may need it now. What a calendar brought in needs
    none for as long as nobody moves it.
    """
    if before.interval.start <= now:
        return replace(
            after, lapses_at=after.lapses_at and min(after.lapses_at, after.interval.end)
        )
    if after.state is BookingState.PENDING:
        return replace(after, lapses_at=after.interval.start)
    starts_as_before = after.interval.start == before.interval.start
    is_there = after.state is BookingState.CHECKED_IN and starts_as_before
    if is_there or (after.external_uid is not None and after.lapses_at is None):
        return after
    deadline = check_in_deadline(after.interval, room.policy, now=now)
    return replace(after, state=BookingState.CONFIRMED, lapses_at=deadline)

"""What each viewer may read of a booking. Pure; every page, API answer and feed uses it."""

from dataclasses import replace

from booking.domain.booking_data import BookingData
from booking.domain.states import BookingState
from meeting_rooms.kernel.actor import Actor

BUSY_TITLE = "Busy"
UNDECIDED = frozenset({BookingState.PENDING, BookingState.HELD})  # screens show no such title


def may_read_details(facts: BookingData, viewer: Actor) -> bool:
    """Return whether the viewer may read the title and the organizer of the booking.

    Only the organizer and admins may read a private booking. An anonymous viewer never matches a
    booking without organizer. A device may read what a public board shows: titles if the building
    shows titles, except of private, held and pending bookings.
    """
    if viewer.is_device:
        is_shown = facts.room in viewer.titled_rooms
        return is_shown and not facts.private and facts.state not in UNDECIDED
    is_own = viewer.user_id is not None and viewer.user_id == facts.organizer_id
    return not facts.private or viewer.is_admin or is_own


def as_read_by(facts: BookingData, viewer: Actor) -> BookingData:
    """Return a copy of the booking with only what the viewer may read.

    If the viewer may not read the details, only room, time and state remain. Group and series are
    removed too, because they could reveal the organizer. A device sees no organizer, except its own
    name on its walk-ups.
    """
    if not may_read_details(facts, viewer):
        return as_busy(facts)
    return _as_on_a_board(facts, viewer) if viewer.is_device else facts


def _as_on_a_board(facts: BookingData, device: Actor) -> BookingData:
    """Return a copy with the title and without organizer, attendees, group and series."""
    is_own = facts.organizer_id is None and facts.organizer == device.name
    return replace(
        facts,
        organizer=facts.organizer if is_own else "",
        organizer_id=None,
        attendees=None,
        group_id=None,
        series_id=None,
        recurrence_id=None,
        external_uid=None,
    )


def as_busy(facts: BookingData) -> BookingData:
    """Return a copy without details, titled `Busy`, for viewers who may not read them."""
    return replace(
        facts,
        title=BUSY_TITLE,
        organizer="",
        organizer_id=None,
        attendees=None,
        group_id=None,
        series_id=None,
        recurrence_id=None,
        flags=(),
        external_uid=None,
    )

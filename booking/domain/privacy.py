"""Who may read what a booking is about. Pure; every exit asks here."""

from dataclasses import replace

from booking.domain.booking_data import BookingData
from booking.domain.states import BookingState
from meeting_rooms.kernel.actor import Actor

BUSY_TITLE = "Busy"
UNDECIDED = frozenset({BookingState.PENDING, BookingState.HELD})  # screens show neither


def may_read_details(facts: BookingData, viewer: Actor) -> bool:
    """Say whether the viewer may read title and organizer: all but strangers to a private one.

    An anonymous viewer never matches a booking without organizer. A device reads what a public
    board reads: titles where its building shows them, and only of bookings that are decided.
    """
    if viewer.is_device:
        is_shown = facts.room in viewer.titled_rooms
        return is_shown and not facts.private and facts.state not in UNDECIDED
    is_own = viewer.user_id is not None and viewer.user_id == facts.organizer_id
    return not facts.private or viewer.is_admin or is_own


def as_read_by(facts: BookingData, viewer: Actor) -> BookingData:
    """Return the booking as the viewer may read it.

    Of a stranger's private booking only room, time and state are left: no people, no flags, nothing
    that ties it to others, for a series or a group tells whose it is. A device reads no people
    either, only its own name on its walk-ups.
    """
    if not may_read_details(facts, viewer):
        return as_busy(facts)
    return _as_on_a_board(facts, viewer) if viewer.is_device else facts


def _as_on_a_board(facts: BookingData, device: Actor) -> BookingData:
    """Return the booking with its title and without people."""
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
    """Return the booking as strangers read it where it is, was or becomes private."""
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

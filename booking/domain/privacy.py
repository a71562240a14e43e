"""Who may read what a booking is about. Pure; every exit asks here."""

from dataclasses import replace

from booking.domain.booking_data import BookingData
from meeting_rooms.kernel.actor import Actor

BUSY_TITLE = "Busy"


def may_read_details(facts: BookingData, viewer: Actor) -> bool:
    """Say whether the viewer may read title and organizer: all but strangers to a private one.

    Who is nobody in particular is not the organizer of a booking that has none.
    """
    is_own = viewer.user_id is not None and viewer.user_id == facts.organizer_id
    return not facts.private or viewer.is_admin or is_own


def as_read_by(facts: BookingData, viewer: Actor) -> BookingData:
    """Return the booking as the viewer may read it.

    Of a stranger's private booking only room, time and state are left: no people, no flags, nothing
    that ties it to others, for a series or a group tells whose it is.
    """
    return facts if may_read_details(facts, viewer) else as_busy(facts)


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

"""Who may read what a booking is about. Pure; every exit asks here."""

from booking.domain.facts import BookingFacts
from meeting_rooms.kernel.actor import Actor

BUSY_TITLE = "Busy"


def may_read_details(facts: BookingFacts, viewer: Actor) -> bool:
    """Say whether the viewer may read title and organizer: all but strangers to a private one."""
    return not facts.private or viewer.is_admin or viewer.user_id == facts.organizer_id is not None

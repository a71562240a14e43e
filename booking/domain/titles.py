"""What a booking may be called. Pure."""

import unicodedata

from booking.domain.error_codes import BookingErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError

MAX_TITLE_LENGTH = 200
DEFAULT_TITLE = "Meeting"


def clean_title(title: str) -> str:
    """Return the title without outer blanks, or the default for none."""
    title = title.strip() or DEFAULT_TITLE
    if len(title) > MAX_TITLE_LENGTH:
        raise InvalidCommandError(
            f"The title has {len(title)} characters; at most {MAX_TITLE_LENGTH} fit.",
            code=BookingErrorCode.TITLE_TOO_LONG,
        )
    # Printable text, the common case, is told in one call.
    if not title.isprintable() and any(unicodedata.category(c) in ("Cc", "Cs") for c in title):
        raise InvalidCommandError(
            "The title has a control character or a line break. Remove it.",
            code=BookingErrorCode.TITLE_NOT_TEXT,
        )
    return title

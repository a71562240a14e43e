"""The title of a booking: its default and its limits. Pure."""

import unicodedata

from booking.domain.error_codes import BookingErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError

MAX_TITLE_LENGTH = 200  # characters, as in the database column
DEFAULT_TITLE = "Meeting"


def clean_title(title: str) -> str:
    """Return the title without blanks at its ends, or the default title if nothing is left.

    Raises InvalidCommandError `title_too_long`, or `title_not_text` if the title has a control
    character or a line break.
    """
    title = title.strip() or DEFAULT_TITLE
    if len(title) > MAX_TITLE_LENGTH:
        raise InvalidCommandError(
            f"The title has {len(title)} characters. The maximum is {MAX_TITLE_LENGTH}.",
            code=BookingErrorCode.TITLE_TOO_LONG,
        )
    # Most titles are printable: `isprintable` finds that in one call, without a loop.
    if not title.isprintable() and any(unicodedata.category(c) in ("Cc", "Cs") for c in title):
        raise InvalidCommandError(
            "The title has a control character or a line break. Remove it.",
            code=BookingErrorCode.TITLE_NOT_TEXT,
        )
    return title

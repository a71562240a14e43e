"""Errors of booking that carry facts besides their sentence. Pure."""

from collections.abc import Iterable

from booking.domain.error_codes import BookingErrorCode
from meeting_rooms.kernel.errors import (
    ConflictError,
    InvalidCommandError,
    OutdatedCommandError,
)
from meeting_rooms.kernel.interval import Interval

MAX_REPORTED_CONFLICTS = 10  # intervals in one answer: a person reads no more


class SlotTakenError(ConflictError):
    """Another booking takes the slot or a part of it.

    The code is `slot_held` if only holds take it.

    Shapes: `facts.room` is the room; `facts.taken` is a list of `{starts_at, ends_at}`, earliest
    first. The list has no organizer and no title, because other people's bookings may be private.
    """

    default_code = BookingErrorCode.SLOT_TAKEN


class RoomClosedError(ConflictError):
    """The room is out of service for a part of the slot."""

    default_code = BookingErrorCode.OUT_OF_SERVICE


class StaleVersionError(OutdatedCommandError):
    """The booking or the series was changed after the caller read it.

    Shapes: `facts.version` is the present version; `facts.changed` maps each member that differs to
    `{was, is}`, if the version that the caller read is still known.
    """

    default_code = BookingErrorCode.STALE_VERSION


class RuleError(InvalidCommandError):
    """The booking breaks rules of the room. A room manager may override them.

    Shapes: `facts.refusals` lists all broken rules as `{code, detail, rule, source, …}`; the
    further members of each say what would be allowed. `code` and `detail` of the error are those of
    the first rule.
    """

    default_code = BookingErrorCode.AGAINST_THE_RULES


def shown(interval: Interval) -> dict[str, str]:
    """Return an interval as refusals and answers show it."""
    return {"starts_at": interval.start.isoformat(), "ends_at": interval.end.isoformat()}


def shown_all(intervals: Iterable[Interval]) -> list[dict[str, str]]:
    """Return the first MAX_REPORTED_CONFLICTS intervals, earliest first."""
    return [shown(interval) for interval in sorted(intervals)[:MAX_REPORTED_CONFLICTS]]

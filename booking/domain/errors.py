"""The refusals of booking that say more than a sentence. Pure."""

from collections.abc import Iterable

from booking.domain.error_codes import BookingErrorCode
from meeting_rooms.kernel.errors import (
    ConflictError,
    InvalidCommandError,
    OutdatedCommandError,
)
from meeting_rooms.kernel.interval import Interval

MAX_REPORTED_CONFLICTS = 10


class SlotTakenError(ConflictError):
    """The slot, or a part of it, belongs to somebody else.

    Shapes: `facts.taken` is a list of `{room, starts_at, ends_at}`, earliest first, and no more
    than that: whose booking it is stays private. Code `slot_held` where only holds are in the way.
    """

    default_code = BookingErrorCode.SLOT_TAKEN


class RoomClosedError(ConflictError):
    """The room is out of service for a part of the slot."""

    default_code = BookingErrorCode.OUT_OF_SERVICE


class StaleVersionError(OutdatedCommandError):
    """Somebody changed it since the caller read it.

    Shapes: `facts.version` is the present one; `facts.changed` maps each member that differs to
    `{was, is}`, where the version that the caller read is still known.
    """

    default_code = BookingErrorCode.STALE_VERSION


class RuleError(InvalidCommandError):
    """A rule of the room forbids it; managers of the room may override it.

    Shapes: `facts.refusals` lists every rule that was broken as `{code, detail, rule, source, …}`,
    each with what would be allowed instead; `code` and `detail` are those of the first.
    """

    default_code = BookingErrorCode.AGAINST_THE_RULES


def shown(interval: Interval) -> dict[str, str]:
    """Return a stretch as refusals and answers show it."""
    return {"starts_at": interval.start.isoformat(), "ends_at": interval.end.isoformat()}


def shown_all(intervals: Iterable[Interval]) -> list[dict[str, str]]:
    """Return the earliest stretches, no more than a person reads."""
    return [shown(interval) for interval in sorted(intervals)[:MAX_REPORTED_CONFLICTS]]

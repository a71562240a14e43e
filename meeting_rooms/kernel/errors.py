"""The one error tree. Every refusal has a stable code (API) and a sentence (for people).

The apps raise these; only the edges translate them to HTTP status, WebSocket frame or exit code.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from meeting_rooms.kernel.error_codes import KernelErrorCode


class MeetingRoomsError(Exception):
    """A refusal that its cause can act on.

    Shapes: `code` is snake_case and never changes meaning; `detail` is a full sentence;
    `facts` holds JSON-ready values that help the reader go on (an interval, alternatives).
    """

    default_code: ClassVar[str] = KernelErrorCode.ERROR

    def __init__(
        self, detail: str, *, code: str | None = None, facts: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default_code
        self.facts: Mapping[str, Any] = facts or {}


class InvalidCommandError(MeetingRoomsError):
    """The command makes no sense as given; sending it again will not help."""

    default_code: ClassVar[str] = KernelErrorCode.INVALID


class NotAuthenticatedError(MeetingRoomsError):
    """Nobody is signed in, and this needs somebody."""

    default_code: ClassVar[str] = KernelErrorCode.NOT_AUTHENTICATED


class PermissionDeniedError(MeetingRoomsError):
    """The actor is known and may not do this."""

    default_code: ClassVar[str] = KernelErrorCode.PERMISSION_DENIED


class NotFoundError(MeetingRoomsError):
    """No such thing, or the actor may not know of it."""

    default_code: ClassVar[str] = KernelErrorCode.NOT_FOUND


class ConflictError(MeetingRoomsError):
    """The command was sound, but the present state forbids it."""

    default_code: ClassVar[str] = KernelErrorCode.CONFLICT


class OutdatedCommandError(MeetingRoomsError):
    """The command was made from a state that has changed since. Read again, then decide."""

    default_code: ClassVar[str] = KernelErrorCode.OUTDATED


class LimitExceededError(MeetingRoomsError):
    """A stated bound was passed."""

    default_code: ClassVar[str] = KernelErrorCode.LIMIT_EXCEEDED


class UnavailableError(MeetingRoomsError):
    """A store did not answer in time. Nothing was changed; trying again is safe."""

    default_code: ClassVar[str] = KernelErrorCode.UNAVAILABLE


class LiveStoreUnavailableError(UnavailableError):
    """The store of the live states, MongoDB, did not answer in time."""

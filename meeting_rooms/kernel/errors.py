"""The error classes of all apps. Each error has a stable code (API) and a sentence (for people).

The apps raise these errors; only the REST API, the pages, the socket and the commands of
`manage.py` translate them to an HTTP status, a frame or an exit code.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from meeting_rooms.kernel.error_codes import KernelErrorCode


class MeetingRoomsError(Exception):
    """A refusal that the caller can act on.

    Shapes: `code` is snake_case and never changes meaning; `detail` is a full sentence;
    `facts` holds JSON-ready values for the next step of the caller (an interval, alternatives).
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
    """The command is invalid; sending it again unchanged fails again."""

    default_code: ClassVar[str] = KernelErrorCode.INVALID


class NotAuthenticatedError(MeetingRoomsError):
    """The caller has not signed in, and the command needs a person or a device."""

    default_code: ClassVar[str] = KernelErrorCode.NOT_AUTHENTICATED


class PermissionDeniedError(MeetingRoomsError):
    """The actor is signed in and may not do this."""

    default_code: ClassVar[str] = KernelErrorCode.PERMISSION_DENIED


class NotFoundError(MeetingRoomsError):
    """The object does not exist, or the actor may not know of it."""

    default_code: ClassVar[str] = KernelErrorCode.NOT_FOUND


class ConflictError(MeetingRoomsError):
    """The command is valid, but the present state forbids it."""

    default_code: ClassVar[str] = KernelErrorCode.CONFLICT


class OutdatedCommandError(MeetingRoomsError):
    """The object has changed since the caller read it. Read again, then decide."""

    default_code: ClassVar[str] = KernelErrorCode.OUTDATED


class LimitExceededError(MeetingRoomsError):
    """A stated limit was exceeded."""

    default_code: ClassVar[str] = KernelErrorCode.LIMIT_EXCEEDED


class UnavailableError(MeetingRoomsError):
    """A store did not answer in time. Nothing was changed; trying again is safe."""

    default_code: ClassVar[str] = KernelErrorCode.UNAVAILABLE


class LiveStoreUnavailableError(UnavailableError):
    """The store of the live states, MongoDB, did not answer in time."""

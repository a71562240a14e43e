"""The base class of all error codes, and the codes that every app shares."""

from enum import StrEnum
from typing import Self


class ErrorCode(StrEnum):
    """The code of a refusal. Each app has one enumeration of its codes, derived from this class.

    Shapes: a member is `NAME = "name", "meaning"`. The code never changes its meaning; `meaning` is
    one sentence for readers of the API's documents (`docs/errors.md` is generated from it).
    """

    meaning: str

    def __new__(cls, code: str, meaning: str) -> Self:
        """Make the member whose value is the code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


class KernelErrorCode(ErrorCode):
    """Codes of refusals that every app shares. Codes are stable; `meaning` is for documents."""

    ERROR = "error", "A refusal without a more specific code."
    INVALID = "invalid", "A value of the request is missing, of another type, or out of its bounds."
    NOT_AUTHENTICATED = (
        "not_authenticated",
        "The request has no valid sign-in and no valid token. Sign in, or send a valid token.",
    )
    PERMISSION_DENIED = "permission_denied", "The caller is signed in and may not do this."
    NOT_FOUND = "not_found", "The object does not exist, or the caller may not know of it."
    CONFLICT = "conflict", "The command is valid, but the present state forbids it."
    OUTDATED = (
        "outdated",
        "The object has changed since the caller read it. Read again, then decide.",
    )
    LIMIT_EXCEEDED = "limit_exceeded", "The request is over a stated limit."
    UNAVAILABLE = "unavailable", "A store did not answer in time. Nothing was changed; try again."
    INVALID_TIME = (
        "invalid_time",
        "A time is outside the years that the system keeps, or an end is not after its start.",
    )
    END_NOT_AFTER_START = "end_not_after_start", "The end is not after the start."
    TIME_WITHOUT_ZONE = "time_without_zone", "A time names no time zone and no offset."
    TIME_WITH_ZONE = (
        "time_with_zone",
        "A local time was expected, and it names a time zone or an offset.",
    )
    TIME_DOES_NOT_EXIST = "time_does_not_exist", "The clock jumps over this local time on that day."
    TIME_IS_AMBIGUOUS = (
        "time_is_ambiguous",
        "The clock shows this local time twice on that day. Say which of the two is meant.",
    )
    DAY_DOES_NOT_EXIST = "day_does_not_exist", "The time zone has no such day."
    BAD_IF_MATCH = "bad_if_match", "The If-Match header is not an ETag of this API."
    BODY_TOO_LARGE = "body_too_large", "The body of the request is larger than the server accepts."
    IMPOSSIBLE_VALUE = (
        "impossible_value",
        "PostgreSQL cannot store a value of the request, such as a null character.",
    )
    INTERNAL_ERROR = "internal_error", "The server failed. Its log has the error and request id."
    METRICS_NOT_YOURS = (
        "metrics_not_yours",
        "Only the local machine, or a caller with the metrics token, may read the metrics.",
    )

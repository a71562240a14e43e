"""The body of every refused API request: RFC 9457 problem details with a stable code."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict

from meeting_rooms.kernel import errors

PROBLEM_CONTENT_TYPE = "application/problem+json"

_STATUS: dict[type[errors.MeetingRoomsError], HTTPStatus] = {
    errors.InvalidCommandError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotAuthenticatedError: HTTPStatus.UNAUTHORIZED,
    errors.PermissionDeniedError: HTTPStatus.FORBIDDEN,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.OutdatedCommandError: HTTPStatus.PRECONDITION_FAILED,
    errors.LimitExceededError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}


class Problem(BaseModel):
    """The reason of a refusal. Further members depend on the code."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str


def status_of(error: errors.MeetingRoomsError) -> HTTPStatus:
    """Return the HTTP status of a refusal: the status of its nearest base class in the error tree.

    Raises LookupError for an error class without such a base class, which is a bug.
    """
    for cls in type(error).__mro__:
        if cls in _STATUS:
            return _STATUS[cls]
    message = f"{type(error).__name__} is in no branch of the error tree"
    raise LookupError(message)


def problem(status: HTTPStatus, *, code: str, detail: str, **facts: Any) -> dict[str, Any]:
    """Return the body of a refusal, JSON-ready."""
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
        **facts,
    }

"""The REST API: the routers of all apps, and the mapping of errors to HTTP responses."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja.errors import AuthenticationError, HttpError, ValidationError

from booking.api import router as booking_router
from identity.api import router as identity_router
from identity.api_auth import API_AUTH
from meeting_rooms import __version__
from meeting_rooms.http.problem import PROBLEM_CONTENT_TYPE, problem, status_of
from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import MeetingRoomsError
from meeting_rooms.kernel.product import PRODUCT_NAME
from meeting_rooms.openapi import DocumentedAPI, OrjsonRenderer
from rooms.api import router as rooms_router

log = structlog.get_logger(__name__)
RETRY = {"Retry-After": "2"}  # seconds

api = DocumentedAPI(
    title=PRODUCT_NAME,
    version=__version__,
    description="Rooms, availability and bookings. Refusals are RFC 9457 problems whose `code` "
    "is stable. Live changes are pushed at /ws/v1/live.",
    docs_url=None,  # the bundled viewers need inline scripts, which the CSP forbids
    urls_namespace="api",
    renderer=OrjsonRenderer(),
    auth=API_AUTH,
)
api.add_router("", identity_router)
api.add_router("", rooms_router)
api.add_router("", booking_router)


def _answer(
    status: HTTPStatus,
    *,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **facts: Any,
) -> HttpResponse:
    return JsonResponse(
        problem(status, code=code, detail=detail, **facts),
        status=status,
        content_type=PROBLEM_CONTENT_TYPE,
        headers=dict(headers or {}),
    )


@api.exception_handler(MeetingRoomsError)
def on_refusal(_request: HttpRequest, exc: MeetingRoomsError) -> HttpResponse:
    """Return the response to a refused command or query."""
    status = status_of(exc)
    headers = RETRY if status is HTTPStatus.SERVICE_UNAVAILABLE else None
    return _answer(status, code=exc.code, detail=exc.detail, headers=headers, **exc.facts)


@api.exception_handler(ValidationError)
def on_validation(_request: HttpRequest, exc: ValidationError) -> HttpResponse:
    """Return the response to a request that does not fit its schema: each member and its error."""
    errors = [
        {"at": ".".join(str(part) for part in error["loc"]), "detail": error["msg"]}
        for error in exc.errors
    ]
    return _answer(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        code=KernelErrorCode.INVALID,
        detail="; ".join(f"{e['at']}: {e['detail']}" for e in errors),
        errors=errors,
    )


@api.exception_handler(HttpError)
def on_http_error(_request: HttpRequest, exc: HttpError) -> HttpResponse:
    """Return the response to a request that the framework refused: a body that is not JSON."""
    status = HTTPStatus(exc.status_code)
    code = "not_json" if status is HTTPStatus.BAD_REQUEST else "refused"
    return _answer(status, code=code, detail=str(exc))


@api.exception_handler(AuthenticationError)
def on_unauthenticated(_request: HttpRequest, _exc: AuthenticationError) -> HttpResponse:
    """Return the response to a request without valid credentials."""
    return _answer(
        HTTPStatus.UNAUTHORIZED,
        code=KernelErrorCode.NOT_AUTHENTICATED,
        detail="Send 'Authorization: Bearer <token>'. Make a token at /account/tokens.",
        headers={"WWW-Authenticate": "Bearer"},
    )


@api.exception_handler(Http404)
def on_missing(_request: HttpRequest, _exc: Http404) -> HttpResponse:
    """Return the response to an unknown address."""
    return _answer(
        HTTPStatus.NOT_FOUND,
        code=KernelErrorCode.NOT_FOUND,
        detail="There is nothing at this address.",
    )


@api.exception_handler(RequestDataTooBig)
def on_too_big(_request: HttpRequest, _exc: RequestDataTooBig) -> HttpResponse:
    """Return the response to a body over DATA_UPLOAD_MAX_MEMORY_SIZE."""
    return _answer(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        code=KernelErrorCode.BODY_TOO_LARGE,
        detail="The body is too large. The maximum is 256 KiB.",
    )


@api.exception_handler(DataError)
def on_impossible_value(_request: HttpRequest, _exc: DataError) -> HttpResponse:
    """Return the response to a value that no column can hold: a NUL byte, too large a number."""
    return _answer(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        code=KernelErrorCode.IMPOSSIBLE_VALUE,
        detail="A value cannot be stored: a NUL byte, or a number that is too large.",
    )


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def on_store_down(_request: HttpRequest, exc: Exception) -> HttpResponse:
    """Return the response while Postgres is unavailable or slow."""
    log.warning("request_failed", error=exc)
    return _answer(
        HTTPStatus.SERVICE_UNAVAILABLE,
        code=KernelErrorCode.UNAVAILABLE,
        detail="The bookings store did not answer in time. Try again, with the same "
        "Idempotency-Key if you sent one.",
        headers=RETRY,
    )


@api.exception_handler(Exception)
def on_bug(_request: HttpRequest, exc: Exception) -> HttpResponse:
    """Return the response to an error of the server. Only the log has the details."""
    log.error("unhandled_error", exc_info=exc)
    return _answer(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        code=KernelErrorCode.INTERNAL_ERROR,
        detail="The server failed. Quote the X-Request-ID when you report the error.",
    )

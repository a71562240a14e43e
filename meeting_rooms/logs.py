"""Structured logs: one line per event, with the request's id on every line it causes."""

import re
import sys
import uuid
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse

from meeting_rooms.store_log import StoreOutageFilter

REQUEST_ID_HEADER = "X-Request-ID"
_FEED_SECRET = re.compile(r"/feeds/[^\s\"'/?]+")
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

structlog.configure(
    processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)

log = structlog.get_logger(__name__)


def logging_config(*, level: str, as_json: bool) -> dict[str, Any]:
    """Return the `LOGGING` setting: JSON lines for machines, or coloured lines for a terminal."""
    renderer = _without_secrets(
        structlog.processors.JSONRenderer(ensure_ascii=True)  # no raw control bytes in a line
        if as_json
        else structlog.dev.ConsoleRenderer(pad_event_to=32, colors=sys.stderr.isatty())
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    _describe_errors,
                    renderer,
                ],
            }
        },
        "filters": {"store_outages": {"()": StoreOutageFilter}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "structured",
                "filters": ["store_outages"],
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Handled refusals are answers, not incidents.
            "django.request": {"level": "ERROR"},
            "django.channels.server": {"level": "WARNING"},
            "daphne": {"level": "WARNING"},
        },
    }


def _describe_errors(_logger: Any, _name: str, event: Any) -> Any:
    """Write the exceptions in a line's fields as text, in one form."""
    for key, value in event.items():
        if isinstance(value, BaseException):
            event[key] = f"{type(value).__name__}: {value}".strip()
    return event


def _without_secrets(render: Callable[[Any, str, Any], str | bytes]) -> Callable[..., str]:
    """Take the secrets of calendar feeds out of a line: they stand in the address, not a header."""

    def rendered(logger: Any, name: str, event: Any) -> str:
        return _FEED_SECRET.sub("/feeds/[secret]", str(render(logger, name, event)))

    return rendered


def _request_id(request: HttpRequest) -> str:
    given = request.headers.get(REQUEST_ID_HEADER, "")
    return given if _ACCEPTED_ID.fullmatch(given) else uuid.uuid4().hex


class RequestIdMiddleware:
    """Give each request an id (or keep a well-formed one), log under it, and answer with it."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponse]]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        request_id = _request_id(request)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            began = perf_counter()
            response = await self.get_response(request)
            log.info(
                "request",
                method=request.method,
                path=request.path,  # without the query, which may hold what people typed
                status=response.status_code,
                duration_ms=round((perf_counter() - began) * 1000, 1),
            )
        response[REQUEST_ID_HEADER] = request_id
        return response

"""Structured logs: one line per event, with the id of the request that caused the event."""

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
            # Refusals are normal answers, not incidents.
            "django.request": {"level": "ERROR"},
            "django.channels.server": {"level": "WARNING"},
            "daphne": {"level": "WARNING"},
        },
    }


def _describe_errors(_logger: Any, _name: str, event: Any) -> Any:
    """Replace each exception in the fields of an event by one line of text."""
    for key, value in event.items():
        if isinstance(value, BaseException):
            event[key] = f"{type(value).__name__}: {value}".strip()
    return event


def _without_secrets(render: Callable[[Any, str, Any], str | bytes]) -> Callable[..., str]:
    """Return a renderer that removes the secrets of calendar feeds, which are part of their URL."""

    def rendered(logger: Any, name: str, event: Any) -> str:
        return _FEED_SECRET.sub("/feeds/[secret]", str(render(logger, name, event)))

    return rendered


def _request_id(request: HttpRequest) -> str:
    given = request.headers.get(REQUEST_ID_HEADER, "")
    return given if _ACCEPTED_ID.fullmatch(given) else uuid.uuid4().hex


class RequestIdMiddleware:
    """Gives each request an id, or keeps a well-formed one, for its log lines and its response."""

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
                path=request.path,  # without the query, which may contain personal data
                status=response.status_code,
                duration_ms=round((perf_counter() - began) * 1000, 1),
            )
        response[REQUEST_ID_HEADER] = request_id
        return response

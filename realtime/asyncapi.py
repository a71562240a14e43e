"""The live protocol as an AsyncAPI 3.0 document, at `/api/v1/asyncapi.json`.

The document is generated from the models of the frames, their docstrings, the close codes and the
limits. This module adds only the descriptions that belong to no model.
"""

from copy import deepcopy
from functools import cache
from typing import Any, get_args

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from meeting_rooms import __version__
from meeting_rooms.kernel.product import PRODUCT_NAME
from realtime.protocol import messages
from realtime.protocol.frames import CLOSE_CODES, SERVER_FRAMES

CHANNEL = "#/channels/live"
CLIENT_FRAMES: tuple[type[BaseModel], ...] = get_args(messages.ClientFrame)
ANSWERS = {
    "subscribe": "snapshot",
    "unsubscribe": "unsubscribed",
    "ping": "pong",
    "hold": "held",
    "renew": "held",
    "release": "released",
}

LIMITS = {
    "HEARTBEAT_S": "Seconds between heartbeats.",
    "MAX_FRAME_BYTES": "The maximum size of a client's frame, in bytes.",
    "MAX_TOPICS_PER_CONNECTION": "The maximum number of topics that one connection follows.",
    "MAX_FRAMES_PER_MINUTE": "The maximum number of frames that a client sends in one minute. "
    "One frame more closes the connection with 4429.",
    "MAX_BAD_FRAMES_PER_MINUTE": "The maximum number of invalid frames that a client sends in one "
    "minute. One frame more closes the connection with 4400.",
    "MAX_LAGS": "The maximum number of measurements in one `seen` frame.",
    "MAX_NUMBER": "The maximum of any number in a client's frame. Numbers must be finite.",
}

_DESCRIPTION = """\
The server pushes every change of a room. Each frame is a text frame with one JSON object, which has
a `type`. Ignore members and frame types that you do not know.

A page of this site connects with its session cookie and the Origin of this site. A program sends a
Bearer token and needs no Origin. A page can follow public topics without sign-in.
"""


@require_safe
def asyncapi_json(request: HttpRequest) -> JsonResponse:
    """Return the document; its server is the host of the request."""
    return JsonResponse(document(host=request.get_host(), is_secure=settings.HTTPS))


def document(*, host: str, is_secure: bool) -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of the server at `host`, JSON-ready.

    Schemas are JSON Schema draft 7. They allow undocumented members; the server sends none.
    """
    schemes = ("bearer", "session")
    server = {
        "host": host,
        "protocol": "wss" if is_secure else "ws",
        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in schemes],
    }
    return {**deepcopy(_described()), "servers": {"this": server}}


@cache
def _described() -> dict[str, Any]:
    frames = (*CLIENT_FRAMES, *SERVER_FRAMES)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"{PRODUCT_NAME}: live protocol",
            "version": __version__,
            "description": _DESCRIPTION,
            "x-close-codes": {str(code): text for code, text in CLOSE_CODES.items()},
            "x-limits": {
                name: {"value": getattr(messages, name), "description": text}
                for name, text in LIMITS.items()
            },
        },
        "defaultContentType": "application/json",
        "channels": {
            "live": {
                "address": "/ws/v1/live",
                "title": "The WebSocket of a client",
                "messages": {
                    kind_of(frame): {"$ref": f"#/components/messages/{kind_of(frame)}"}
                    for frame in frames
                },
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            **{f"receive-{kind_of(frame)}": _received(frame) for frame in CLIENT_FRAMES},
            **{f"send-{kind_of(frame)}": _sent(frame) for frame in SERVER_FRAMES},
        },
        "components": {
            "messages": {kind_of(frame): _message(frame) for frame in frames},
            "schemas": _schemas(frames),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token, created on the page /account/tokens.",
                },
                "session": {
                    "type": "httpApiKey",
                    "in": "cookie",
                    "name": settings.SESSION_COOKIE_NAME,
                    "description": "The session cookie of a page of this site, with its Origin.",
                },
            },
        },
    }


def kind_of(frame: type[BaseModel]) -> str:
    """Return the value of the member `type` of a frame model."""
    (kind,) = get_args(frame.model_fields["type"].annotation)
    return str(kind)


def _description_of(frame: type[BaseModel]) -> str:
    return " ".join((frame.__doc__ or "").split())


def _message(frame: type[BaseModel]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{frame.__name__}"}
    return {"name": kind_of(frame), "summary": _description_of(frame), "payload": schema}


def _sent(frame: type[BaseModel]) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": CHANNEL},
        "messages": [{"$ref": f"{CHANNEL}/messages/{kind_of(frame)}"}],
    }


def _received(frame: type[BaseModel]) -> dict[str, Any]:
    kind = kind_of(frame)
    operation = {**_sent(frame), "action": "receive"}
    if answer := ANSWERS.get(kind):
        answers = [{"$ref": f"{CHANNEL}/messages/{name}"} for name in (answer, "error")]
        operation["reply"] = {"channel": {"$ref": CHANNEL}, "messages": answers}
    return operation


def _schemas(frames: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    _, generated = models_json_schema(
        [(frame, "validation") for frame in frames], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Any] = _as_draft_7(generated["$defs"])
    return schemas


def _as_draft_7(node: Any) -> Any:
    """Convert JSON Schema 2020-12, as pydantic writes it, to draft 7: `prefixItems` was `items`."""
    if isinstance(node, list):
        return [_as_draft_7(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        "items" if key == "prefixItems" else key: _as_draft_7(value) for key, value in node.items()
    }

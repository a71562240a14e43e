"""The frames of `/ws/v1/live`, version 1. Pure: parsing and encoding only.

Frames are JSON texts with a `type`. Members nobody knows are ignored, so either side may be newer.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from meeting_rooms.kernel.errors import InvalidCommandError
from realtime.domain.state import LiveState, Mark

MAX_FRAME_BYTES = 4096  # from a client
MAX_TOPICS_PER_CONNECTION = 50
MAX_FRAMES_PER_MINUTE = 60
MAX_BAD_FRAMES_PER_MINUTE = 5
HEARTBEAT_S = 4.0

CLOSE_BAD_FRAME = 4400
CLOSE_NOT_AUTHENTICATED = 4401
CLOSE_TOO_SLOW = 4408
CLOSE_TOO_MANY = 4429


class _Frame(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    ref: str | int | None = None  # the client's own, repeated in an error


class Subscribe(_Frame):
    """Follow a topic. `have` names what the client shows already; `view` asks for HTML."""

    type: Literal["subscribe"]
    topic: str
    have: dict[str, Mark] = Field(default_factory=dict)
    view: str | None = None


class Unsubscribe(_Frame):
    """Stop following a topic."""

    type: Literal["unsubscribe"]
    topic: str


class Ping(_Frame):
    """Ask for a sign of life; `t` comes back unchanged."""

    type: Literal["ping"]
    t: float


ClientFrame = Subscribe | Unsubscribe | Ping
_ADAPTER: TypeAdapter[ClientFrame] = TypeAdapter(
    Annotated[ClientFrame, Field(discriminator="type")]
)


class BadFrameError(InvalidCommandError):
    """The frame cannot be read."""

    default_code = "bad_frame"


def parse_frame(text: str | None) -> ClientFrame:
    """Read a client's frame; None is a binary one. Raises BadFrameError that says what is wrong."""
    if text is None:
        raise BadFrameError("Frames are JSON text; this one was binary.")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_FRAME_BYTES:
        raise BadFrameError(
            f"A frame may have at most {MAX_FRAME_BYTES} bytes.", code="frame_too_large"
        )
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        at = ".".join(str(part) for part in first["loc"]) or "frame"
        raise BadFrameError(f"{at}: {first['msg']}.") from exc


def instant(at: datetime) -> str:
    """Return an instant as frames carry it: UTC, milliseconds, Z."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _default(value: object) -> str:
    if isinstance(value, datetime):
        return instant(value)
    message = f"{type(value).__name__} has no form in a frame"
    raise TypeError(message)


def encode(frame: Mapping[str, Any]) -> str:
    """Return a server frame as compact JSON."""
    return json.dumps(frame, default=_default, separators=(",", ":"), ensure_ascii=False)


def room_body(state: LiveState) -> dict[str, Any]:
    """Return a room as JSON clients get it. The state is redacted already."""
    body = asdict(state)
    del body["is_public"], body["shows_titles"]
    return body


def snapshot(
    topic: str, at: datetime, rooms: Iterable[Mapping[str, Any]], gone: Iterable[str], **extra: Any
) -> str:
    """Encode a topic's rooms, or those that differ from what the client has."""
    return encode(
        {"type": "snapshot", "topic": topic, "at": at, "rooms": [*rooms], "gone": [*gone], **extra}
    )


def room(topic: str, body: Mapping[str, Any], **extra: Any) -> str:
    """Encode one room's newest state."""
    return encode({"type": "room", "topic": topic, "room": body, **extra})


def heartbeat(at: datetime, digest: Mapping[str, int]) -> str:
    """Encode proof of life with the digest of each topic."""
    return encode({"type": "heartbeat", "at": at, "digest": digest})


def unsubscribed(topic: str) -> str:
    """Encode the end of a topic."""
    return encode({"type": "unsubscribed", "topic": topic})


def pong(t: float, at: datetime) -> str:
    """Encode the answer to a ping."""
    return encode({"type": "pong", "t": t, "at": at})


def error(code: str, detail: str, ref: str | int | None = None) -> str:
    """Encode a refusal."""
    return encode({"type": "error", "code": code, "detail": detail, "ref": ref})

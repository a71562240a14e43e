"""The frames of `/ws/v1/live`, version 1. Pure: parsing and encoding only.

Frames are JSON texts with a `type`. Members nobody knows are ignored, so either side may be newer.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from meeting_rooms.kernel.errors import InvalidCommandError
from realtime.state.error_codes import LiveErrorCode
from realtime.state.live_state import LiveState, as_plain

MAX_FRAME_BYTES = 4096  # from a client
MAX_TOPICS_PER_CONNECTION = 50
MAX_FRAMES_PER_MINUTE = 60
MAX_BAD_FRAMES_PER_MINUTE = 5
MAX_LAGS = 64  # measurements in one `seen`
MAX_NUMBER = 2**53 - 1  # of any number from a client. Source: RFC 8259 section 6, exact everywhere
HEARTBEAT_S = 4.0

CLOSE_RESTART = 1012  # RFC 6455 registry: service restart
CLOSE_BAD_FRAME = 4400
CLOSE_NOT_AUTHENTICATED = 4401
CLOSE_TOO_SLOW = 4408
CLOSE_TOO_MANY = 4429

Count = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
Ref = str | Annotated[int, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)] | None


class _Frame(BaseModel):
    # 1e999 is JSON, and infinity once it is read.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    ref: Ref = None  # the client's own, repeated in an error


class Subscribe(_Frame):
    """Follow a topic. `have` names what the client shows already; `view` asks for HTML."""

    type: Literal["subscribe"]
    topic: str
    have: dict[str, tuple[str, Count]] = Field(default_factory=dict)  # epoch and version by room
    view: str | None = None
    language: str | None = None  # of the view's HTML


class Unsubscribe(_Frame):
    """Stop following a topic."""

    type: Literal["unsubscribe"]
    topic: str


class Ping(_Frame):
    """Ask for a sign of life; `t` comes back unchanged."""

    type: Literal["ping"]
    t: float = Field(ge=-MAX_NUMBER, le=MAX_NUMBER)


class Ack(_Frame):
    """Confirm that everything up to this `sync` has arrived."""

    type: Literal["ack"]
    n: Count


class Seen(_Frame):
    """Report, per change painted since the last report, how long after the fact it was on screen.

    `stale_s`: how long the screen has not been live; 0 or left out while it is.
    """

    type: Literal["seen"]
    display: str = Field(pattern=r"^[A-Za-z0-9-]{1,40}$")
    lags_ms: list[Count] = Field(max_length=MAX_LAGS)
    stale_s: float = Field(default=0.0, ge=0, le=MAX_NUMBER)


class HoldSlot(_Frame):
    """Keep a slot for the person who is booking it. Choosing it again renews the hold."""

    type: Literal["hold"]
    room: UUID
    start: AwareDatetime
    end: AwareDatetime


class RenewHold(_Frame):
    """Go on holding: two more minutes from now, six in all."""

    type: Literal["renew"]
    hold: UUID


class ReleaseHold(_Frame):
    """Let a held slot go. Harmless when it is over."""

    type: Literal["release"]
    hold: UUID


ClientFrame = Subscribe | Unsubscribe | Ping | Ack | Seen | HoldSlot | RenewHold | ReleaseHold
_ADAPTER: TypeAdapter[ClientFrame] = TypeAdapter(
    Annotated[ClientFrame, Field(discriminator="type")]
)


class BadFrameError(InvalidCommandError):
    """The frame cannot be read."""

    default_code = LiveErrorCode.BAD_FRAME


def parse_frame(text: str | None) -> ClientFrame:
    """Read a client's frame; None is a binary one. Raises BadFrameError that says what is wrong."""
    if text is None:
        raise BadFrameError("Frames are JSON text; this one was binary.")
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) > MAX_FRAME_BYTES:
        raise BadFrameError(
            f"A frame may have at most {MAX_FRAME_BYTES} bytes.", code=LiveErrorCode.FRAME_TOO_LARGE
        )
    try:
        read = from_json(encoded, allow_inf_nan=False)
    except ValueError as exc:
        raise BadFrameError(f"frame: Invalid JSON: {exc}.") from exc
    try:
        return _ADAPTER.validate_python(read)
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
    return orjson.dumps(frame, default=_default, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()


def room_body(state: LiveState) -> dict[str, Any]:
    """Return a room as JSON clients get it. The state is redacted already."""
    body: dict[str, Any] = as_plain(state)
    for name in ("is_public", "shows_titles", "next_public_change_at"):
        del body[name]
    return body


def view_body(state: LiveState, html: str) -> dict[str, Any]:
    """Return a room as pages get it."""
    names = ("id", "epoch", "version", "changed_at")
    return {**{name: getattr(state, name) for name in names}, "html": html}


def hello(at: datetime, build: str) -> str:
    """Encode the first frame of every connection. `build` names the code and assets served."""
    return encode({"type": "hello", "at": at, "build": build, "heartbeat_s": HEARTBEAT_S})


def snapshot(
    topic: str, at: datetime, bodies: Iterable[str], gone: Iterable[str], **extra: Any
) -> str:
    """Encode a topic's rooms, or those that differ from what the client has.

    Shapes: `bodies` are encoded already, for the same text serves `room` frames.
    """
    head = encode({"type": "snapshot", "topic": topic, "at": at, "gone": [*gone], **extra})
    return f'{head[:-1]},"rooms":[{",".join(bodies)}]}}'


def room(topic: str, body: str) -> str:
    """Encode one room's newest state, whose body is encoded already."""
    return f'{{"type":"room","topic":{json.dumps(topic)},"room":{body}}}'


def summary(topic: str, html: str) -> str:
    """Encode what a page says of the topic as a whole."""
    return encode({"type": "summary", "topic": topic, "html": html})


def heartbeat(at: datetime, age_ms: int, digest: Mapping[str, int]) -> str:
    """Encode proof of life, that old when it is sent, with the digest of each topic."""
    return encode({"type": "heartbeat", "at": at, "age_ms": age_ms, "digest": digest})


def sync(n: int) -> str:
    """Encode the request to confirm what has arrived so far; `ack` repeats the number."""
    return encode({"type": "sync", "n": n})


def bye(after_ms: int, reason: Literal["restart", "recycle"]) -> str:
    """Encode the announcement of a close: connect again after a random part of `after_ms`."""
    return encode({"type": "bye", "after_ms": after_ms, "reason": reason})


def unsubscribed(topic: str) -> str:
    """Encode the end of a topic."""
    return encode({"type": "unsubscribed", "topic": topic})


def pong(t: float, at: datetime) -> str:
    """Encode the answer to a ping."""
    return encode({"type": "pong", "t": t, "at": at})


def held(
    *,
    hold: str,
    room: str,
    slot: tuple[datetime, datetime],
    expires_at: datetime,
    renewable_until: datetime,
    ref: Ref,
) -> str:
    """Encode that a slot is the client's until `expires_at`."""
    start, end = slot
    named = {"hold": hold, "room": room, "start": start, "end": end, "ref": ref}
    until = {"expires_at": expires_at, "renewable_until": renewable_until}
    return encode({"type": "held", **named, **until})


def released(hold: str, ref: Ref) -> str:
    """Encode the end of a hold."""
    return encode({"type": "released", "hold": hold, "ref": ref})


def error(code: str, detail: str, ref: Ref = None, facts: Mapping[str, Any] | None = None) -> str:
    """Encode a refusal; `facts` tell what would be allowed instead."""
    told = {"facts": dict(facts)} if facts else {}
    return encode({"type": "error", "code": code, "detail": detail, "ref": ref, **told})

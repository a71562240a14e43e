"""Parsing of client frames and encoding of server frames of `/ws/v1/live`, version 1. Pure.

Frames are JSON texts with a `type`. Unknown members are ignored, so either side may be newer.
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

MAX_FRAME_BYTES = 4096  # of a client's frame
MAX_TOPICS_PER_CONNECTION = 50
MAX_FRAMES_PER_MINUTE = 60
MAX_BAD_FRAMES_PER_MINUTE = 5
MAX_LAGS = 64  # measurements in one `seen`
MAX_NUMBER = 2**53 - 1  # of any number from a client. Source: RFC 8259 section 6, interoperable
HEARTBEAT_S = 4.0  # two fit into the 10 s after which a screen is stale

CLOSE_RESTART = 1012  # RFC 6455 registry: service restart
CLOSE_BAD_FRAME = 4400
CLOSE_NOT_AUTHENTICATED = 4401
CLOSE_TOO_SLOW = 4408
CLOSE_TOO_MANY = 4429

Count = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
Ref = str | Annotated[int, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)] | None


class _Frame(BaseModel):
    # 1e999 is valid JSON and is parsed as infinity.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    ref: Ref = None  # chosen by the client; repeated in `held`, `released` and `error`


class Subscribe(_Frame):
    """Follow a topic. `have` names the versions that the client has; `view` asks for HTML."""

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
    """Ask for a `pong`, which repeats `t`."""

    type: Literal["ping"]
    t: float = Field(ge=-MAX_NUMBER, le=MAX_NUMBER)


class Ack(_Frame):
    """Confirm that every frame up to the `sync` with this `n` has arrived."""

    type: Literal["ack"]
    n: Count


class Seen(_Frame):
    """Report the lag of each change painted since the last report: from `changed_at` to the screen.

    `lags_ms` are milliseconds. `stale_s`: for how many seconds the screen has not been live; 0 or
    omitted while the screen is live.
    """

    type: Literal["seen"]
    display: str = Field(pattern=r"^[A-Za-z0-9-]{1,40}$")
    lags_ms: list[Count] = Field(max_length=MAX_LAGS)
    stale_s: float = Field(default=0.0, ge=0, le=MAX_NUMBER)


class HoldSlot(_Frame):
    """Hold a slot for the signed-in person. Holding the same slot again renews the hold."""

    type: Literal["hold"]
    room: UUID
    start: AwareDatetime
    end: AwareDatetime


class RenewHold(_Frame):
    """Renew a hold: for two minutes from now, six minutes in total."""

    type: Literal["renew"]
    hold: UUID


class ReleaseHold(_Frame):
    """Release a hold. Does nothing if the hold is over."""

    type: Literal["release"]
    hold: UUID


ClientFrame = Subscribe | Unsubscribe | Ping | Ack | Seen | HoldSlot | RenewHold | ReleaseHold
_ADAPTER: TypeAdapter[ClientFrame] = TypeAdapter(
    Annotated[ClientFrame, Field(discriminator="type")]
)


class BadFrameError(InvalidCommandError):
    """A frame of a client is not valid."""

    default_code = LiveErrorCode.BAD_FRAME


def parse_frame(text: str | None) -> ClientFrame:
    """Return a client's frame; None stands for a binary frame.

    Raises BadFrameError, with the reason, if the frame is not valid.
    """
    if text is None:
        raise BadFrameError("The frame is binary. Send JSON as a text frame.")
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) > MAX_FRAME_BYTES:
        raise BadFrameError(
            f"The frame has {len(encoded)} bytes. The maximum is {MAX_FRAME_BYTES}.",
            code=LiveErrorCode.FRAME_TOO_LARGE,
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
    """Return an instant in the format of frames: UTC, milliseconds, Z."""
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
    """Return a room for JSON clients. The state must be redacted."""
    body: dict[str, Any] = as_plain(state)
    for name in ("is_public", "shows_titles", "next_public_change_at"):
        del body[name]
    return body


def view_body(state: LiveState, html: str) -> dict[str, Any]:
    """Return a room for pages, as HTML with its mark."""
    names = ("id", "epoch", "version", "changed_at")
    return {**{name: getattr(state, name) for name in names}, "html": html}


def hello(at: datetime, build: str) -> str:
    """Encode the first frame of a connection. `build` is the version of the code and assets."""
    return encode({"type": "hello", "at": at, "build": build, "heartbeat_s": HEARTBEAT_S})


def snapshot(
    topic: str, at: datetime, bodies: Iterable[str], gone: Iterable[str], **extra: Any
) -> str:
    """Encode the rooms of a topic, or those that differ from the client's.

    Shapes: `bodies` are encoded rooms; `room` frames share the same text.
    """
    head = encode({"type": "snapshot", "topic": topic, "at": at, "gone": [*gone], **extra})
    return f'{head[:-1]},"rooms":[{",".join(bodies)}]}}'


def room(topic: str, body: str) -> str:
    """Encode the newest state of one room from its encoded body."""
    return f'{{"type":"room","topic":{json.dumps(topic)},"room":{body}}}'


def summary(topic: str, html: str) -> str:
    """Encode the HTML of the summary of a topic."""
    return encode({"type": "summary", "topic": topic, "html": html})


def heartbeat(at: datetime, age_ms: int, digest: Mapping[str, int]) -> str:
    """Encode a heartbeat with the age of its proof and the digest of each topic."""
    return encode({"type": "heartbeat", "at": at, "age_ms": age_ms, "digest": digest})


def sync(n: int) -> str:
    """Encode the request to confirm all frames so far; `ack` repeats the number."""
    return encode({"type": "sync", "n": n})


def bye(after_ms: int, reason: Literal["restart", "recycle"]) -> str:
    """Encode the announcement of a close with 1012."""
    return encode({"type": "bye", "after_ms": after_ms, "reason": reason})


def unsubscribed(topic: str) -> str:
    """Encode the answer to `unsubscribe`."""
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
    """Encode the answer to `hold` and `renew`."""
    start, end = slot
    named = {"hold": hold, "room": room, "start": start, "end": end, "ref": ref}
    until = {"expires_at": expires_at, "renewable_until": renewable_until}
    return encode({"type": "held", **named, **until})


def released(hold: str, ref: Ref) -> str:
    """Encode the answer to `release`."""
    return encode({"type": "released", "hold": hold, "ref": ref})


def error(code: str, detail: str, ref: Ref = None, facts: Mapping[str, Any] | None = None) -> str:
    """Encode a refusal; `facts` hold details, such as what would be allowed."""
    extra = {"facts": dict(facts)} if facts else {}
    return encode({"type": "error", "code": code, "detail": detail, "ref": ref, **extra})

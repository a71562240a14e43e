"""The server's frames as models: what each carries and what it asks of the client. Pure.

`protocol` encodes without them, for speed; tests hold every frame that is sent against them. The
published description of the protocol (`realtime.asyncapi`) is made from these docstrings.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from realtime.protocol.messages import Ref
from realtime.state.live_state import Closure, Hold, Occupancy, RoomStatus, Schedule

Instant = Annotated[datetime, Field(description="UTC with milliseconds and Z.")]
TopicName = Annotated[
    str,
    Field(description="campus, building:<slug>, floor:<slug> or room:<id>.", examples=["campus"]),
]
RoomId = Annotated[str, Field(description="The room's id, as the REST API names it.")]
Html = Annotated[
    str, Field(description="HTML whose root elements carry the ids of what they replace.")
]


class _ServerModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Marked(_ServerModel):
    id: RoomId
    epoch: str = Field(description="Random name of a line of versions; another one replaces all.")
    version: int = Field(ge=1, description="Rises by one with every change, within an epoch.")
    changed_at: Instant = Field(
        description="When the oldest fact that this version brought became one: the commit, the "
        "reading, or the instant at which the room changed by itself."
    )


class RoomBody(_Marked):
    """A room as it is now, redacted for whoever reads it."""

    building: str = Field(description="Slug of the building.")
    floor: str = Field(description="Slug of the floor.")
    slug: str
    name: str
    capacity: int = Field(ge=1)
    features: tuple[str, ...] = Field(description="Slugs of what the room has.")
    direction: str = Field(description="The way from the board: up, left, up-right, …; or empty.")
    timezone: str = Field(description="IANA name; the room's days begin and end in it.")
    status: RoomStatus
    until: Instant | None = Field(
        description="Until when a free or held room can be had, when the bookings of a busy one "
        "end, when a closed one opens; null: unknown, or not before the end of tomorrow."
    )
    refusal: str | None = Field(
        default=None,
        description="Where the status is `closed`: the code with which a booking from now on is "
        "refused, such as `outside_opening_hours`; else null.",
    )
    is_open_at_door: bool = Field(
        default=True,
        description="Whether everyone may book it at the door; where not, one signs in to book.",
    )
    next_change_at: Instant | None = Field(
        description="When the room will change by itself, at the latest."
    )
    schedule: Schedule
    closure: Closure | None
    occupancy: Occupancy
    holds: tuple[Hold, ...] = Field(
        default=(),
        description="Slots that somebody is in the middle of booking; for staff only, to the "
        "public there are none and `held` reads `free`.",
    )


class ViewBody(_Marked):
    """A room as HTML, for subscriptions that name a view."""

    html: Html


class Hello(_ServerModel):
    """First frame of every connection.

    A page whose own build differs reloads once, after a random while.
    """

    type: Literal["hello"]
    at: Instant
    build: str = Field(description="Names code and assets of the server.")
    heartbeat_s: float = Field(gt=0, description="Seconds between heartbeats.")


class Snapshot(_ServerModel):
    """A topic's rooms: all of them, or those that differ from what the client has.

    Here a room of another epoch replaces the one that is shown.
    """

    type: Literal["snapshot"]
    topic: TopicName
    at: Instant
    rooms: list[RoomBody | ViewBody]
    gone: list[RoomId] = Field(description="Rooms to take away.")
    full: bool = Field(description="Whether these are all rooms of the topic.")
    summary: Html = Field(default="", description="For views: the topic as a whole, as HTML.")


class Room(_ServerModel):
    """One room's newest state, whole. Versions between may have been skipped.

    Same epoch and a newer version: apply it. Same or older: ignore it. Another epoch: subscribe
    again with `have`.
    """

    type: Literal["room"]
    topic: TopicName
    room: RoomBody | ViewBody


class Summary(_ServerModel):
    """For views: what the page says of the topic as a whole. Follows the rooms it is made from."""

    type: Literal["summary"]
    topic: TopicName
    html: Html


class Heartbeat(_ServerModel):
    """Proof that what is shown may be believed. Once it is 10 s old, do not claim to be live.

    Compare each digest with your own; if it differs twice in a row, subscribe again with `have`.
    """

    type: Literal["heartbeat"]
    at: Instant
    age_ms: int = Field(
        ge=0,
        description="How old the proof was when it was sent: when a projector was last known "
        "to be at work. The 10 s begin there.",
    )
    digest: dict[str, Annotated[int, Field(ge=0, lt=2**32)]] = Field(
        description="By topic: the sum modulo 2^32 of CRC-32 over id:epoch:version of each room."
    )


class Sync(_ServerModel):
    """Asks for an `ack` with the same number, at once: it bounds what is sent and not yet read."""

    type: Literal["sync"]
    n: int = Field(ge=0)


class Bye(_ServerModel):
    """The server is about to close with 1012. Connect again after a random part of `after_ms`."""

    type: Literal["bye"]
    after_ms: int = Field(ge=0, description="The longest to wait before connecting again.")
    reason: Literal["restart", "recycle"]


class Unsubscribed(_ServerModel):
    """The topic is no longer followed."""

    type: Literal["unsubscribed"]
    topic: TopicName


class Pong(_ServerModel):
    """The answer to a `ping`; with it a client tells the server's clock from its own."""

    type: Literal["pong"]
    t: float = Field(description="As it came.")
    at: Instant


class Held(_ServerModel):
    """The slot is yours: until `expires_at` nobody else can book it or a part of it.

    `renew` moves that on, to `renewable_until` at the latest. Closing the socket lets go of what
    was held over it; one that is cut does not: connect again and choose the slot once more.
    """

    type: Literal["held"]
    hold: str = Field(description="For `renew` and `release`.")
    room: RoomId
    start: Instant
    end: Instant
    expires_at: Instant
    renewable_until: Instant
    ref: Ref = Field(description="The `ref` of the frame that is answered, if any.")


class Released(_ServerModel):
    """You hold this no more."""

    type: Literal["released"]
    hold: str
    ref: Ref = Field(description="The `ref` of the frame that is answered, if any.")


class Error(_ServerModel):
    """A refusal. The code is stable; the detail is a sentence for people."""

    type: Literal["error"]
    code: str
    detail: str
    ref: Ref = Field(description="The `ref` of the frame that is refused, if any.")
    facts: dict[str, Any] = Field(
        default_factory=dict, description="What would be allowed instead, by code."
    )


SERVER_FRAMES: tuple[type[BaseModel], ...] = (
    Hello,
    Snapshot,
    Room,
    Summary,
    Heartbeat,
    Sync,
    Bye,
    Unsubscribed,
    Pong,
    Held,
    Released,
    Error,
)

CLOSE_CODES = {
    1012: "The server restarts or recycles the connection. Connect again as `bye` says.",
    4400: "Too many frames that cannot be read.",
    4401: "Not signed in, or no longer.",
    4403: "Signed in, but not allowed.",
    4408: "Too slow: the client does not read what it is sent.",
    4429: "Too many frames or connections; the `error` before it says which: `too_many_frames`, "
    "`too_many_connections`, or `too_many_from_address` for connections without a sign-in.",
}

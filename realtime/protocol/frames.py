"""Models of the server's frames: their members, and how a client must react. Pure.

`realtime.protocol.messages` encodes frames without these models, for speed; tests validate every
sent frame with them. `realtime.asyncapi` publishes the docstrings as the protocol's description.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from realtime.protocol.messages import Ref
from realtime.state.live_state import Closure, Hold, Occupancy, RoomStatus, Schedule

Instant = Annotated[datetime, Field(description="UTC, ISO 8601, with milliseconds and Z.")]
TopicName = Annotated[
    str,
    Field(
        description="`campus`, `building:<slug>`, `floor:<slug>` or `room:<id>`.",
        examples=["campus"],
    ),
]
RoomId = Annotated[str, Field(description="The id of the room, the same as in the REST API.")]
Html = Annotated[
    str,
    Field(description="HTML. Each root element replaces the element of the page with the same id."),
]


class _ServerModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Marked(_ServerModel):
    id: RoomId
    epoch: str = Field(
        description="Random name of a sequence of versions. A rebuild starts another epoch."
    )
    version: int = Field(
        ge=1, description="Increases by 1 with every change of the room, within one epoch."
    )
    changed_at: Instant = Field(
        description="Instant of the oldest change in this version: of the commit, of the sensor's "
        "reading, or the instant at which the room changed by time."
    )


class RoomBody(_Marked):
    """The present state of a room, redacted for the audience of the connection."""

    building: str = Field(description="Slug of the building.")
    floor: str = Field(description="Slug of the floor.")
    slug: str
    name: str
    capacity: int = Field(ge=1)
    features: tuple[str, ...] = Field(description="Slugs of the room's features.")
    direction: str = Field(
        description="The direction from the board to the room: up, left, up-right, …; or empty."
    )
    timezone: str = Field(description="IANA time zone; the days of the room begin and end in it.")
    status: RoomStatus
    until: Instant | None = Field(
        description="For `free` and `held`: until when the room can be booked. For a busy room: "
        "when its bookings end. For `closed`: when the room can be booked again. Null: unknown, or "
        "not before the end of tomorrow."
    )
    refusal: str | None = Field(
        default=None,
        description="If the status is `closed`: the error code that a booking from now on would "
        "get, such as `outside_opening_hours`. Else null.",
    )
    is_open_at_door: bool = Field(
        default=True,
        description="Whether everyone may book the room at its door. Otherwise only signed-in "
        "people can book it.",
    )
    next_change_at: Instant | None = Field(
        description="The next instant at which the room changes by time. Commands may change the "
        "room earlier."
    )
    schedule: Schedule
    closure: Closure | None
    occupancy: Occupancy
    holds: tuple[Hold, ...] = Field(
        default=(),
        description="Slots that a person is about to book. Only for staff: for the public this "
        "list is empty, and the status is `free` instead of `held`.",
    )


class ViewBody(_Marked):
    """A room as HTML, for subscriptions with a `view`."""

    html: Html


class Hello(_ServerModel):
    """The first frame of every connection.

    A page with another build reloads once, after a random delay.
    """

    type: Literal["hello"]
    at: Instant
    build: str = Field(description="Version of the server's code and assets.")
    heartbeat_s: float = Field(gt=0, description="Seconds between heartbeats.")


class Snapshot(_ServerModel):
    """The rooms of a topic: all of them, or those that differ from `have` of the subscription.

    A room in a snapshot replaces the room that the client shows, even if its epoch differs.
    """

    type: Literal["snapshot"]
    topic: TopicName
    at: Instant
    rooms: list[RoomBody | ViewBody]
    gone: list[RoomId] = Field(description="Ids of the rooms that the client must remove.")
    full: bool = Field(description="Whether `rooms` has all rooms of the topic.")
    summary: Html = Field(default="", description="For views: the summary of the topic, as HTML.")


class Room(_ServerModel):
    """The complete newest state of one room. Versions may be skipped.

    Same epoch and newer version: apply the state. Same epoch and same or older version: ignore the
    frame. Another epoch: subscribe again with `have`.
    """

    type: Literal["room"]
    topic: TopicName
    room: RoomBody | ViewBody


class Summary(_ServerModel):
    """For views: the newest summary of the topic, sent after the changed rooms."""

    type: Literal["summary"]
    topic: TopicName
    html: Html


class Heartbeat(_ServerModel):
    """Proof that the shown rooms are up to date, valid for 10 s. Then do not claim to be live.

    Compare each digest with your own. If it differs twice in a row, subscribe again with `have`.
    """

    type: Literal["heartbeat"]
    at: Instant
    age_ms: int = Field(
        ge=0,
        description="Age of the proof when the frame was sent: the time since a worker last "
        "proved that it is up to date. The 10 s begin at that instant.",
    )
    digest: dict[str, Annotated[int, Field(ge=0, lt=2**32)]] = Field(
        description="For each topic: the sum, modulo 2^32, of the CRC-32 of `id:epoch:version` of "
        "every room."
    )


class Sync(_ServerModel):
    """Answer at once with an `ack` with the same `n`. This limits the data sent but not read."""

    type: Literal["sync"]
    n: int = Field(ge=0)


class Bye(_ServerModel):
    """The server will close with 1012. Connect again after a random part of `after_ms`."""

    type: Literal["bye"]
    after_ms: int = Field(
        ge=0, description="The maximum delay before the client connects again, in ms."
    )
    reason: Literal["restart", "recycle"]


class Unsubscribed(_ServerModel):
    """The answer to `unsubscribe`: the connection no longer follows the topic."""

    type: Literal["unsubscribed"]
    topic: TopicName


class Pong(_ServerModel):
    """The answer to `ping`. A client can compare the server's clock with its own clock."""

    type: Literal["pong"]
    t: float = Field(description="The `t` of the `ping`.")
    at: Instant


class Held(_ServerModel):
    """You hold the slot: until `expires_at` no other person can book the slot or a part of it.

    `renew` extends the hold, to `renewable_until` at the latest. If you close the socket, its holds
    are released. If the connection is lost, they stay until they expire: connect again and send
    `hold` again for the same slot.
    """

    type: Literal["held"]
    hold: str = Field(description="The id of the hold, for `renew` and `release`.")
    room: RoomId
    start: Instant
    end: Instant
    expires_at: Instant
    renewable_until: Instant
    ref: Ref = Field(description="The `ref` of the answered frame, if any.")


class Released(_ServerModel):
    """The hold is over: you no longer hold the slot."""

    type: Literal["released"]
    hold: str
    ref: Ref = Field(description="The `ref` of the answered frame, if any.")


class Error(_ServerModel):
    """A refusal. `code` is stable, for programs; `detail` is a sentence for people."""

    type: Literal["error"]
    code: str
    detail: str
    ref: Ref = Field(description="The `ref` of the refused frame, if any.")
    facts: dict[str, Any] = Field(
        default_factory=dict,
        description="Details of the refusal, such as what would be allowed. Members depend on "
        "`code`.",
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
    1012: "The server restarts, or the connection reached its maximum age. Connect again after a "
    "random part of the `after_ms` of `bye`.",
    4400: "Too many invalid frames.",
    4401: "Not signed in, or the session or token has ended.",
    4403: "Signed in, but not allowed.",
    4408: "Too slow: the client does not read the frames that the server sends.",
    4429: "Too many frames or connections. The `error` frame before the close has the code: "
    "`too_many_frames`, `too_many_connections`, or `too_many_from_address` for connections without "
    "sign-in.",
}

"""The published description of the live protocol agrees with the frames that are sent."""

import gzip
import json
from copy import deepcopy
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from booking.tests.factories import NOW, at
from realtime import asyncapi
from realtime.asyncapi import ANSWERS, CLIENT_FRAMES, document, kind_of
from realtime.hub.fragments import FragmentCache, Rendering
from realtime.hub.topic_subscribers import TopicSubscribers
from realtime.metrics import CLOSE_CODES as COUNTED_CODES
from realtime.protocol import messages
from realtime.protocol.frames import CLOSE_CODES, SERVER_FRAMES, RoomBody
from realtime.state.live_state import Audience, Closure, Hold
from realtime.state.topics import Topic
from realtime.tests.factories import live, seen, slot

VENDORED = Path(__file__).parent / "vendor" / "asyncapi-specs-6.11.1" / "schema-3.0.0.json.gz"
HOLD = "3f2b8f6e-6d0e-4a52-9d0b-6b7a1d1f4c11"
STAFF = Rendering(Audience.STAFF)
DOCUMENT = document(host="rooms.example.org", is_secure=True)


def validator(kind: str) -> Draft7Validator:
    """Return the schema of a frame, changed so that it refuses every undocumented member."""
    components = deepcopy(DOCUMENT["components"])
    for schema in components["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    payload = components["messages"][kind]["payload"]
    return Draft7Validator({"allOf": [payload], "components": components})


def problems(text: str) -> list[str]:
    frame = json.loads(text)
    return [error.message for error in validator(frame["type"]).iter_errors(frame)]


def full_state():
    now, later = slot(at(9), at(11)), slot(at(12), at(13), waits_until=at(12, 10))
    return live(
        schedule=live().schedule.__class__(3, (now, later), now, later),
        closure=Closure(at(15), None, "Paint"),
        occupancy=seen(4),
        until=at(11),
        holds=(Hold("h", at(14), at(15), "Ann", at(10, 2)),),
    )


def sent_frames() -> list[str]:
    feed = TopicSubscribers(Topic("building", "house"), [full_state(), live("r2")], FragmentCache())
    return [
        messages.hello(NOW, "abc"),
        feed.snapshot(STAFF, {}, NOW).text,
        feed.snapshot(Rendering(Audience.PUBLIC), {"r9": ("e", 1)}, NOW).text,
        messages.room("campus", messages.encode(messages.room_body(full_state()))),
        messages.summary("campus", "<p>Two free</p>"),
        messages.heartbeat(NOW, 900, {"campus": feed.digest(Audience.STAFF)}),
        messages.sync(4),
        messages.bye(10_000, "restart"),
        messages.unsubscribed("campus"),
        messages.pong(1.5, NOW),
        messages.held(
            hold="h",
            room="r1",
            slot=(at(11), at(12)),
            expires_at=at(10, 2),
            renewable_until=at(10, 6),
            ref=7,
        ),
        messages.released("h", None),
        messages.error("bad_frame", "No.", 7),
        messages.error("slot_held", "No.", 7, {"held_until": NOW.isoformat()}),
        messages.error("bad_frame", "No."),
    ]


def test_document__against_the_official_schema__is_valid():
    official = Draft7Validator(json.loads(gzip.decompress(VENDORED.read_bytes())))
    assert [error.message for error in official.iter_errors(DOCUMENT)] == []
    broken = deepcopy(DOCUMENT)
    broken["operations"]["send-room"]["action"] = "shout"
    assert not official.is_valid(broken)


def test_document__every_schema__is_draft_7_and_every_reference_resolves():
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)
    text = json.dumps(DOCUMENT)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
        node = DOCUMENT
        for key in reference.removeprefix("#/").split("/"):
            node = node[key]
        assert node


@pytest.mark.parametrize("text", sent_frames(), ids=lambda text: json.loads(text)["type"])
def test_frames__as_sent__have_only_documented_members(text):
    assert problems(text) == []


def test_frames__undocumented_member_or_wrong_type__is_found():
    room = json.loads(messages.room("campus", messages.encode(messages.room_body(live()))))
    assert problems(json.dumps({**room, "secret": 1}))
    assert problems(json.dumps({**room, "topic": 1}))
    assert problems(json.dumps({**room, "room": {**room["room"], "is_public": True}}))


def test_room_body__of_a_state__has_the_documented_members_exactly():
    assert messages.room_body(live()).keys() == RoomBody.model_fields.keys()


def test_client_frames__every_readable_type__is_documented_with_a_sentence():
    operations = DOCUMENT["operations"]
    for frame in CLIENT_FRAMES:
        assert operations[f"receive-{kind_of(frame)}"]["action"] == "receive"
        assert frame.__doc__.rstrip().endswith(".")
    received = {name for name in operations if name.startswith("receive-")}
    assert len(received) == len(CLIENT_FRAMES)
    assert ANSWERS.keys() <= {kind_of(frame) for frame in CLIENT_FRAMES}


def test_client_frames__as_documented__are_read():
    examples = {
        "subscribe": {"topic": "campus", "have": {"r1": ["e1", 3]}, "view": "board", "ref": "a"},
        "unsubscribe": {"topic": "campus"},
        "ping": {"t": 1.5},
        "ack": {"n": 4},
        "seen": {"display": "lobby-1", "lags_ms": [12, 40], "stale_s": 1.5},
        "hold": {"room": HOLD, "start": "2026-03-12T11:00Z", "end": "2026-03-12T12:00Z"},
        "renew": {"hold": HOLD},
        "release": {"hold": HOLD, "ref": 4},
    }
    assert examples.keys() == {kind_of(frame) for frame in CLIENT_FRAMES}
    for kind, members in examples.items():
        text = json.dumps({"type": kind, **members})
        assert problems(text) == []
        assert kind_of(type(messages.parse_frame(text))) == kind
    bad_mark = {"type": "subscribe", "topic": "campus", "have": {"r1": ["e1"]}}
    assert problems(json.dumps(bad_mark))


def test_server_frames__every_encoder__has_a_documented_frame():
    """An encoder is a public function of the protocol that returns the text of a frame."""
    kinds = {kind_of(frame) for frame in SERVER_FRAMES}
    encoders = {
        name
        for name, value in vars(messages).items()
        if getattr(value, "__module__", "") == messages.__name__
        and getattr(value, "__annotations__", {}).get("return") is str
        and name[0] != "_"
    }
    assert encoders - {"encode", "instant"} <= kinds


def test_close_codes__of_the_protocol__are_documented_and_counted():
    ours = {value for name, value in vars(messages).items() if name.startswith("CLOSE_")}
    assert ours <= CLOSE_CODES.keys()
    assert CLOSE_CODES.keys() <= set(COUNTED_CODES)
    assert DOCUMENT["info"]["x-close-codes"].keys() == {str(code) for code in CLOSE_CODES}


def test_limits__every_number_of_the_protocol__is_documented():
    numbers = {
        name: value
        for name, value in vars(messages).items()
        if name.isupper() and isinstance(value, int | float) and not name.startswith("CLOSE_")
    }
    limits = DOCUMENT["info"]["x-limits"]
    assert {name: limit["value"] for name, limit in limits.items()} == numbers


def test_document__requested_over_http__names_the_requested_host(client):
    answer = client.get("/api/v1/asyncapi.json")
    assert answer.status_code == 200
    server = answer.json()["servers"]["this"]
    assert (server["host"], server["protocol"]) == ("testserver", "ws")
    assert answer.json()["channels"]["live"]["address"] == "/ws/v1/live"
    assert asyncapi.document(host="x", is_secure=True)["servers"]["this"]["protocol"] == "wss"

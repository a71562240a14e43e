import json

import pytest

from meeting_rooms.kernel.errors import InvalidCommandError
from realtime.domain import protocol
from realtime.domain.digest import topic_digest
from realtime.domain.protocol import BadFrameError, parse_frame
from realtime.domain.topics import Topic
from realtime.outbox import MAX_WAITING_REPLIES, Outbox, OutboxFullError
from realtime.tests.factories import live


def test_parse__good_frames__are_read():
    frame = parse_frame('{"type":"subscribe","topic":"campus","have":{"r":["e",3]},"new":1}')
    assert (frame.topic, frame.have) == ("campus", {"r": ("e", 3)})
    assert parse_frame('{"type":"ping","t":1.5}').t == 1.5


@pytest.mark.parametrize(
    "text",
    [None, "", "{", "[]", "null", '{"type":"fly"}', '{"type":"subscribe"}',
     '{"type":"ping","t":"x"}',
     '{"type":"subscribe","topic":"campus","have":{"r":"e"}}', "\ud800", "x" * 5000],
)  # fmt: skip
def test_parse__bad_frames__are_refused_with_a_reason(text):
    with pytest.raises(BadFrameError) as refused:
        parse_frame(text)
    assert refused.value.detail


@pytest.mark.parametrize("text", ["", "room:1", "building:", "building:A B", "floor:*", "campus:x"])
def test_topic__of_no_known_form__is_refused(text):
    with pytest.raises(InvalidCommandError):
        Topic.parse(text)


def test_topic__group__is_a_name_that_the_layer_takes():
    assert Topic.parse("building:north-2").group == "topic.building.north-2"


def test_digest__any_order__is_the_same_and_moves_with_a_version():
    one, two = live("r1"), live("r2")
    assert topic_digest([one, two]) == topic_digest([two, one])
    assert topic_digest([one, two]) != topic_digest([one, live("r2", 2)])


def test_frames__of_rooms__are_json_with_utc_milliseconds():
    frame = json.loads(protocol.room("campus", protocol.room_body(live())))
    assert frame["room"]["changed_at"] == "2026-03-12T10:00:00.000Z"


async def test_outbox__room_that_waits__is_replaced_and_goes_last():
    outbox = Outbox()
    outbox.put_room(("t", "r1"), "old")
    outbox.put_reply("pong")
    outbox.put_room(("t", "r1"), "new")
    assert [await outbox.get(), await outbox.get()] == ["pong", "new"]
    assert outbox.conflated == 1


def test_outbox__client_that_does_not_read__is_bounded():
    outbox = Outbox()
    for n in range(MAX_WAITING_REPLIES):
        outbox.put_reply(str(n))
    with pytest.raises(OutboxFullError):
        outbox.put_reply("one more")

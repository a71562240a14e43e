import json

import pytest

from booking.tests.factories import NOW
from meeting_rooms.kernel.errors import InvalidCommandError
from realtime.protocol import messages
from realtime.protocol.messages import BadFrameError, parse_frame
from realtime.state.topics import Topic
from realtime.tests.factories import live
from realtime.tests.screen import topic_digest


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


SEEN = '{"type":"seen","display":"d","lags_ms":[%s],"stale_s":%s}'


@pytest.mark.parametrize(
    "text",
    [
        *(
            form % number
            for number in ("Infinity", "-Infinity", "NaN", "1e999", "9007199254740992", "-1e999")
            for form in (
                '{"type":"ping","t":%s}',
                '{"type":"ack","n":%s}',
                SEEN % ("%s", "0"),
                SEEN % ("4", "%s"),
                '{"type":"subscribe","topic":"campus","have":{"r":["e",%s]}}',
            )
        ),
        '{"type":"ping","t":1,"unknown":NaN}',
        '{"type":"ping","t":1,"ref":9007199254740992}',
    ],
)
def test_parse__unbounded_number__is_a_bad_frame(text):
    with pytest.raises(BadFrameError):
        parse_frame(text)


def test_parse__greatest_numbers__are_read_and_written_as_json():
    frame = parse_frame(SEEN % ("9007199254740991", "9007199254740991"))
    assert (frame.lags_ms, frame.stale_s) == ([2**53 - 1], 2.0**53 - 1)
    ping = parse_frame('{"type":"ping","t":-9007199254740991}')
    assert json.loads(messages.pong(ping.t, NOW))["t"] == -(2**53) + 1


@pytest.mark.parametrize("text", ["", "room:1", "building:", "building:A B", "floor:*", "campus:x"])
def test_topic__unknown_form__is_refused(text):
    with pytest.raises(InvalidCommandError):
        Topic.parse(text)


def test_digest__any_order__is_equal_and_changes_with_a_version():
    one, two = live("r1"), live("r2")
    assert topic_digest([one, two]) == topic_digest([two, one])
    assert topic_digest([one, two]) != topic_digest([one, live("r2", 2)])


def test_frames__of_rooms__are_json_with_utc_milliseconds():
    body = messages.encode(messages.room_body(live()))
    room, snapshot = messages.room("campus", body), messages.snapshot("campus", NOW, [body], ["x"])
    assert json.loads(room)["room"]["changed_at"] == "2026-03-12T10:00:00.000Z"
    assert json.loads(snapshot)["rooms"] == [json.loads(room)["room"]]
    assert json.loads(snapshot)["gone"] == ["x"]

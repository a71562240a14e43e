"""The subscribers of one topic: audiences, one encoding per change, only the newest state."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from booking.tests.factories import NOW, at
from meeting_rooms.kernel.errors import InvalidCommandError
from realtime.hub.fragments import FragmentCache, Rendering, register_view
from realtime.hub.topic_subscribers import TopicSubscribers
from realtime.state.live_state import Audience, LiveState, Schedule
from realtime.state.topics import Topic
from realtime.tests.factories import live, slot
from realtime.tests.screen import topic_digest

STAFF, PUBLIC = Rendering(Audience.STAFF), Rendering(Audience.PUBLIC)


class Screen:
    """A subscriber, known by its rendering only, which is its own transport."""

    @property
    def transport(self) -> "Screen":
        return self


def subscribers_of(
    *states: LiveState, **screens: Rendering
) -> tuple[TopicSubscribers, dict[str, Screen]]:
    subscribers = TopicSubscribers(Topic("building", "house"), states, FragmentCache())
    by_name = {name: Screen() for name in screens}
    for name, rendering in screens.items():
        subscribers.add(by_name[name], rendering)
    return subscribers, by_name


def flushed_texts(subscribers: TopicSubscribers, *changes: LiveState) -> dict[Screen, list[str]]:
    for state in changes:
        subscribers.mark(state.id, state)
    return {
        screen: [frame.text for frame in batch.frames.values()]
        for followers, batch in subscribers.flush(NOW)
        for screen in followers
    }


def test_flush__many_subscribers__share_one_encoding_per_rendering():
    subscribers, screens = subscribers_of(live(), a=STAFF, b=STAFF, c=PUBLIC)
    texts = flushed_texts(subscribers, live(version=2))
    assert texts[screens["a"]][0] is texts[screens["b"]][0]
    assert texts[screens["a"]][0] is not texts[screens["c"]][0]


def test_flush__several_changes_of_a_room__sends_only_the_newest():
    subscribers, screens = subscribers_of(live(), live("r2"), staff=STAFF)
    texts = flushed_texts(subscribers, live(version=2), live("r2", 2), live(version=3))[
        screens["staff"]
    ]
    assert sorted((f["id"], f["version"]) for f in (json.loads(t)["room"] for t in texts)) == [
        ("r1", 3),
        ("r2", 2),
    ]


def test_flush__no_change__sends_nothing():
    subscribers, _ = subscribers_of(state := live(), staff=STAFF)
    assert flushed_texts(subscribers, state) == {}
    assert flushed_texts(subscribers) == {}


def test_snapshot__with_have__contains_only_differences():
    subscribers, _ = subscribers_of(live("r1", 3), live("r2", 1))
    have = {"r1": ("e1", 3), "r2": ("e0", 1), "r9": ("e1", 1)}
    frame = json.loads(subscribers.snapshot(STAFF, have, NOW).text)
    assert [room["id"] for room in frame["rooms"]] == ["r2"]
    assert frame["gone"] == ["r9"]


def test_public__private_titles_and_private_rooms__are_not_sent():
    secret = slot(at(9), at(11), title="Merger", private=True)
    shown = replace(live("r1"), schedule=Schedule(1, (secret,), secret))
    subscribers, screens = subscribers_of(
        shown, live("r2", is_public=False), public=PUBLIC, staff=STAFF
    )
    snapshot = subscribers.snapshot(PUBLIC, {}, NOW).text
    texts = flushed_texts(subscribers, replace(shown, version=2), live("r2", 2, is_public=False))
    public, staff = ("".join(texts[screens[name]]) for name in ("public", "staff"))
    assert "Merger" not in snapshot + public + staff
    assert "r2" not in snapshot + public
    assert "Ann" not in snapshot + public
    assert subscribers.digest(Audience.PUBLIC) == topic_digest([replace(shown, version=2)])


def test_public__building_hides_titles__contains_no_title():
    retro = slot(at(9), at(11), title="Retro")
    hidden = live(schedule=Schedule(1, (retro,), retro), shows_titles=False)
    subscribers, _ = subscribers_of(hidden)
    assert "Retro" not in subscribers.snapshot(PUBLIC, {}, NOW).text
    assert "Retro" in subscribers.snapshot(STAFF, {}, NOW).text


def test_public__room_becomes_private__is_withdrawn():
    subscribers, screens = subscribers_of(live(), public=PUBLIC, staff=STAFF)
    texts = flushed_texts(subscribers, live(version=2, is_public=False))
    assert [json.loads(t)["gone"] for t in texts[screens["public"]]] == [["r1"]]
    assert [json.loads(t)["room"]["version"] for t in texts[screens["staff"]]] == [2]
    assert subscribers.digest(Audience.PUBLIC) == 0


def test_mark__removed_room__is_sent_only_to_screens_that_had_it():
    subscribers, screens = subscribers_of(
        live("r1"), live("r2", is_public=False), public=PUBLIC, staff=STAFF
    )
    subscribers.mark("r2", None)
    texts = flushed_texts(subscribers)
    assert [json.loads(t)["gone"] for t in texts[screens["staff"]]] == [["r2"]]
    assert screens["public"] not in texts
    assert subscribers.digest(Audience.STAFF) == topic_digest([live("r1")])


def test_snapshot__without_have__is_full():
    subscribers, _ = subscribers_of(live())
    assert json.loads(subscribers.snapshot(STAFF, {}, NOW).text)["full"]
    assert not json.loads(subscribers.snapshot(STAFF, {"r1": ("e0", 1)}, NOW).text)["full"]


def test_add__another_rendering__replaces_the_first():
    subscribers, screens = subscribers_of(live(), a=STAFF)
    subscribers.add(screens["a"], PUBLIC)
    assert len(flushed_texts(subscribers, live(version=2))) == 1
    subscribers.remove(screens["a"])
    assert subscribers.is_idle


@pytest.mark.parametrize(("view", "language"), [("nope", None), ("board", "xx")])
def test_rendering__unknown__is_refused_with_the_known_names(view, language):
    with pytest.raises(InvalidCommandError, match=r"Views: |Languages: "):
        Rendering.of(Audience.STAFF, view, language)


def test_view__summary__is_sent_after_the_rooms_and_only_if_it_changed():
    board = Rendering.of(Audience.STAFF, "board", None)
    subscribers, screens = subscribers_of(live(), screen=board)
    first = flushed_texts(subscribers, live(version=2))[screens["screen"]]
    second = flushed_texts(subscribers, live(version=3))[screens["screen"]]
    assert [json.loads(t)["type"] for t in first] == ["room", "summary"]
    assert [json.loads(t)["type"] for t in second] == ["room"]


class CountingView:
    """A view that renders almost nothing, and records each rendered room."""

    def __init__(self) -> None:
        self.rendered: list[str] = []

    def room(self, state: LiveState, now: datetime) -> str:
        self.rendered.append(state.id)
        return f"<p>{state.version}</p>"

    def summary(self, states: Sequence[LiveState], now: datetime) -> str:
        return f"<p>{len(states)}</p>"


def test_fragment__many_topics_and_readers__is_rendered_once():
    register_view("counting", view := CountingView())
    cache, counting = FragmentCache(), Rendering.of(Audience.STAFF, "counting", None)
    topics = Topic("building", "house"), Topic("campus")
    subscribers_by_topic = [TopicSubscribers(topic, [live()], cache) for topic in topics]
    for subscribers in subscribers_by_topic:
        subscribers.add(Screen(), counting)
        subscribers.snapshot(counting, {}, NOW)
    for subscribers in subscribers_by_topic:
        flushed_texts(subscribers, live(version=2))
    assert view.rendered == ["r1", "r1"], "once a version"


def test_fragment__minutes_later__is_rendered_again():
    register_view("counting", view := CountingView())
    cache, counting = FragmentCache(), Rendering.of(Audience.STAFF, "counting", None)
    for minutes in (0, 0.5, 2):
        cache.room(live(), counting, NOW + timedelta(minutes=minutes))
    assert view.rendered == ["r1", "r1"]

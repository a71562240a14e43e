"""One topic's followers: audiences, one encoding per change, only the newest state."""

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
    """A follower, known by its rendering only, and its own way out."""

    @property
    def transport(self) -> "Screen":
        return self


def feed_of(*states: LiveState, **screens: Rendering) -> tuple[TopicSubscribers, dict[str, Screen]]:
    feed = TopicSubscribers(Topic("building", "house"), states, FragmentCache())
    made = {name: Screen() for name in screens}
    for name, rendering in screens.items():
        feed.add(made[name], rendering)
    return feed, made


def told(feed: TopicSubscribers, *changes: LiveState) -> dict[Screen, list[str]]:
    for state in changes:
        feed.mark(state.id, state)
    return {
        screen: [frame.text for frame in batch.frames.values()]
        for followers, batch in feed.flush(NOW)
        for screen in followers
    }


def test_flush__many_followers__share_one_encoding_per_rendering():
    feed, screens = feed_of(live(), a=STAFF, b=STAFF, c=PUBLIC)
    texts = told(feed, live(version=2))
    assert texts[screens["a"]][0] is texts[screens["b"]][0]
    assert texts[screens["a"]][0] is not texts[screens["c"]][0]


def test_flush__several_changes_of_a_room__tells_the_newest_only():
    feed, screens = feed_of(live(), live("r2"), staff=STAFF)
    texts = told(feed, live(version=2), live("r2", 2), live(version=3))[screens["staff"]]
    assert sorted((f["id"], f["version"]) for f in (json.loads(t)["room"] for t in texts)) == [
        ("r1", 3),
        ("r2", 2),
    ]


def test_flush__nothing_new__tells_nothing():
    feed, _ = feed_of(state := live(), staff=STAFF)
    assert told(feed, state) == {}
    assert told(feed) == {}


def test_snapshot__with_have__holds_only_what_differs():
    feed, _ = feed_of(live("r1", 3), live("r2", 1))
    have = {"r1": ("e1", 3), "r2": ("e0", 1), "r9": ("e1", 1)}
    frame = json.loads(feed.snapshot(STAFF, have, NOW).text)
    assert [room["id"] for room in frame["rooms"]] == ["r2"]
    assert frame["gone"] == ["r9"]


def test_public__private_and_foreign__never_leave():
    secret = slot(at(9), at(11), title="Merger", private=True)
    shown = replace(live("r1"), schedule=Schedule(1, (secret,), secret))
    feed, screens = feed_of(shown, live("r2", is_public=False), public=PUBLIC, staff=STAFF)
    snapshot = feed.snapshot(PUBLIC, {}, NOW).text
    texts = told(feed, replace(shown, version=2), live("r2", 2, is_public=False))
    public, staff = ("".join(texts[screens[name]]) for name in ("public", "staff"))
    assert "Merger" not in snapshot + public + staff
    assert "r2" not in snapshot + public
    assert "Ann" not in snapshot + public
    assert feed.digest(Audience.PUBLIC) == topic_digest([replace(shown, version=2)])


def test_public__titles_not_shown_by_the_building__are_busy():
    retro = slot(at(9), at(11), title="Retro")
    hidden = live(schedule=Schedule(1, (retro,), retro), shows_titles=False)
    feed, _ = feed_of(hidden)
    assert "Retro" not in feed.snapshot(PUBLIC, {}, NOW).text
    assert "Retro" in feed.snapshot(STAFF, {}, NOW).text


def test_public__room_that_turns_private__is_withdrawn():
    feed, screens = feed_of(live(), public=PUBLIC, staff=STAFF)
    texts = told(feed, live(version=2, is_public=False))
    assert [json.loads(t)["gone"] for t in texts[screens["public"]]] == [["r1"]]
    assert [json.loads(t)["room"]["version"] for t in texts[screens["staff"]]] == [2]
    assert feed.digest(Audience.PUBLIC) == 0


def test_gone__room__is_told_to_those_who_knew_it():
    feed, screens = feed_of(live("r1"), live("r2", is_public=False), public=PUBLIC, staff=STAFF)
    feed.mark("r2", None)
    texts = told(feed)
    assert [json.loads(t)["gone"] for t in texts[screens["staff"]]] == [["r2"]]
    assert screens["public"] not in texts
    assert feed.digest(Audience.STAFF) == topic_digest([live("r1")])


def test_snapshot__nothing_named__is_full():
    feed, _ = feed_of(live())
    assert json.loads(feed.snapshot(STAFF, {}, NOW).text)["full"]
    assert not json.loads(feed.snapshot(STAFF, {"r1": ("e0", 1)}, NOW).text)["full"]


def test_add__another_form__replaces_the_first():
    feed, screens = feed_of(live(), a=STAFF)
    feed.add(screens["a"], PUBLIC)
    assert len(told(feed, live(version=2))) == 1
    feed.remove(screens["a"])
    assert feed.is_idle


@pytest.mark.parametrize(("view", "language"), [("nope", None), ("board", "xx")])
def test_rendering__unknown__says_what_there_is(view, language):
    with pytest.raises(InvalidCommandError, match=r"Views: |Languages: "):
        Rendering.of(Audience.STAFF, view, language)


def test_view__summary__follows_the_rooms_and_only_when_it_changed():
    board = Rendering.of(Audience.STAFF, "board", None)
    feed, screens = feed_of(live(), screen=board)
    first = told(feed, live(version=2))[screens["screen"]]
    second = told(feed, live(version=3))[screens["screen"]]
    assert [json.loads(t)["type"] for t in first] == ["room", "summary"]
    assert [json.loads(t)["type"] for t in second] == ["room"]


class CountingView:
    """Renders next to nothing, and counts how often."""

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
    feeds = [TopicSubscribers(topic, [live()], cache) for topic in topics]
    for feed in feeds:
        feed.add(Screen(), counting)
        feed.snapshot(counting, {}, NOW)
    for feed in feeds:
        told(feed, live(version=2))
    assert view.rendered == ["r1", "r1"], "once a version"


def test_fragment__minutes_later__is_worded_afresh():
    register_view("counting", view := CountingView())
    cache, counting = FragmentCache(), Rendering.of(Audience.STAFF, "counting", None)
    for minutes in (0, 0.5, 2):
        cache.room(live(), counting, NOW + timedelta(minutes=minutes))
    assert view.rendered == ["r1", "r1"]

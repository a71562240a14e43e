"""One topic's mirror: versions, audiences, one encoding per change."""

import json
from dataclasses import replace

from booking.tests.factories import NOW, at
from realtime.domain.digest import topic_digest
from realtime.domain.state import Audience, Schedule
from realtime.domain.topics import Topic
from realtime.feed import Rendering, TopicFeed
from realtime.tests.factories import live, slot

STAFF, PUBLIC = Rendering(Audience.STAFF), Rendering(Audience.PUBLIC)


class Screen:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def push_room(self, topic: str, room_id: str, text: str) -> None:
        self.texts.append(text)

    push_reply = lambda self, text: self.texts.append(text)  # noqa: E731

    @property
    def versions(self) -> list[int]:
        return [json.loads(t)["room"]["version"] for t in self.texts if '"type":"room"' in t]


def feed_of(*states, **screens: Rendering) -> tuple[TopicFeed, dict[str, Screen]]:
    feed = TopicFeed(Topic("building", "house"))
    for state in states:
        feed.accept(state, NOW)
    made = {name: Screen() for name in screens}
    feed.subscribers = {made[name]: rendering for name, rendering in screens.items()}
    return feed, made


def test_accept__swapped_and_repeated__never_goes_back():
    feed, screens = feed_of(live(version=5), staff=STAFF)
    for version in (7, 6, 7, 7, 8):
        assert feed.accept(live(version=version), NOW)
    assert screens["staff"].versions == [7, 8]


def test_accept__another_epoch__asks_the_store():
    feed, screens = feed_of(live(version=5), staff=STAFF)
    assert not feed.accept(live(version=9, epoch="e2"), NOW)
    assert screens["staff"].versions == []
    feed.correct(live(version=1, epoch="e2"), NOW)
    assert feed.marks() == {"r1": ("e2", 1)}


def test_change__many_subscribers__is_encoded_once_per_rendering():
    feed, screens = feed_of(live(), a=STAFF, b=STAFF, c=PUBLIC)
    feed.accept(live(version=2), NOW)
    assert screens["a"].texts[0] is screens["b"].texts[0]
    assert screens["a"].texts[0] is not screens["c"].texts[0]


def test_snapshot__with_have__holds_only_what_differs():
    feed, _ = feed_of(live("r1", 3), live("r2", 1))
    have = {"r1": ("e1", 3), "r2": ("e0", 1), "r9": ("e1", 1)}
    frame = json.loads(feed.snapshot(STAFF, have, NOW))
    assert [room["id"] for room in frame["rooms"]] == ["r2"]
    assert frame["gone"] == ["r9"]


def test_public__private_and_foreign__never_leave():
    secret = slot(at(9), at(11), title="Merger", private=True)
    shown = replace(live("r1"), schedule=Schedule(1, (secret,), secret))
    feed, screens = feed_of(shown, live("r2", is_public=False), public=PUBLIC, staff=STAFF)
    snapshot = feed.snapshot(PUBLIC, {}, NOW)
    feed.accept(replace(shown, version=2), NOW)
    feed.accept(live("r2", 2, is_public=False), NOW)
    told = snapshot + "".join(screens["public"].texts)
    assert "Merger" not in told + "".join(screens["staff"].texts)
    assert "r2" not in told
    assert "Ann" not in told
    assert feed.digest(Audience.PUBLIC) == topic_digest([replace(shown, version=2)])


def test_public__titles_not_shown_by_the_building__are_busy():
    retro = slot(at(9), at(11), title="Retro")
    hidden = live(schedule=Schedule(1, (retro,), retro), shows_titles=False)
    feed, _ = feed_of(hidden)
    assert "Retro" not in feed.snapshot(PUBLIC, {}, NOW)
    assert "Retro" in feed.snapshot(STAFF, {}, NOW)


def test_public__room_that_turns_private__is_withdrawn():
    feed, screens = feed_of(live(), public=PUBLIC, staff=STAFF)
    feed.accept(live(version=2, is_public=False), NOW)
    assert [json.loads(t)["gone"] for t in screens["public"].texts] == [["r1"]]
    assert screens["staff"].versions == [2]


def test_forget__foreign_room__is_not_named_to_the_public():
    feed, screens = feed_of(live("r1"), live("r2", is_public=False), public=PUBLIC)
    feed.forget(["r2"], NOW)
    assert screens["public"].texts == []


def test_snapshot__nothing_named__is_full():
    feed, _ = feed_of(live())
    assert json.loads(feed.snapshot(STAFF, {}, NOW))["full"]
    assert not json.loads(feed.snapshot(STAFF, {"r1": ("e0", 1)}, NOW))["full"]


def test_forget__room_gone__tells_and_drops_it():
    feed, screens = feed_of(live("r1"), live("r2"), staff=STAFF)
    feed.forget(["r1", "unknown"], NOW)
    assert json.loads(screens["staff"].texts[0])["gone"] == ["r1"]
    assert feed.marks().keys() == {"r2"}

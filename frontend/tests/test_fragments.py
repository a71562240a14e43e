"""The fragments that are pushed, and the page that consists of the same fragments."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from django.template.loader import render_to_string

from frontend.board import BoardBuilding, BoardFloor, board_context
from frontend.fragments import BOARD, BoardFragments
from frontend.qr import qr_svg
from frontend.tests.factories import (
    NOW,
    booked_room,
    closed_room,
    free_room,
    local,
    room_with_starts,
    slot,
)
from realtime.hub.fragments import FragmentCache, Rendering
from realtime.state.live_state import Audience, RoomStatus

ALLOWED_ATTRIBUTES = {
    "id", "class", "role", "hidden", "datetime", "aria-hidden", "aria-labelledby",
    "data-epoch", "data-version", "data-count", "data-to", "data-since", "data-start", "data-quiet",
    "viewbox", "cx", "cy", "r", "d", "fill", "fill-rule", "stroke", "stroke-width",
    "stroke-linejoin",
}  # fmt: skip
ALLOWED_TAGS = {
    "li", "div", "h2", "h3", "p", "b", "br", "bdi", "span", "svg", "circle", "path", "section",
    "ul", "time",
}  # fmt: skip
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "{{ 7|add:1 }}{% now 'Y' %}",
    "<hx-partial hx-target='h1'>",
    "' onclick='alert(1)",
)


class Parts(HTMLParser):
    """Collects tags, attributes and text of a fragment."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.roots: list[str | None] = []
        self.text = ""
        self._depth = 0
        self.feed(fragment)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if self._depth == 0:
            self.roots.append(dict(attrs).get("id"))
        self._depth += tag != "br"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        self._depth -= 1

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def fragments() -> BoardFragments:
    return BoardFragments()


def test_room__free__is_one_numbered_row(fragments) -> None:
    html = fragments.room(replace(free_room(until=local(13)), version=1234), NOW)
    assert html.startswith('<li id="room-id-Dogger" class="lb-room is-free"')
    assert 'data-epoch="e1" data-version="1234"' in html
    assert 'data-count="for" data-to="2026-11-12T12:00:00+00:00"' in html
    assert Parts(html).roots == ["room-id-Dogger"]


def test_room__any_status__has_both_words(fragments) -> None:
    html = fragments.room(free_room(), NOW)
    assert '<span class="lb-now">Free</span><span class="lb-was">Was free</span>' in html


@pytest.mark.parametrize("text", HOSTILE)
def test_room__hostile_texts__are_escaped(fragments, text) -> None:
    booked = booked_room(RoomStatus.OCCUPIED, local(11), title=text)
    states = [
        replace(booked, name=f"{text} ({text})"),
        booked_room(RoomStatus.RESERVED, local(11), title=text),
        closed_room(local(15), reason=text),
    ]
    for state in states:
        parts = Parts(fragments.room(state, NOW))
        assert text in parts.text
        assert parts.tags <= ALLOWED_TAGS
        assert parts.attributes <= ALLOWED_ATTRIBUTES


@pytest.mark.parametrize("text", HOSTILE)
def test_summary__hostile_texts__are_escaped(fragments, text) -> None:
    state = room_with_starts(text, slot(local(11), local(12), text))
    parts = Parts(fragments.summary([replace(state, floor=text)], NOW))
    assert parts.text.count(text) >= 2
    assert parts.tags <= ALLOWED_TAGS
    assert parts.attributes <= ALLOWED_ATTRIBUTES


def test_summary__building__has_the_two_roots(fragments) -> None:
    parts = Parts(fragments.summary([free_room()], NOW))
    assert parts.roots == ["board-count", "board-soon"]
    assert "1 room free now" in " ".join(parts.text.split())


@pytest.mark.parametrize("direction", ["", "up", "down-left", "<b>"])
def test_room__direction__never_breaks_the_row(fragments, direction) -> None:
    assert (
        Parts(fragments.room(replace(free_room(), direction=direction), NOW)).tags <= ALLOWED_TAGS
    )


def test_page__same_states__holds_the_pushed_fragments(fragments) -> None:
    states = [
        free_room(until=local(13)),
        replace(
            booked_room(RoomStatus.OCCUPIED, local(11)),
            id="id-2",
            name="K.10",
            floor="harbour-house-3",
        ),
        replace(closed_room(None), id="id-3", name="K.9", floor="harbour-house-3"),
        room_with_starts("Humber", slot(local(11), local(12))),
    ]
    building = BoardBuilding(
        "harbour-house",
        "Harbour House",
        "Europe/Amsterdam",
        (
            BoardFloor("harbour-house-2", "Floor 2", "stairs ahead", "up"),
            BoardFloor("harbour-house-9", "Empty floor"),
        ),
    )
    url = "https://rooms.example.org/"
    cache, rendering = FragmentCache(), Rendering.of(Audience.STAFF, BOARD, None)
    rooms = [cache.room(state, rendering, NOW) for state in states]
    context = board_context(building, rooms, NOW, book_url=url, qr_svg=qr_svg(url), theme="dark")
    page = render_to_string("frontend/board.html", context)
    for state in states:
        assert fragments.room(state, NOW) in page
    for part in fragments.summary(states, NOW).split("\n"):
        assert part in page
    assert page.index("K.9") < page.index("K.10"), "rooms are in natural order"
    assert "Empty floor" not in page
    assert "Floor 3" in page, "a floor that the building does not list is shown all the same"
    assert 'data-theme="dark"' in page
    assert "Thursday 12 November" in page
    assert " style=" not in page

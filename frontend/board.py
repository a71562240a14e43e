"""The template context of the board: a building, the live states of its rooms, and links."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal, NotRequired, TypedDict, Unpack
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from frontend.domain.layout import Floor, Layout, lay_out
from frontend.domain.soon import floor_label
from frontend.fragments import BOARD, summary_context
from meeting_rooms.kernel.errors import UnavailableError
from realtime.hub.fragments import Rendering, Shown
from realtime.hub.hub import shared_hub
from realtime.state.live_state import Audience, LiveState
from realtime.state.topics import Topic

Theme = Literal["", "light", "dark"]
PARTS_KEPT = 128  # boards whose inner HTML is cached; about 50 KB each

SOCKET_PATH = "/ws/v1/live"


@dataclass(frozen=True, slots=True)
class BoardFloor:
    """A floor on the board. `direction` is the way from the board to the floor, as an arrow."""

    slug: str
    name: str
    hint: str = ""
    direction: str = ""


@dataclass(frozen=True, slots=True)
class BoardBuilding:
    """A building on the board, with its floors in display order."""

    slug: str
    name: str
    timezone: str
    floors: tuple[BoardFloor, ...]


@dataclass(frozen=True, slots=True)
class BoardParts:
    """The inner HTML of a board, which changes only with its rooms."""

    layout: Layout
    floors: SafeString
    count: SafeString
    soon: SafeString


class Surroundings(TypedDict):
    """The parts of the board's context that do not depend on the rooms."""

    book_url: str
    qr_svg: SafeString
    theme: NotRequired[Theme]
    demo: NotRequired[bool]
    socket_path: NotRequired[str]
    build: NotRequired[str]


async def board_rooms(building: str, audience: Audience) -> list[Shown]:
    """Return the rooms of a building as its board shows them; none if MongoDB is unavailable."""
    rendering = Rendering.of(audience, BOARD, None)
    try:
        return await shared_hub().show(Topic("building", building), rendering)
    except UnavailableError:
        return []


def board_context(
    building: BoardBuilding,
    rooms: Sequence[Shown],
    now: datetime,
    **around: Unpack[Surroundings],
) -> dict[str, object]:
    """Return the template context of `frontend/board.html`."""
    local = now.astimezone(ZoneInfo(building.timezone))
    return {
        "building": building,
        "parts": board_parts(building, tuple(rooms)),
        "now": now,
        "clock": f"{local:%H:%M}",
        "date": f"{local:%A} {local.day} {local:%B}",
        "theme": "",
        "demo": False,
        "socket_path": SOCKET_PATH,
        **around,
    }


@lru_cache(maxsize=PARTS_KEPT)
def board_parts(building: BoardBuilding, rooms: tuple[Shown, ...]) -> BoardParts:
    """Return the inner HTML of a board; rendered once as long as its rooms do not change."""
    now = max((room.at for room in rooms), default=datetime.min)  # noqa: DTZ901 - no room, so no text uses it
    layout = lay_out(_floors(building, rooms))
    summary = summary_context([room.state for room in rooms], now)
    return BoardParts(
        layout=layout,
        floors=_part("_floors", {"layout": layout}),
        count=_part("_count", summary),
        soon=_part("_soon", summary),
    )


def _part(name: str, context: dict[str, object]) -> SafeString:
    return mark_safe(render_to_string(f"frontend/{name}.html", context).rstrip())  # noqa: S308 - rendered here


def _floors(building: BoardBuilding, rooms: Sequence[Shown]) -> list[Floor]:
    """Group rooms by floor, in natural order ("K.2" before "K.10"); unknown floors come last."""
    known = {floor.slug: floor for floor in building.floors}
    in_order = sorted(rooms, key=lambda room: _natural(room.state))
    for room in in_order:
        label = floor_label(room.state).capitalize()
        known.setdefault(room.state.floor, BoardFloor(slug=room.state.floor, name=label))
    return [
        Floor(
            slug=floor.slug,
            name=floor.name,
            hint=floor.hint,
            arrow=floor.direction,
            rows=tuple(
                mark_safe(room.html)  # noqa: S308 - a rendered fragment
                for room in in_order
                if room.state.floor == floor.slug
            ),
        )
        for floor in known.values()
    ]


def _natural(state: LiveState) -> tuple[list[tuple[int, str]], str]:
    parts = re.findall(r"\d+|\D+", state.name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], state.id

"""The context of the board page: a building, its rooms' live states, and the links around them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NotRequired, TypedDict, Unpack
from zoneinfo import ZoneInfo

from django.utils.safestring import SafeString

from frontend.domain.layout import Floor, lay_out
from frontend.domain.rows import room_row
from frontend.domain.soon import floor_label
from frontend.fragments import summary_context
from realtime.domain.state import LiveState

Theme = Literal["", "light", "dark"]


@dataclass(frozen=True, slots=True)
class BoardFloor:
    """A floor as the board announces it. `direction` is the way there from the board."""

    slug: str
    name: str
    hint: str = ""
    direction: str = ""


@dataclass(frozen=True, slots=True)
class BoardBuilding:
    """A building as the board announces it; floors in the order they are shown."""

    slug: str
    name: str
    timezone: str
    floors: tuple[BoardFloor, ...]


class Surroundings(TypedDict):
    """What the page shows besides rooms."""

    book_url: str
    qr_svg: SafeString
    theme: NotRequired[Theme]
    demo: NotRequired[bool]
    socket_path: NotRequired[str]


def board_context(
    building: BoardBuilding,
    states: Sequence[LiveState],
    now: datetime,
    **around: Unpack[Surroundings],
) -> dict[str, object]:
    """Return every key that `frontend/board.html` reads."""
    local = now.astimezone(ZoneInfo(building.timezone))
    return {
        "building": building,
        "layout": lay_out(_floors(building, states, now)),
        "now": now,
        "clock": f"{local:%H:%M}",
        "date": f"{local:%A} {local.day} {local:%B}",
        "theme": "",
        "demo": False,
        "socket_path": "/ws/v1/live",
        **summary_context(states, now),
        **around,
    }


def _floors(building: BoardBuilding, states: Sequence[LiveState], now: datetime) -> list[Floor]:
    """Group rooms by floor, named naturally ("K.2" before "K.10"); unknown floors come last."""
    known = {floor.slug: floor for floor in building.floors}
    for state in sorted(states, key=_natural):
        label = floor_label(state).capitalize()
        known.setdefault(state.floor, BoardFloor(slug=state.floor, name=label))
    return [
        Floor(
            slug=floor.slug,
            name=floor.name,
            hint=floor.hint,
            arrow=floor.direction,
            rows=tuple(
                room_row(state, now)
                for state in sorted(states, key=_natural)
                if state.floor == floor.slug
            ),
        )
        for floor in known.values()
    ]


def _natural(state: LiveState) -> tuple[list[tuple[int, str]], str]:
    parts = re.findall(r"\d+|\D+", state.name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], state.id

"""Renders the HTML that the hub pushes to boards, from the same partial templates as the page."""

from collections.abc import Sequence
from datetime import datetime

from django.template.loader import render_to_string

from frontend.domain.rows import room_row
from frontend.domain.soon import free_count, soon, upcoming
from realtime.state.live_state import LiveState

BOARD = "board"  # the view's name on the socket


class BoardFragments:
    """Renders states that are already redacted. Guarantees: no attribute contains text from people.

    `now` is used only for the first text of a countdown ("for 21 min"), which the page updates.
    """

    def room(self, state: LiveState, now: datetime) -> str:
        """Return one row: a single `<li id="room-...">`."""
        row = room_row(state, now)
        return render_to_string("frontend/_room.html", {"row": row}).strip()

    def summary(self, states: Sequence[LiveState], now: datetime) -> str:
        """Return `#board-count` and `#board-soon` of one building."""
        return render_to_string("frontend/_summary.html", summary_context(states, now)).strip()


def summary_context(states: Sequence[LiveState], now: datetime) -> dict[str, object]:
    """Return the template context of `_count.html` and `_soon.html`."""
    starts = upcoming(states, now)
    near = soon(states, now)
    return {
        "free": free_count(states),
        "starts": [(start, start in near) for start in starts],
        "is_quiet": not near,
    }

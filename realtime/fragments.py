"""Views: HTML that follows a topic.

A page registers how its fragments are made; the hub asks once per change and audience, never once
per reader.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from meeting_rooms.kernel.errors import InvalidCommandError
from realtime.domain.state import LiveState


class FragmentView(Protocol):
    """Renders one kind of page. States are redacted for the audience before they get here.

    Each root element of a fragment carries the id of the element that it replaces.
    """

    def room(self, state: LiveState, now: datetime) -> str:
        """Return one room's HTML."""
        ...

    def summary(self, states: Sequence[LiveState], now: datetime) -> str:
        """Return the HTML of what the page says about the topic as a whole."""
        ...


_views: dict[str, FragmentView] = {}


def register_view(name: str, view: FragmentView) -> None:
    """Make a view known under the name that clients subscribe with. Called while apps load."""
    _views[name] = view


def get_view(name: str) -> FragmentView:
    """Return a registered view. Raises InvalidCommandError that lists the names there are."""
    if name not in _views:
        known = ", ".join(sorted(_views)) or "none"
        raise InvalidCommandError(
            f"There is no view '{name[:40]}'. Known: {known}.", code="bad_view"
        )
    return _views[name]

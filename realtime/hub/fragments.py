"""What a room looks like to one kind of reader: rendered once per process, shared by all of them.

A rendering is a view (or plain JSON), an audience and a language. A page registers how its HTML is
made; the cache asks once per version of a room, never once per reader, topic or request.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.utils import translation

from meeting_rooms.kernel.errors import InvalidCommandError
from realtime.protocol import messages
from realtime.state.audience import redact
from realtime.state.error_codes import LiveErrorCode
from realtime.state.live_state import Audience, LiveState, Mark

# Views word time ("for 21 min") and pages count on from there; a page without script cannot.
MAX_AGE = timedelta(minutes=1)


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


@dataclass(frozen=True, slots=True)
class Rendering:
    """In which form a subscriber gets a topic. Subscribers of one rendering share every text."""

    audience: Audience
    view: str | None = None
    language: str = ""

    @classmethod
    def of(cls, audience: Audience, view: str | None, language: str | None) -> "Rendering":
        """Check what a client asks for. Raises InvalidCommandError that lists what there is."""
        if view is None:
            return cls(audience)
        if view not in _views:
            known = ", ".join(sorted(_views)) or "none"
            raise InvalidCommandError(
                f"There is no view '{view[:40]}'. Known: {known}.", code=LiveErrorCode.BAD_VIEW
            )
        languages = [code for code, _ in settings.LANGUAGES]
        if language is not None and language not in languages:
            raise InvalidCommandError(
                f"There is no language '{language[:20]}'. Known: {', '.join(languages)}.",
                code=LiveErrorCode.BAD_LANGUAGE,
            )
        return cls(audience, view, language or settings.LANGUAGE_CODE)


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One room as one rendering shows it. `html` is empty for plain JSON.

    Compared by identity: the same object is shown until the room changes or the wording ages.
    """

    mark: Mark
    at: datetime
    state: LiveState  # redacted
    html: str
    body: str  # as frames carry it


class FragmentCache:
    """Rooms as they are shown, the newest version of each. Bounded by rooms times renderings."""

    def __init__(self) -> None:
        self._shown: dict[str, dict[Rendering, Shown]] = {}

    def room(self, state: LiveState, rendering: Rendering, now: datetime) -> Shown:
        """Return a room for a reader who may know of it, rendered now or at most MAX_AGE ago."""
        known = self._shown.setdefault(state.id, {})
        shown = known.get(rendering)
        if shown is None or shown.mark != state.mark or now - shown.at > MAX_AGE:
            shown = known[rendering] = _show(state, rendering, now)
        return shown

    def summary(self, shown: Sequence[LiveState], rendering: Rendering, now: datetime) -> str:
        """Return what the rendering's page says of a topic whose redacted states these are."""
        return _render(rendering, lambda view: view.summary(shown, now))

    def forget(self, room_id: str) -> None:
        """Drop a room that is gone."""
        self._shown.pop(room_id, None)


def _show(state: LiveState, rendering: Rendering, now: datetime) -> Shown:
    shown = redact(state, rendering.audience)
    if rendering.view is None:
        body, html = messages.room_body(shown), ""
    else:
        html = _render(rendering, lambda view: view.room(shown, now))
        body = messages.view_body(shown, html)
    return Shown(state.mark, now, shown, html, messages.encode(body))


def _render(rendering: Rendering, call: Callable[[FragmentView], str]) -> str:
    if rendering.view is None:
        return ""
    with translation.override(rendering.language):
        return call(_views[rendering.view])

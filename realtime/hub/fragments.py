"""Rendered rooms: each version of a room is rendered once per process and shared by its readers.

A rendering is a view (or plain JSON), an audience and a language. A page registers the view that
renders its HTML; the cache calls the view once per version of a room, not per reader or request.
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

# HTML contains durations ("for 21 min"). Scripts keep them current; pages without script cannot.
MAX_AGE = timedelta(minutes=1)


class FragmentView(Protocol):
    """Renders one kind of page. The states are redacted for the audience already.

    Each root element of a fragment carries the id of the element that it replaces.
    """

    def room(self, state: LiveState, now: datetime) -> str:
        """Return one room's HTML."""
        ...

    def summary(self, states: Sequence[LiveState], now: datetime) -> str:
        """Return the HTML of the summary of a topic."""
        ...


_views: dict[str, FragmentView] = {}


def register_view(name: str, view: FragmentView) -> None:
    """Register a view under the name that clients subscribe with. Called while apps load."""
    _views[name] = view


@dataclass(frozen=True, slots=True)
class Rendering:
    """The form in which a subscriber gets a topic. Subscribers of one rendering share frames."""

    audience: Audience
    view: str | None = None
    language: str = ""

    @classmethod
    def of(cls, audience: Audience, view: str | None, language: str | None) -> "Rendering":
        """Return the rendering that a client asks for.

        Raises InvalidCommandError, with the known names, if the view or language is unknown.
        """
        if view is None:
            return cls(audience)
        if view not in _views:
            known = ", ".join(sorted(_views)) or "none"
            raise InvalidCommandError(
                f"There is no view '{view[:40]}'. Views: {known}.", code=LiveErrorCode.BAD_VIEW
            )
        languages = [code for code, _ in settings.LANGUAGES]
        if language is not None and language not in languages:
            raise InvalidCommandError(
                f"There is no language '{language[:20]}'. Languages: {', '.join(languages)}.",
                code=LiveErrorCode.BAD_LANGUAGE,
            )
        return cls(audience, view, language or settings.LANGUAGE_CODE)


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One room in one rendering. `html` is empty for plain JSON.

    Compared by identity: the cache returns the same object until the room changes or the rendering
    is older than MAX_AGE.
    """

    mark: Mark
    at: datetime
    state: LiveState  # redacted
    html: str
    body: str  # JSON, as in a frame


class FragmentCache:
    """The newest version of each room, rendered. Bounded by rooms times renderings."""

    def __init__(self) -> None:
        self._shown: dict[str, dict[Rendering, Shown]] = {}

    def room(self, state: LiveState, rendering: Rendering, now: datetime) -> Shown:
        """Return a room, rendered at most MAX_AGE ago. The audience must be allowed to read it."""
        known = self._shown.setdefault(state.id, {})
        shown = known.get(rendering)
        if shown is None or shown.mark != state.mark or now - shown.at > MAX_AGE:
            shown = known[rendering] = _show(state, rendering, now)
        return shown

    def summary(self, shown: Sequence[LiveState], rendering: Rendering, now: datetime) -> str:
        """Return the HTML of the summary of these redacted states; "" for plain JSON."""
        return _render(rendering, lambda view: view.summary(shown, now))

    def forget(self, room_id: str) -> None:
        """Remove a room that no longer exists."""
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

"""A peer: renders the board with Django's template for every request, from states in memory.

An ASGI application for Daphne with the settings and middleware of the product and one view.
"""

import os

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_rooms.settings")
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402 - needs the settings
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.shortcuts import render  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils.safestring import SafeString  # noqa: E402

from frontend.board import BoardBuilding, BoardFloor, board_context  # noqa: E402
from frontend.fragments import BOARD  # noqa: E402
from frontend.qr import qr_svg  # noqa: E402
from meeting_rooms.kernel.clock import SYSTEM_CLOCK  # noqa: E402
from realtime.hub.fragments import FragmentCache, Rendering  # noqa: E402
from realtime.state.live_state import Audience, LiveState  # noqa: E402
from realtime.state.topics import Topic  # noqa: E402
from realtime.store.live_store import shared_store  # noqa: E402

RENDERING = Rendering.of(Audience.PUBLIC, BOARD, None)

_states: dict[str, list[LiveState]] = {}
_codes: dict[str, SafeString] = {}


async def board(request: HttpRequest, slug: str) -> HttpResponse:
    """Render the board; the states and the QR code are loaded once, not per request."""
    if slug not in _states:
        _states[slug] = await shared_store().states(Topic("building", slug))
        _codes[slug] = qr_svg(request.build_absolute_uri())
    states = _states[slug]
    floors = tuple(BoardFloor(name, name) for name in sorted({state.floor for state in states}))
    building = BoardBuilding(slug, slug, states[0].timezone, floors)
    url = request.build_absolute_uri()
    now, cache = SYSTEM_CLOCK.now(), FragmentCache()
    rooms = [cache.room(state, RENDERING, now) for state in states]
    context = board_context(building, rooms, now, book_url=url, qr_svg=_codes[slug])
    return render(request, "frontend/board.html", context)


urlpatterns = [path("board/<slug:slug>", board)]
settings.ROOT_URLCONF = __name__
application = get_asgi_application()

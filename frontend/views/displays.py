"""The page `/displays` for admins: the displays and the freshness of each display."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from asgiref.sync import sync_to_async
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from frontend.domain.ages import age
from identity.api_auth import user_from
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.errors import UnavailableError
from realtime.state.display_freshness import Display, Freshness, worst_first
from realtime.state.live_state import Audience
from realtime.store.live_store import shared_store

MAX_READ = 5_000  # displays
MAX_SHOWN = 200  # displays in the table
SLOW_MS = 1_000  # changes should be on a screen within a second
_GLYPHS = {Freshness.SILENT: "off", Freshness.STALE: "wait", Freshness.LIVE: "free"}


@dataclass(frozen=True, slots=True)
class Row:
    """One display as a row of the table."""

    display: Display
    state: str
    glyph: str
    says: str
    who: str
    connected: str
    proof: str
    is_slow: bool


@never_cache
@require_safe
async def displays(request: HttpRequest) -> HttpResponse:
    """List the displays of all web processes, worst first; htmx reloads the list every 10 s.

    Raises PermissionDenied if the person is no admin.
    """
    is_part = request.headers.get("HX-Request") == "true"
    if not await sync_to_async(_is_admin)(request):
        if is_part:  # the session has ended: a reload of the page leads to the sign-in
            return HttpResponse(headers={"HX-Refresh": "true"})
        return redirect_to_login(request.get_full_path(), reverse("sign_in"))
    context = {"page": "displays", **await _context(SYSTEM_CLOCK.now())}
    template = "frontend/_displays.html" if is_part else "frontend/displays.html"
    return await sync_to_async(render)(request, template, context)


def _is_admin(request: HttpRequest) -> bool:
    """Return False without sign-in, True for an admin. Raises PermissionDenied for other people."""
    if not request.user.is_authenticated:
        return False
    if not user_from(request).is_admin:
        raise PermissionDenied("Only admins can see the displays.")
    return True


async def _context(now: datetime) -> dict[str, object]:
    try:
        found = worst_first(await shared_store().displays(limit=MAX_READ), now)
    except UnavailableError:
        return {"is_away": True}
    count = Counter(display.freshness(now) for display in found)
    return {
        "rows": [_row(display, now) for display in found[:MAX_SHOWN]],
        "counts": [(_GLYPHS[state], count[state], state.value) for state in Freshness],
        "unshown": max(len(found) - MAX_SHOWN, 0),
        "slow_ms": SLOW_MS,
    }


def _row(display: Display, now: datetime) -> Row:
    state = display.freshness(now)
    return Row(
        display=display,
        state=state.value,
        glyph=_GLYPHS[state],
        says=_says(display, state, now),
        who="Public" if display.audience is Audience.PUBLIC else "Staff",
        connected=age(display.last_seen - display.since),
        proof=age(now - display.last_seen),
        is_slow=(display.p95_ms or 0) > SLOW_MS,
    )


def _says(display: Display, state: Freshness, now: datetime) -> str:
    match state:
        case Freshness.SILENT:
            return f"Silent for {age(now - display.last_seen)}"
        case Freshness.STALE:
            return f"Not live for {age(timedelta(seconds=display.stale_s))}"
        case Freshness.LIVE:
            return "Live"

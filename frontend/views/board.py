"""The lobby board: `/board/<building>`."""

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from frontend.board import BoardBuilding, BoardFloor, Theme, board_context, board_rooms
from frontend.qr import qr_svg
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.errors import NotFoundError
from realtime.state.live_state import Audience
from rooms.models import Building
from rooms.queries import get_building


async def board(request: HttpRequest, building: str) -> HttpResponse:
    """Show the present state of every room of a building; the socket keeps the page current.

    Public if the building allows it, otherwise only after sign-in. While MongoDB is unavailable,
    the page has no rooms; the socket adds them later.
    """
    found, audience = await sync_to_async(_who_sees_what)(request, building)
    if found is None or audience is None:
        return redirect_to_login(request.get_full_path(), reverse("sign_in"))
    rooms = await board_rooms(found.slug, audience)
    theme: Theme = "dark" if request.GET.get("theme") == "dark" else ""
    book_url = request.build_absolute_uri(reverse("book", args=[found.slug]))
    context = board_context(
        await sync_to_async(_described)(found),
        rooms,
        SYSTEM_CLOCK.now(),
        book_url=book_url,
        qr_svg=qr_svg(book_url),
        theme="light" if request.GET.get("theme") == "light" else theme,
        demo=settings.DEMO,
        build=settings.BUILD,
    )
    return await sync_to_async(render)(request, "frontend/board.html", context)


def _who_sees_what(request: HttpRequest, slug: str) -> tuple[Building | None, Audience | None]:
    """Return the building and the audience of the visitor; None if the visitor must sign in.

    Without sign-in, a building that is not public looks like a building that does not exist.
    Raises Http404 for a signed-in visitor if there is no such building.
    """
    is_known = request.user.is_authenticated
    try:
        building = get_building(slug)
    except NotFoundError as exc:
        if is_known:
            raise Http404(exc.detail) from exc
        return None, None
    if is_known:
        return building, Audience.STAFF
    return building, Audience.PUBLIC if building.is_board_public else None


def _described(building: Building) -> BoardBuilding:
    floors = building.floors.filter(rooms__is_active=True).distinct().order_by("level", "pk")
    return BoardBuilding(
        slug=building.slug,
        name=building.name,
        timezone=building.timezone,
        floors=tuple(BoardFloor(f.slug, f.name, f.hint, f.direction) for f in floors),
    )

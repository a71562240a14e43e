"""A cache of the boards for anonymous visitors.

The page of a board is the same for every lobby display, and most of its cost is not rendering but
sessions, sign-in and Postgres. So the response with its headers is cached until one of its rooms
changes or the minute ends. Only the instant in `data-now` is replaced in each response.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from frontend.board import board_rooms
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.hub.fragments import Shown
from realtime.state.live_state import Audience

PAGES_KEPT = 256  # cached responses; the oldest is dropped first
_QUERIES = frozenset({"", "theme=dark", "theme=light"})
_NOW = b'data-now="'

Key = tuple[str, str, str]  # scheme, host, path with query


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A cached response, split at the instant in `data-now`."""

    rooms: list[Shown]
    minute: str
    headers: dict[str, str]
    before: bytes
    after: bytes


class BoardCacheMiddleware:
    """Answers anonymous requests for a board from memory. Runs before sessions and sign-in.

    Guarantees: a request with a cookie or an Authorization header is never answered from memory.
    """

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponse]]) -> None:
        self.get_response = get_response
        self._pages: dict[Key, KeptPage] = {}
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the cached response with the present instant, or get and cache a new response."""
        slug = _board_of(request)
        if slug is None:
            return await self.get_response(request)
        rooms = await board_rooms(slug, Audience.PUBLIC)
        key = (request.scheme or "", request.get_host(), request.get_full_path())
        now = SYSTEM_CLOCK.now()
        kept = self._pages.get(key)
        if kept is None or kept.rooms != rooms or kept.minute != f"{now:%H:%M}":
            response = await self.get_response(request)
            self._keep(key, rooms, response)
            return response
        content = kept.before + now.isoformat().encode() + kept.after
        return HttpResponse(content, headers={**kept.headers, "Content-Length": str(len(content))})

    def _keep(self, key: Key, rooms: list[Shown], response: HttpResponse) -> None:
        self._pages.pop(key, None)
        if response.status_code != 200 or response.cookies or not rooms:
            return
        before, mark, rest = response.content.partition(_NOW)
        instant, _, after = rest.partition(b'"')
        if len(self._pages) >= PAGES_KEPT:
            del self._pages[next(iter(self._pages))]
        minute = instant.decode()[11:16]
        headers = dict(response.headers)
        self._pages[key] = KeptPage(rooms, minute, headers, before + mark, b'"' + after)


def _board_of(request: HttpRequest) -> str | None:
    """Return the building whose board an anonymous visitor requests; None for another request."""
    if request.method != "GET" or request.COOKIES or "Authorization" in request.headers:
        return None
    if not request.path_info.startswith("/board/") or request.META["QUERY_STRING"] not in _QUERIES:
        return None
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return None
    return match.kwargs["building"] if match.url_name == "board" else None

"""Middleware that answers the refusal of a command or of a sign-in with a page."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from meeting_rooms.http.problem import status_of
from meeting_rooms.kernel.errors import MeetingRoomsError


class RefusalMiddleware:
    """Answers a MeetingRoomsError that a view did not handle. The API has handlers of its own.

    Guarantees: the status comes from the error tree, `Retry-After` is sent if the error has the
    fact `retry_after_s`, and the response is not cached.
    """

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponse]]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request."""
        return await self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the page of a refusal, None for any other exception."""
        if not isinstance(error, MeetingRoomsError):
            return None
        context = {"refusal": error.detail, "again": request.path}
        response = render(request, "frontend/refusal.html", context, status=int(status_of(error)))
        if (wait_s := error.facts.get("retry_after_s")) is not None:
            response["Retry-After"] = str(wait_s)
        response["Cache-Control"] = "no-store"
        return response

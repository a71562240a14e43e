"""View of calendar feeds. Calendar programs cannot send headers, so the secret is in the URL.

The request log does not contain the secret (`meeting_rooms.logs`).
"""

import hashlib
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from booking.exchange.feeds import read_feed
from meeting_rooms.http.problem import status_of
from meeting_rooms.http.schema_types import require_known_parameters
from meeting_rooms.kernel.errors import MeetingRoomsError

TIME_OF_WRITING = b"DTSTAMP"  # lines that differ in every answer: not part of the ETag


@require_safe
def feed(request: HttpRequest, secret: str) -> HttpResponseBase:
    """Return the calendar of a feed; 404 if there is no such feed or it is revoked.

    The answer to If-None-Match is 304 while the calendar has not changed.
    """
    try:
        require_known_parameters(request.GET, ())
        calendar = read_feed(secret=secret)
    except MeetingRoomsError as refused:
        return _plain_text(refused.detail, status_of(refused))
    except (OperationalError, InterfaceError):
        return _plain_text(
            "The database did not answer. Try again later.", HTTPStatus.SERVICE_UNAVAILABLE
        )
    tag = _entity_tag(calendar)
    answer = get_conditional_response(request, etag=tag) or HttpResponse(
        calendar, content_type="text/calendar; charset=utf-8"
    )
    answer["ETag"] = tag
    answer["Cache-Control"] = "private, no-cache"  # programs ask each time; most answers are 304
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _plain_text(text: str, status: HTTPStatus) -> HttpResponse:
    answer = HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
    answer["Cache-Control"] = "no-store"
    return answer


def _entity_tag(calendar: bytes) -> str:
    lines = [line for line in calendar.splitlines() if not line.startswith(TIME_OF_WRITING)]
    digest = hashlib.sha256(b"\n".join(lines)).hexdigest()
    return f'"{digest[:32]}"'

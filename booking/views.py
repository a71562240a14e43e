"""Calendar feeds for programs that cannot send headers: the secret is in the address.

The log lines of requests do not hold it (`meeting_rooms.logs`).
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

WRITTEN_ANEW = b"DTSTAMP"  # is the time of writing: not a change of what is told


@require_safe
def feed(request: HttpRequest, secret: str) -> HttpResponseBase:
    """Answer the calendar behind a secret; 404 for one that never was or is revoked.

    Programs that ask with If-None-Match are told 304 while nothing has changed.
    """
    try:
        require_known_parameters(request.GET, ())
        calendar = read_feed(secret=secret)
    except MeetingRoomsError as refused:
        return _plain(refused.detail, status_of(refused))
    except (OperationalError, InterfaceError):
        return _plain("The store did not answer. Try again.", HTTPStatus.SERVICE_UNAVAILABLE)
    tag = _entity_tag(calendar)
    answer = get_conditional_response(request, etag=tag) or HttpResponse(
        calendar, content_type="text/calendar; charset=utf-8"
    )
    answer["ETag"] = tag
    answer["Cache-Control"] = "private, no-cache"  # asked for each time, answered 304 mostly
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _plain(told: str, status: HTTPStatus) -> HttpResponse:
    answer = HttpResponse(told, status=status, content_type="text/plain; charset=utf-8")
    answer["Cache-Control"] = "no-store"
    return answer


def _entity_tag(calendar: bytes) -> str:
    told = [line for line in calendar.splitlines() if not line.startswith(WRITTEN_ANEW)]
    digest = hashlib.sha256(b"\n".join(told)).hexdigest()
    return f'"{digest[:32]}"'

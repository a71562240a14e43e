"""The address of the client of a request."""

from django.conf import settings
from django.http import HttpRequest

from meeting_rooms.kernel.client_address import client_address


def address_of(request: HttpRequest) -> str:
    """Return the client's address, as the outermost trusted proxy saw it; "" if there is none."""
    return client_address(
        request.META.get("REMOTE_ADDR") or "",
        request.headers.get("X-Forwarded-For", ""),
        settings.TRUSTED_PROXIES,
    )

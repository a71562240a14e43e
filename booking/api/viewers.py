"""REST: the caller as a viewer of bookings."""

from dataclasses import replace

from django.http import HttpRequest

from identity.api_auth import actor_from
from meeting_rooms.kernel.actor import Actor
from rooms.queries import rooms_showing_titles


def viewer_from(request: HttpRequest) -> Actor:
    """Return the caller. A device gets the rooms whose titles it may read."""
    actor = actor_from(request)
    if not actor.is_device:
        return actor
    return replace(actor, titled_rooms=rooms_showing_titles(actor.rooms))

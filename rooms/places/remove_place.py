"""Command: delete a building, floor, room or feature that is not in use."""

from django.db import transaction
from django.db.models import ProtectedError

from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import ConflictError, PermissionDeniedError
from rooms.domain.error_codes import RoomsErrorCode
from rooms.models import Place
from rooms.places.mark_rooms_changed import mark_rooms_changed
from rooms.queries import rooms_showing


@transaction.atomic
def remove_place(*, actor: Actor, place: Place) -> None:
    """Delete the place, and mark the rooms that show it.

    Raises: PermissionDeniedError unless the actor is an admin; ConflictError `place_in_use` for a
    building with floors, a floor with rooms, and a room that has or had bookings.
    """
    if not actor.is_admin:
        raise PermissionDeniedError("Only admins may delete places.")
    mark_rooms_changed(rooms_showing(place))
    try:
        place.delete()
    except ProtectedError as exc:
        raise ConflictError(
            f"{place} has floors, rooms or bookings. Delete its floors or rooms first. A room with "
            "bookings cannot be deleted; retire the room instead.",
            code=RoomsErrorCode.PLACE_IN_USE,
        ) from exc

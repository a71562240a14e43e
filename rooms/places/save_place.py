"""Command: add or change a building, floor, room or feature."""

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db import transaction

from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import InvalidCommandError, PermissionDeniedError
from rooms.domain.error_codes import RoomsErrorCode
from rooms.models import Building, Feature, Floor, Place, Room
from rooms.places.mark_rooms_changed import mark_rooms_changed
from rooms.queries import rooms_showing

# Columns of a stored room that other commands change; a form may hold outdated values.
KEPT_OF_ROOM = frozenset(
    {"id", "uuid", "division", "units", "is_active", "schedule_version", "schedule_changed_at"}
)


@transaction.atomic
def save_place(*, actor: Actor, place: Place, features: Collection[Feature] | None = None) -> None:
    """Store the place, and a room's features if given, and mark the rooms that show it.

    Other commands change the members that bookings depend on: the time zone of a stored building
    (`correct_timezone`), and whether a stored room is in use (`retire_room`). Stored rooms and
    floors cannot move to another building, because their bookings depend on its time zone.
    Raises: PermissionDeniedError unless the actor is an admin; InvalidCommandError
    `impossible_place`, `zone_has_a_command`, `other_building`.
    """
    if not actor.is_admin:
        raise PermissionDeniedError("Only admins may add and change places.")
    is_new = place._state.adding
    if not is_new:
        _require_same_bookings(place)
    try:
        place.full_clean()
    except ValidationError as exc:
        raise InvalidCommandError(
            " ".join(exc.messages), code=RoomsErrorCode.IMPOSSIBLE_PLACE
        ) from exc
    if isinstance(place, Room) and not is_new:
        columns = {field.name for field in Room._meta.concrete_fields}
        place.save(update_fields=columns - KEPT_OF_ROOM)
    else:
        place.save()
    if isinstance(place, Room) and features is not None:
        place.features.set(features)
    mark_rooms_changed(rooms_showing(place))


def _require_same_bookings(place: Place) -> None:
    """Raise InvalidCommandError if the change would give bookings another time zone."""
    match place:
        case Building():
            stored = Building.objects.get(pk=place.pk)
            if stored.timezone != place.timezone:
                raise InvalidCommandError(
                    "A new time zone changes the bookings of the building. Use 'Correct the time "
                    "zone' instead.",
                    code=RoomsErrorCode.ZONE_HAS_A_COMMAND,
                )
        case Floor():
            if Floor.objects.get(pk=place.pk).building_id != place.building_id:
                raise InvalidCommandError(
                    "A floor cannot move to another building.", code=RoomsErrorCode.OTHER_BUILDING
                )
        case Room():
            stored_room = Room.objects.select_related("floor").get(pk=place.pk)
            if stored_room.floor.building_id != place.floor.building_id:
                raise InvalidCommandError(
                    "A room cannot move to another building. Add a new room there and retire this "
                    "room.",
                    code=RoomsErrorCode.OTHER_BUILDING,
                )
        case Feature():
            return

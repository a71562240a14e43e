"""The actor of a command: a person, a device, a sensor, an import or the system itself."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from meeting_rooms.kernel.errors import NotFoundError


class ActorKind(StrEnum):
    """The kind of an actor, as the audit log stores it."""

    PERSON = "person"
    DEVICE = "device"  # a panel at a door: acts for the person in front of it
    SENSOR = "sensor"
    IMPORT = "import"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a command, as the audit log keeps it.

    `rooms` are the rooms of a device; `titled_rooms` are the rooms whose titles the device may
    read. Both are empty for every other actor.
    """

    kind: ActorKind
    name: str
    user_id: UUID | None = None
    is_admin: bool = False
    rooms: frozenset[UUID] = frozenset()
    titled_rooms: frozenset[UUID] = frozenset()

    @property
    def is_device(self) -> bool:
        """Return whether the actor is a device, which stands for no person."""
        return self.kind is ActorKind.DEVICE

    def reaches(self, room: UUID) -> bool:
        """Return whether the actor may know of this room: a device only knows its own rooms."""
        return not self.is_device or room in self.rooms

    def require_room(self, room: UUID) -> None:
        """Raise NotFoundError for a room that the actor may not know, as for an unknown room."""
        if not self.reaches(room):
            raise NotFoundError(
                "This device does not belong to that room. Choose a room of the device."
            )


SYSTEM_ACTOR = Actor(ActorKind.SYSTEM, "system")

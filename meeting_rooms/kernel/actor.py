"""Who is acting: a person, or a part of the system that acts on its own."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from meeting_rooms.kernel.errors import NotFoundError


class ActorKind(StrEnum):
    """What sort of actor changed something."""

    PERSON = "person"
    DEVICE = "device"  # a panel at a door: acts for whoever stands there
    SENSOR = "sensor"
    IMPORT = "import"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a command, as the audit log keeps it.

    `rooms` are those a device belongs to; `titled_rooms` those of which it may read titles. Without
    them it reads none.
    """

    kind: ActorKind
    name: str
    user_id: UUID | None = None
    is_admin: bool = False
    rooms: frozenset[UUID] = frozenset()
    titled_rooms: frozenset[UUID] = frozenset()

    @property
    def is_device(self) -> bool:
        """Say whether nobody in particular acts."""
        return self.kind is ActorKind.DEVICE

    def reaches(self, room: UUID) -> bool:
        """Say whether the actor may know of this room: a device only knows its own."""
        return not self.is_device or room in self.rooms

    def require_room(self, room: UUID) -> None:
        """Raise NotFoundError for a room out of reach, as for one that does not exist."""
        if not self.reaches(room):
            raise NotFoundError("There is no such thing in the rooms of this device.")


SYSTEM_ACTOR = Actor(ActorKind.SYSTEM, "system")

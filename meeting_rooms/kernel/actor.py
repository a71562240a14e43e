"""Who is acting: a person, or a part of the system that acts on its own."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class ActorKind(StrEnum):
    """What sort of actor changed something."""

    PERSON = "person"
    SENSOR = "sensor"
    IMPORT = "import"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a command, as the audit log keeps it."""

    kind: ActorKind
    name: str
    user_id: UUID | None = None
    is_admin: bool = False


SYSTEM_ACTOR = Actor(ActorKind.SYSTEM, "system")

"""Topics, which clients follow, and the topics of a room. Pure.

`campus`, `building:<slug>`, `floor:<slug>`, `room:<uuid>`.
"""

import re
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from meeting_rooms.kernel.errors import InvalidCommandError
from realtime.state.error_codes import LiveErrorCode
from realtime.state.live_state import LiveState

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MAX_TOPIC_LENGTH = 80  # characters; longer than any slug or id


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: one of four kinds and a slug or id; `campus` has no key."""

    kind: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}" if self.key else self.kind

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the topic. Raises InvalidCommandError if `text` has none of the four forms."""
        kind, _, key = text[:MAX_TOPIC_LENGTH].partition(":")
        if kind == "campus" and not key:
            return cls(kind)
        if kind in ("building", "floor") and _SLUG.fullmatch(key):
            return cls(kind, key)
        if kind == "room" and _is_uuid(key):
            return cls(kind, str(UUID(key)))
        raise InvalidCommandError(
            "The topic is invalid. Use 'campus', 'building:<slug>', 'floor:<slug>' or 'room:<id>'.",
            code=LiveErrorCode.BAD_TOPIC,
        )


def topics_of(state: LiveState) -> tuple[Topic, ...]:
    """Return the four topics of a room."""
    return (
        Topic("campus"),
        Topic("building", state.building),
        Topic("floor", state.floor),
        Topic("room", state.id),
    )


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

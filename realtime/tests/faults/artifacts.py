"""The results of a run that the checker reads. Pure values, no store, no socket."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Applied:
    """A state of a room that a client has put on its screen."""

    room: str
    epoch: str
    version: int
    content: str  # digest of the complete body
    audience: str = "staff"  # what a state contains depends on who reads it
    at: float = 0.0  # monotonic seconds


@dataclass(frozen=True, slots=True)
class Stored:
    """A booking as Postgres stores it at the end of the run."""

    id: str
    room: str
    start: datetime
    end: datetime
    state: str
    title: str

    @property
    def is_live(self) -> bool:
        """Return whether the booking takes its slot."""
        return self.state in ("confirmed", "checked_in")


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A booking command that was answered 201; `key` is its Idempotency-Key and its title."""

    key: str
    booking: str
    room: str


@dataclass
class Evidence:
    """One run. Histories and screens by client; `truth`: MongoDB's states, redacted by client."""

    histories: dict[str, list[Applied]] = field(default_factory=dict)
    screens: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    truth: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    stored: list[Stored] = field(default_factory=list)
    acknowledged: list[Acknowledged] = field(default_factory=list)

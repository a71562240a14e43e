"""What a run leaves behind: everything the checker judges. Pure values, no store, no socket."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Applied:
    """A client has put this state of a room on its screen."""

    room: str
    epoch: str
    version: int
    content: str  # digest of the whole body
    audience: str = "staff"  # what a state contains depends on who reads it
    at: float = 0.0  # monotonic seconds


@dataclass(frozen=True, slots=True)
class Stored:
    """A booking as Postgres holds it in the end."""

    id: str
    room: str
    start: datetime
    end: datetime
    state: str
    title: str

    @property
    def is_live(self) -> bool:
        """Say whether it takes its slot."""
        return self.state in ("confirmed", "checked_in")


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A command to book that was answered 201; `key` is its Idempotency-Key and its title."""

    key: str
    booking: str
    room: str


@dataclass
class Evidence:
    """One run. Histories and screens by client; `truth` is MongoDB's, redacted for each of them."""

    histories: dict[str, list[Applied]] = field(default_factory=dict)
    screens: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    truth: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    stored: list[Stored] = field(default_factory=list)
    acknowledged: list[Acknowledged] = field(default_factory=list)

"""A booking as a value: what commands return, the audit log keeps and receipts repeat. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from booking.domain.states import BookingState
from meeting_rooms.kernel.interval import Interval


@dataclass(frozen=True, slots=True)
class BookingFacts:
    """One booking at one moment. `organizer_id` is None for bookings that came from a calendar."""

    id: UUID
    room: UUID
    interval: Interval
    title: str
    organizer: str
    organizer_id: UUID | None
    private: bool
    state: BookingState
    check_in_until: datetime | None

    def as_json(self) -> dict[str, Any]:
        """Return JSON-ready values; `from_json` reads them back unchanged."""
        return {
            "id": str(self.id),
            "room": str(self.room),
            "starts_at": self.interval.start.isoformat(),
            "ends_at": self.interval.end.isoformat(),
            "title": self.title,
            "organizer": self.organizer,
            "organizer_id": str(self.organizer_id) if self.organizer_id else None,
            "private": self.private,
            "state": self.state.value,
            "check_in_until": self.check_in_until and self.check_in_until.isoformat(),
        }

    @classmethod
    def from_json(cls, doc: dict[str, Any]) -> Self:
        """Read what `as_json` wrote."""
        return cls(
            id=UUID(doc["id"]),
            room=UUID(doc["room"]),
            interval=Interval.of(
                datetime.fromisoformat(doc["starts_at"]), datetime.fromisoformat(doc["ends_at"])
            ),
            title=doc["title"],
            organizer=doc["organizer"],
            organizer_id=UUID(doc["organizer_id"]) if doc["organizer_id"] else None,
            private=doc["private"],
            state=BookingState(doc["state"]),
            check_in_until=doc["check_in_until"] and datetime.fromisoformat(doc["check_in_until"]),
        )

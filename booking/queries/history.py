"""What happened to a booking, as far as the reader may know. A read, built on the audit log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from booking.domain.booking_data import BookingData, Row
from booking.domain.privacy import as_busy, may_read_details
from booking.domain.states import BookingState
from booking.models import AuditEntry
from booking.repository import get_booking
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.interval import Interval

MAX_ENTRIES = 500  # the newest; no booking of people comes near


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One fact as the reader may see it. `changed` maps each member to `{was, is}`."""

    at: datetime
    actor_kind: str
    actor: str
    command: str
    reason: str
    changed: dict[str, Any]


def history_of(booking_id: UUID, viewer: Actor) -> list[HistoryEntry]:
    """Return the facts, oldest first. Raises NotFoundError.

    Of what happened while the booking was private, or where it is private now, strangers learn the
    command, the time and the state; neither who, nor why, nor what it was about.
    """
    is_readable = _is_readable(get_booking(booking_id).as_data(), viewer)
    entries = AuditEntry.objects.filter(booking_id=booking_id).order_by("-id")[:MAX_ENTRIES]
    return [_told(entry, viewer, is_readable=is_readable) for entry in reversed(entries)]


def _told(entry: AuditEntry, viewer: Actor, *, is_readable: bool) -> HistoryEntry:
    states = [BookingData.from_row(row) for row in (entry.before, entry.after) if row]
    is_readable = is_readable and all(_is_readable(state, viewer) for state in states)
    was = _shown(entry.before, is_readable=is_readable)
    now = _shown(entry.after, is_readable=is_readable)
    return HistoryEntry(
        at=entry.at,
        actor_kind=entry.actor_kind,
        actor=entry.actor_name if is_readable else "",
        command=entry.command,
        reason=entry.reason if is_readable else "",
        changed={
            name: {"was": was.get(name), "is": value}
            for name, value in now.items()
            if was.get(name) != value
        },
    )


def _is_readable(facts: BookingData, viewer: Actor) -> bool:
    return may_read_details(facts, viewer)


def _shown(row: Row | None, *, is_readable: bool) -> dict[str, Any]:
    """Return a stored state with the names of the API."""
    if row is None:
        return {}
    stored = BookingData.from_row(row)
    facts = stored if is_readable else as_busy(stored)
    interval: Interval = facts.interval
    state: BookingState = facts.state
    return {
        "room": str(facts.room),
        "starts_at": interval.start.isoformat(),
        "ends_at": interval.end.isoformat(),
        "title": facts.title,
        "organizer": facts.organizer,
        "private": facts.private,
        "state": state.value,
        "attendees": facts.attendees,
        "flags": list(facts.flags),
    }

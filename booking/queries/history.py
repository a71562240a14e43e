"""Query: the audit entries of a booking, with only what the viewer may read."""

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

MAX_ENTRIES = 500  # the newest; a booking made by people has far fewer


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One audit entry as the viewer may read it. `changed` maps each member to `{was, is}`."""

    at: datetime
    actor_kind: str
    actor: str
    command: str
    reason: str
    changed: dict[str, Any]


def history_of(booking_id: UUID, viewer: Actor) -> list[HistoryEntry]:
    """Return the audit entries of the booking, oldest first.

    If the booking is private now, or was private at an entry, viewers who may not read it see only
    command, time, room and state of the entry, and not the actor, the reason or the details.

    Raises NotFoundError if there is no such booking.
    """
    is_readable = _is_readable(get_booking(booking_id).as_data(), viewer)
    entries = AuditEntry.objects.filter(booking_id=booking_id).order_by("-id")[:MAX_ENTRIES]
    return [_entry_for(entry, viewer, is_readable=is_readable) for entry in reversed(entries)]


def _entry_for(entry: AuditEntry, viewer: Actor, *, is_readable: bool) -> HistoryEntry:
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
    """Return the members of a stored booking as the API names them; none if `row` is None."""
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

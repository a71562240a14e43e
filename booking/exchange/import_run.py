"""Import all events of a calendar: find their rooms, import or refuse each event, and report.

Each event is imported completely or not at all; a refused event has its reason in the report.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from booking.domain.error_codes import BookingErrorCode
from booking.domain.errors import SlotTakenError
from booking.exchange.ical.events import CalendarEvent, RefusedEvent
from booking.exchange.ical.read_calendar import ZoneOf
from booking.exchange.import_event import (
    EventInRoom,
    ImportOutcome,
    import_event,
    import_events_together,
    lock_rooms_of,
)
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import InvalidCommandError, MeetingRoomsError
from rooms.models import Room
from rooms.queries import rooms_named

FindRoom = Callable[[CalendarEvent], tuple[Room, bool]]


@dataclass(slots=True)
class ImportReport:
    """What an import did: outcomes, refused events, and rooms."""

    outcomes: Counter[ImportOutcome] = field(default_factory=Counter)
    refused: list[RefusedEvent] = field(default_factory=list)
    rooms_used: set[str] = field(default_factory=set)
    rooms_created: list[str] = field(default_factory=list)


class CalendarImport:
    """One import of the events of one file. `max_passes` bounds how often an event is tried.

    With `locks_first`, for an import in one transaction, all rooms are locked before the first
    event.
    """

    def __init__(
        self,
        *,
        actor: Actor,
        find_room: FindRoom,
        progress: Callable[[int], object],
        max_passes: int | None = None,
        locks_first: bool = False,
    ) -> None:
        self._actor = actor
        self._find_room = find_room
        self._progress = progress
        self._max_passes = max_passes
        self._locks_first = locks_first
        self.report = ImportReport()

    def run(self, events: Sequence[CalendarEvent]) -> ImportReport:
        """Import the events and return the report. Blocked events are tried again in passes.

        If a calendar was shifted or rearranged, each booking moves to a slot that another booking
        of the calendar still has. Each pass moves the bookings whose new slot is free by then. The
        remaining bookings block each other in a circle; they are moved together or refused. Every
        second pass runs backwards: so a chain of bookings, each blocked by the next, needs two
        passes in either direction.
        """
        waiting = [found for event in events if (found := self._with_room(event))]
        if self._locks_first:
            lock_rooms_of(waiting)
        self._progress(len(events) - len(waiting))
        for _ in range(self._max_passes or len(waiting)):
            blocked = self._pass(waiting)
            if len(blocked) == len(waiting):
                break
            waiting = blocked[::-1]
        if waiting:
            self._together(waiting)
        return self.report

    def _with_room(self, event: CalendarEvent) -> EventInRoom | None:
        try:
            room, is_new = self._find_room(event)
        except MeetingRoomsError as exc:
            self._refuse(event.uid, event.title, exc)
            return None
        self.report.rooms_used.add(room.name)
        if is_new:
            self.report.rooms_created.append(room.name)
        return room.uuid, event

    def _pass(self, events: Sequence[EventInRoom]) -> list[EventInRoom]:
        """Import the events once, and return the events that another booking blocks."""
        blocked: list[EventInRoom] = []
        for room, event in events:
            try:
                outcome = import_event(actor=self._actor, room=room, event=event)
            except SlotTakenError:
                blocked.append((room, event))
                continue
            except MeetingRoomsError as exc:
                self._refuse(event.uid, event.title, exc)
            else:
                self.report.outcomes[outcome] += 1
            self._progress(1)
        return blocked

    def _together(self, events: Sequence[EventInRoom]) -> None:
        try:
            outcomes = import_events_together(actor=self._actor, events=events)
        except MeetingRoomsError:
            self._refuse_each(events)
        else:
            self.report.outcomes.update(outcomes)
        self._progress(len(events))

    def _refuse_each(self, events: Sequence[EventInRoom]) -> None:
        for room, event in events:
            try:
                outcome = import_event(actor=self._actor, room=room, event=event)
            except MeetingRoomsError as exc:
                self._refuse(event.uid, event.title, exc)
            else:
                self.report.outcomes[outcome] += 1

    def _refuse(self, uid: str, title: str, exc: MeetingRoomsError) -> None:
        self.report.refused.append(RefusedEvent(uid, title, exc.code, exc.detail))


def zone_of_most(starts: Iterable[datetime]) -> str:
    """Return the zone of most events, "UTC" if the events have only offsets."""
    zones = Counter(start.tzinfo.key for start in starts if isinstance(start.tzinfo, ZoneInfo))
    return zones.most_common(1)[0][0] if zones else "UTC"


def zone_named(name: str) -> ZoneInfo:
    """Return the zone of an IANA name. Raises InvalidCommandError `bad_zone` if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise InvalidCommandError(
            f"'{name}' is not an IANA time zone. Use one such as Europe/Helsinki.",
            code=BookingErrorCode.BAD_ZONE,
        ) from exc


def zone_of_rooms(*, building: str | None, zone: ZoneInfo | None) -> ZoneOf:
    """Return a function from a room's name to its zone: `zone` if given, else the building's zone.

    The function returns None for an unknown room, and for a name with several possible zones.
    """

    @cache
    def zone_of(location: str) -> ZoneInfo | None:
        if zone is not None:
            return zone
        found = {room.floor.building.timezone for room in rooms_named(location, building=building)}
        return ZoneInfo(found.pop()) if len(found) == 1 else None

    return zone_of

"""Import parsed files of bookings. The import commands and the REST API share these steps."""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from booking.domain.error_codes import BookingErrorCode
from booking.exchange.csv.table import ParsedRow, ParsedTable, RefusedRow
from booking.exchange.ical.events import CalendarEvent, ParsedCalendar
from booking.exchange.ical.recurring_events import MAX_SINGLE_EVENTS, with_single_events
from booking.exchange.import_event import ImportOutcome
from booking.exchange.import_run import CalendarImport, FindRoom, ImportReport
from booking.models import Booking
from booking.transaction.context import is_manager
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import MeetingRoomsError, PermissionDeniedError
from rooms.models import PolicyPerson, Room
from rooms.places.ensure_room import ensure_room, find_room_by_name
from rooms.policies.cache import current_room_policies

PAST_OF_SERIES = timedelta(days=366)  # dates of a series that ended earlier are not imported
FUTURE_OF_SERIES = timedelta(days=730)  # nor dates that start later
MAX_ROOMS_NAMED = 20  # in the facts of one error
UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Progress = Callable[[int], object]


def no_progress(_count: int) -> None:
    """Ignore the progress of an import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HowToImport:
    """Who imports, and whether anything is stored. For `max_passes` see `CalendarImport`."""

    actor: Actor
    dry_run: bool = False
    progress: Progress = no_progress
    max_passes: int | None = None

    def run(
        self, find_room: FindRoom, events: Sequence[CalendarEvent], *, is_one: bool
    ) -> ImportReport:
        """Import the events. `is_one` says that the caller opened one transaction for all."""
        run = CalendarImport(
            actor=self.actor,
            find_room=find_room,
            progress=self.progress,
            max_passes=self.max_passes,
            locks_first=is_one,
        )
        return run.run(events)


@dataclass(frozen=True, slots=True)
class TableReport:
    """What the import of a table did with each row, and whether the result was stored."""

    done: ImportReport
    refused: list[RefusedRow]
    is_stored: bool


def known_rooms(building: str | None) -> FindRoom:
    """Return a function that finds rooms by name, in `building` if it is given."""

    def find_room(event: CalendarEvent) -> tuple[Room, bool]:
        return find_room_by_name(event.location, building=building), False

    return find_room


def rooms_made_as_needed(building: str | None, *, timezone: str, is_public: bool) -> FindRoom:
    """Return a function that finds rooms by name and creates missing ones; see `ensure_room`."""

    def find_room(event: CalendarEvent) -> tuple[Room, bool]:
        return ensure_room(
            event.location, building=building, timezone=timezone, is_public=is_public
        )

    return find_room


def dates_around(
    calendar: ParsedCalendar, now: datetime, *, at_most: int = MAX_SINGLE_EVENTS
) -> ParsedCalendar:
    """Return the calendar with each series replaced by its dates, a year back to two years ahead.

    Raises LimitExceededError `too_many_dates` if the calendar has more than `at_most` dates.
    """
    return with_single_events(
        calendar, now + FUTURE_OF_SERIES, since=now - PAST_OF_SERIES, at_most=at_most
    )


def import_calendar(
    calendar: ParsedCalendar, find_room: FindRoom, how: HowToImport
) -> ImportReport:
    """Import the single events of a calendar, each on its own. Series are ignored.

    The report also lists the events that the parser refused.
    """
    with transaction.atomic() if how.dry_run else nullcontext():
        report = how.run(find_room, calendar.events, is_one=how.dry_run)
        if how.dry_run:
            transaction.set_rollback(True)
    report.refused[:0] = calendar.refused
    return report


def import_table(
    table: ParsedTable, find_room: FindRoom, how: HowToImport, *, partial: bool
) -> TableReport:
    """Import a table in one transaction: all rows or none, or with `partial` all rows that fit."""
    rows, repeated = _once_each(table.rows)
    rows, unchanged, own = _not_from_here(rows)
    numbers = {row.event.uid: row.number for row in rows}
    how.progress(len(table.rows) - len(rows))
    with transaction.atomic():
        report = how.run(find_room, [row.event for row in rows], is_one=True)
        report.outcomes[ImportOutcome.UNCHANGED] += unchanged
        late = [RefusedRow(numbers[e.uid], e.code, e.detail) for e in report.refused]
        refused = sorted([*table.refused, *repeated, *own, *late], key=lambda row: row.number)
        is_stored = not how.dry_run and (partial or not refused)
        if not is_stored:
            transaction.set_rollback(True)
    return TableReport(report, refused, is_stored)


def counted(report: ImportReport, refused: Sequence[object]) -> dict[str, int]:
    """Return the number of entries for each outcome, and for "refused"."""
    counts = {outcome.value: report.outcomes[outcome] for outcome in ImportOutcome}
    return {**counts, "refused": len(refused)}


def require_may_import(actor: Actor) -> None:
    """Raise PermissionDeniedError unless the actor is an admin or a room manager.

    Called before a file is read, so other people's files cost nothing.
    """
    if actor.is_admin:
        return
    runs = PolicyPerson.objects.filter(user=actor.user_id, role=PolicyPerson.Role.MANAGER)
    if not runs.exists():
        raise PermissionDeniedError("Only room managers can import bookings. Ask a room manager.")


def require_runs_rooms_of(
    actor: Actor, events: Iterable[CalendarEvent], find_room: FindRoom
) -> None:
    """Raise PermissionDeniedError unless the actor manages every room of these events.

    The rooms are the known rooms that the events name, and the rooms of bookings that were imported
    from these events before, because an import may move such bookings. The facts of the error list
    the rooms that the actor does not manage.
    """
    if actor.is_admin:
        return
    rooms = {room.uuid for event in events if (room := _room_or_none(event, find_room))}
    uids = [event.uid for event in events]
    before = Booking.objects.filter(external_uid__in=uids, room__is_active=True)
    rooms.update(before.values_list("room__uuid", flat=True))
    _require_runs(actor, rooms)


def _require_runs(actor: Actor, rooms: Iterable[UUID]) -> None:
    others = sorted(r.name for r in current_room_policies(list(rooms)) if not is_manager(actor, r))
    if others:
        raise PermissionDeniedError(
            f"You do not manage {others[0]}. Remove the bookings of rooms that you do not manage.",
            facts={"rooms": others[:MAX_ROOMS_NAMED]},
        )


def _room_or_none(event: CalendarEvent, find_room: FindRoom) -> Room | None:
    try:
        return find_room(event)[0]
    except MeetingRoomsError:
        return None


def _once_each(rows: Sequence[ParsedRow]) -> tuple[list[ParsedRow], list[RefusedRow]]:
    """Return the rows without repeats, and a refusal for each row that repeats an earlier row."""
    first: dict[str, ParsedRow] = {}
    repeated: list[RefusedRow] = []
    for row in rows:
        earlier = first.setdefault(row.event.uid, row)
        if earlier is not row:
            repeated.append(
                RefusedRow(
                    row.number,
                    BookingErrorCode.REPEATED_ROW,
                    f"The row is the same as row {earlier.number}. Remove one.",
                )
            )
    return list(first.values()), repeated


def _not_from_here(rows: Sequence[ParsedRow]) -> tuple[list[ParsedRow], int, list[RefusedRow]]:
    """Return new rows, the number of rows stored unchanged, and refusals of changed bookings.

    So a table that was exported here is not booked a second time.
    """
    ids = {row.id for row in rows if UUID_TEXT.fullmatch(row.id)}
    known = {str(b.pk): b for b in Booking.objects.select_related("room").filter(pk__in=ids)}
    new = [row for row in rows if row.id not in known]
    changed = [row for row in rows if row.id in known and not _is_as_stored(row, known[row.id])]
    refused = [
        RefusedRow(
            row.number,
            BookingErrorCode.BOOKED_HERE,
            "The row is a booking of this system. Change the booking on its page.",
        )
        for row in changed
    ]
    return new, len(rows) - len(new) - len(changed), refused


def _is_as_stored(row: ParsedRow, booking: Booking) -> bool:
    return row.event.location == booking.room.name and row.event.interval == booking.interval

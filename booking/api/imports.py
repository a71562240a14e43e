"""REST: bookings from other programs: a calendar, and a table."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pydantic
from django.http import HttpRequest
from ninja import Field, Query, Router
from ninja.errors import HttpError, ValidationError

from booking.domain.error_codes import BookingErrorCode
from booking.exchange.csv.presets import Preset
from booking.exchange.csv.table import parse_table
from booking.exchange.fetch_url import FetchPolicy, fetch_calendar
from booking.exchange.ical.events import ParsedCalendar
from booking.exchange.ical.read_calendar import parse_calendar
from booking.exchange.import_files import (
    HowToImport,
    counted,
    dates_around,
    import_calendar,
    import_table,
    known_rooms,
    require_may_import,
    require_runs_rooms_of,
)
from booking.exchange.import_run import zone_of_rooms
from booking.transaction.database_clock import DATABASE_CLOCK
from identity.api_auth import actor_from
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import Answer, Body
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.errors import InvalidCommandError, LimitExceededError
from rooms.models import Room
from rooms.queries import get_building

router = Router(tags=["exchange"])
MAX_ENTRIES = 500  # of one request, so that its answer comes in time; commands take more
MAX_SERIES = 100  # counting the dates of a rule of old takes up to 0.1 s
MAX_PASSES = 2  # over entries that wait for each other's slots; what is left goes together
MAX_REFUSALS = 100
MAX_ADDRESS = 2_000  # characters
MAX_FETCHED_BYTES = 256 * 1024  # as many as a body may have
MAX_FETCH_S = 5.0
FETCHING = FetchPolicy(timeout_s=MAX_FETCH_S, max_bytes=MAX_FETCHED_BYTES)
CALENDAR, TABLE, JSON = "text/calendar", "text/csv", "application/json"


class AddressIn(Body):
    """Where the calendar is: an https, http or webcal address of a public host."""

    address: str = Field(
        min_length=1, max_length=MAX_ADDRESS, examples=["https://calendars.example/team.ics"]
    )


class ImportQuery(Body):
    """Whether the import counts."""

    dry_run: bool = Field(False, description="Do everything, tell what came of it, undo it.")


class CalendarQuery(ImportQuery):
    """Where the calendar's rooms are."""

    building: str | None = Field(
        None, max_length=50, description="Slug of the rooms' building. Without it, any building."
    )
    room: str = Field(
        "", max_length=Room.NAME_LENGTH, description="Name of the room of events that name none."
    )


class TableQuery(ImportQuery):
    """Where the table's rooms are, and what wrote it."""

    building: str = Field(max_length=50, description="Slug of the rooms' building.")
    preset: Preset = Field(Preset.MEETING_ROOMS, description="The program that wrote the table.")
    date_format: str | None = Field(
        None,
        max_length=50,
        description="Form of the times as strptime has it.",
        examples=["%d.%m.%Y %H:%M"],
    )
    partial: bool = Field(False, description="Take the rows that fit, instead of all or none.")


class RefusalOut(Answer):
    """An entry that was not taken: its code, and a sentence that says why."""

    code: str
    detail: str


class RefusedEventOut(RefusalOut):
    """An event that was not taken."""

    uid: str
    title: str


class RefusedRowOut(RefusalOut):
    """A row that was not taken. Rows count as in a spreadsheet: the column names are row 1."""

    number: int


class ImportOut(Answer):
    """How many entries came to what. Where `stored` is false, it is what would have come of it."""

    stored: bool
    created: int
    updated: int
    cancelled: int
    unchanged: int
    refused: int


class CalendarImportOut(ImportOut):
    """What became of a calendar. Each date of a series is an entry of its own."""

    calendar: str = Field(description="The name that the calendar gives itself.")
    refusals: list[RefusedEventOut] = Field(description=f"The first {MAX_REFUSALS}.")


class TableImportOut(ImportOut):
    """What became of a table."""

    refusals: list[RefusedRowOut] = Field(description=f"The first {MAX_REFUSALS}.")


def _takes(*kinds: str) -> dict[str, Any]:
    """Return how the document tells of a body that is a file, or JSON that says where it is."""
    content: dict[str, Any] = {
        kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds if kind != JSON
    }
    if JSON in kinds:
        content[JSON] = {"schema": AddressIn.model_json_schema()}
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "/imports/calendar",
    response={200: CalendarImportOut, 404: Problem, 429: Problem},
    operation_id="import_calendar",
    summary="Import a calendar",
    openapi_extra=_takes(CALENDAR, JSON),
)
def take_calendar(request: HttpRequest, query: Query[CalendarQuery]) -> CalendarImportOut:
    """Book, move and cancel as an iCalendar file says, or the one at an `address`.

    Events are known by their UID: a second run changes nothing. Each is taken or refused alone. Of
    series, the dates from a year ago to two years ahead are taken. For admins, and for those who
    run every room that is concerned; at most 500 entries.
    """
    actor = _importer(request)
    if query.building is not None:
        get_building(query.building)
    calendar = _read_calendar(_calendar_sent(request), query)
    find_room = known_rooms(query.building)
    require_runs_rooms_of(actor, calendar.events, find_room)
    report = import_calendar(calendar, find_room, _how(actor, query))
    return CalendarImportOut(
        stored=not query.dry_run,
        calendar=calendar.name,
        refusals=[RefusedEventOut.model_validate(one) for one in report.refused[:MAX_REFUSALS]],
        **counted(report, report.refused),
    )


@router.post(
    "/imports/bookings",
    response={200: TableImportOut, 404: Problem, 429: Problem},
    operation_id="import_bookings",
    summary="Import a table of bookings",
    openapi_extra=_takes(TABLE),
)
def take_bookings(request: HttpRequest, query: Query[TableQuery]) -> TableImportOut:
    """Book what the rows of a CSV file say, all of them or none; with `partial` those that fit.

    Rows are known by their number, or by times and title: a second run changes nothing. For admins,
    and for those who run every room that is concerned; at most 500 rows.
    """
    actor = _importer(request)
    building = get_building(query.building)
    _require_type(request, TABLE)
    table = parse_table(
        request.body,
        preset=query.preset,
        building=building.slug,
        zone=ZoneInfo(building.timezone),
        date_format=query.date_format,
    )
    _refuse_too_many(len(table.rows) + len(table.refused), "import_bookings")
    find_room = known_rooms(building.slug)
    require_runs_rooms_of(actor, [row.event for row in table.rows], find_room)
    report = import_table(table, find_room, _how(actor, query), partial=query.partial)
    return TableImportOut(
        stored=report.is_stored,
        refusals=[RefusedRowOut.model_validate(one) for one in report.refused[:MAX_REFUSALS]],
        **counted(report.done, report.refused),
    )


def _importer(request: HttpRequest) -> Actor:
    """Return the caller. Raises PermissionDeniedError for those who may import nothing."""
    actor = actor_from(request)
    require_may_import(actor)
    return actor


def _how(actor: Actor, query: ImportQuery) -> HowToImport:
    """Return the import as the audit log is to keep it: an import, and whose."""
    author = Actor(ActorKind.IMPORT, actor.name, user_id=actor.user_id)
    return HowToImport(actor=author, dry_run=query.dry_run, max_passes=MAX_PASSES)


def _require_type(request: HttpRequest, *kinds: str) -> None:
    if request.content_type not in kinds:
        raise InvalidCommandError(
            f"Send the file as the body, with 'Content-Type: {kinds[0]}'.",
            code=BookingErrorCode.WRONG_CONTENT_TYPE,
            facts={"content_types": list(kinds)},
        )


def _calendar_sent(request: HttpRequest) -> bytes:
    """Return the body, or what is at the address that it names."""
    _require_type(request, CALENDAR, JSON)
    if request.content_type == CALENDAR:
        return request.body
    try:
        told = AddressIn.model_validate_json(request.body)
    except pydantic.ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False, include_input=False)
        if errors[0]["type"] == "json_invalid":
            raise HttpError(400, "Cannot parse request body") from exc
        raise _invalid([{**error, "loc": ("body", *error["loc"])} for error in errors]) from exc
    return fetch_calendar(told.address, policy=FETCHING)


def _read_calendar(raw: bytes, query: CalendarQuery) -> ParsedCalendar:
    """Return the calendar as single events. Raises LimitExceededError before they are too many."""
    zone_of = zone_of_rooms(building=query.building, zone=None)
    calendar = parse_calendar(raw, zone_of=zone_of, default_location=query.room)
    at_once = len(calendar.events) + len(calendar.series) + len(calendar.refused)
    _refuse_too_many(at_once, "import_calendar")
    if len(calendar.series) > MAX_SERIES:
        raise _too_many("import_calendar")
    try:
        calendar = dates_around(calendar, DATABASE_CLOCK.now(), at_most=MAX_ENTRIES)
    except LimitExceededError as exc:
        raise _too_many("import_calendar") from exc
    _refuse_too_many(len(calendar.events) + len(calendar.refused), "import_calendar")
    return calendar


def _refuse_too_many(entries: int, command: str) -> None:
    if entries > MAX_ENTRIES:
        raise _too_many(command)


def _too_many(command: str) -> LimitExceededError:
    return LimitExceededError(
        f"The file has more than {MAX_ENTRIES} entries, counting each date of a series, or more "
        f"than {MAX_SERIES} series. Split it, or use `manage.py {command}`, which takes more.",
        code=BookingErrorCode.TOO_MANY_ENTRIES,
        facts={"max_entries": MAX_ENTRIES, "max_series": MAX_SERIES, "command": command},
    )


def _invalid(errors: Sequence[Any]) -> ValidationError:
    return ValidationError(list(errors))

"""REST: import bookings from an iCalendar file or a CSV table."""

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
MAX_ENTRIES = 500  # of one request, which takes 3 to 8 s; the commands of manage.py take more
MAX_SERIES = 100  # of one request; to expand an old RRULE takes up to 0.1 s
MAX_PASSES = 2  # over entries that wait for each other's slots; the rest is moved together
MAX_REFUSALS = 100  # listed in one answer
MAX_ADDRESS = 2_000  # characters
MAX_FETCHED_BYTES = 256 * 1024  # the same limit as for the body of a request
MAX_FETCH_S = 5.0  # for all redirects together
FETCHING = FetchPolicy(timeout_s=MAX_FETCH_S, max_bytes=MAX_FETCHED_BYTES)
CALENDAR, TABLE, JSON = "text/calendar", "text/csv", "application/json"


class AddressIn(Body):
    """The address of a calendar: https, http or webcal, on a public host."""

    address: str = Field(
        min_length=1, max_length=MAX_ADDRESS, examples=["https://calendars.example/team.ics"]
    )


class ImportQuery(Body):
    """Options of every import."""

    dry_run: bool = Field(False, description="Only report what the import would do; store nothing.")


class CalendarQuery(ImportQuery):
    """Options of the import of a calendar."""

    building: str | None = Field(
        None,
        max_length=50,
        description="Slug of the building of the rooms. Default: all buildings.",
    )
    room: str = Field(
        "",
        max_length=Room.NAME_LENGTH,
        description="Name of the room for events that name no room.",
    )


class TableQuery(ImportQuery):
    """Options of the import of a table."""

    building: str = Field(max_length=50, description="Slug of the building of the rooms.")
    preset: Preset = Field(Preset.MEETING_ROOMS, description="The program that wrote the table.")
    date_format: str | None = Field(
        None,
        max_length=50,
        description="Format of the times, with the codes of `strptime`.",
        examples=["%d.%m.%Y %H:%M"],
    )
    partial: bool = Field(
        False, description="Import the rows that can be booked, instead of all rows or none."
    )


class RefusalOut(Answer):
    """The reason why an entry was refused: the error code, and a sentence for people."""

    code: str
    detail: str


class RefusedEventOut(RefusalOut):
    """An event that was refused."""

    uid: str
    title: str


class RefusedRowOut(RefusalOut):
    """A row that was refused. `number` counts as in a spreadsheet: the column names are row 1."""

    number: int


class ImportOut(Answer):
    """The number of entries by outcome. If `stored` is false, nothing was stored.

    The numbers then say what the import would have done.
    """

    stored: bool
    created: int
    updated: int
    cancelled: int
    unchanged: int
    refused: int


class CalendarImportOut(ImportOut):
    """The result of the import of a calendar. Each date of a series counts as one entry."""

    calendar: str = Field(description="The name in the calendar.")
    refusals: list[RefusedEventOut] = Field(description=f"The first {MAX_REFUSALS}.")


class TableImportOut(ImportOut):
    """The result of the import of a table."""

    refusals: list[RefusedRowOut] = Field(description=f"The first {MAX_REFUSALS}.")


def _takes(*kinds: str) -> dict[str, Any]:
    """Return the OpenAPI description of a body that is a file, or JSON with its address."""
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
def import_calendar_file(request: HttpRequest, query: Query[CalendarQuery]) -> CalendarImportOut:
    """Create, move and cancel bookings as an iCalendar file says: the body, or at an `address`.

    An event is identified by its UID, so importing the same file again changes nothing. Each event
    is imported or refused alone. Of a series, the dates from one year ago to two years ahead are
    imported. The maximum is 500 entries. Only for admins and for managers of all rooms of the file.
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
def import_table_file(request: HttpRequest, query: Query[TableQuery]) -> TableImportOut:
    """Create a booking for each row of a CSV file: for all rows or none, unless `partial` is true.

    A row is identified by its booking number, or by its times and title, so importing the same file
    again changes nothing. The maximum is 500 rows. Only for admins and for managers of all rooms of
    the file.
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
    """Return the caller. Raises PermissionDeniedError if the caller may not import."""
    actor = actor_from(request)
    require_may_import(actor)
    return actor


def _how(actor: Actor, query: ImportQuery) -> HowToImport:
    """Return the settings of the import. The audit log names the caller, with the kind import."""
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
    """Return the calendar: the body itself, or what the address in the body answers.

    Raises InvalidCommandError `wrong_content_type`, ValidationError for a body that is not an
    AddressIn, and what `fetch_calendar` raises.
    """
    _require_type(request, CALENDAR, JSON)
    if request.content_type == CALENDAR:
        return request.body
    try:
        sent = AddressIn.model_validate_json(request.body)
    except pydantic.ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False, include_input=False)
        if errors[0]["type"] == "json_invalid":
            raise HttpError(400, "Cannot parse request body") from exc
        raise _invalid([{**error, "loc": ("body", *error["loc"])} for error in errors]) from exc
    return fetch_calendar(sent.address, policy=FETCHING)


def _read_calendar(raw: bytes, query: CalendarQuery) -> ParsedCalendar:
    """Return the calendar as single events.

    Raises LimitExceededError `too_many_entries`, before the events use much time or memory.
    """
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
        f"The file has more than {MAX_ENTRIES} entries (each date of a series counts), or more "
        f"than {MAX_SERIES} series. Split the file, or use `manage.py {command}`.",
        code=BookingErrorCode.TOO_MANY_ENTRIES,
        facts={"max_entries": MAX_ENTRIES, "max_series": MAX_SERIES, "command": command},
    )


def _invalid(errors: Sequence[Any]) -> ValidationError:
    return ValidationError(list(errors))

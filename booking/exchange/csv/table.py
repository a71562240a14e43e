"""Read and write bookings as a table (CSV, RFC 4180), for spreadsheets and other programs. Pure.

Rows are numbered as in a spreadsheet: row 1 has the column names.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from booking.domain.error_codes import BookingErrorCode
from booking.exchange.csv.presets import ISO_FORMATS, LAYOUTS, Layout, Preset, checked_form
from booking.exchange.ical.events import CalendarEvent
from booking.exchange.ical.write_calendar import clean_line
from meeting_rooms.kernel.errors import InvalidCommandError, LimitExceededError
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.local_time import resolve_strict

MAX_TABLE_BYTES = 5 * 1024 * 1024  # bounds the memory of an import
MAX_ROWS = 20_000  # bounds the one transaction of an import
COLUMNS = (
    "id", "room", "building", "starts_at", "ends_at", "timezone", "title", "organizer",
    "organizer_email", "state", "private", "attendees",
)  # fmt: skip
REQUIRED = ("room", "starts_at", "ends_at")
# A spreadsheet may evaluate a cell that starts so (CSV injection, OWASP).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
YES_NO = {"": False, "no": False, "false": False, "0": False, "yes": True, "true": True, "1": True}
UidOf = Callable[[Mapping[str, str], str], str]  # cells of a row and one room to the UID
# States of a row whose booking has no slot any more.
GONE = ("cancelled", "released", "declined", "rejected")


class UnreadableTableError(InvalidCommandError):
    """The file cannot be read as a table; no row of the file may be used."""

    default_code = BookingErrorCode.UNREADABLE_TABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One booking to write, redacted by the caller.

    A booking that the reader may not read has the title "Busy" and no people.
    """

    id: str
    room: str
    building: str
    interval: Interval
    zone: ZoneInfo
    title: str
    organizer: str
    organizer_email: str
    state: str
    is_private: bool
    attendees: str = ""


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """One booking of a row. Id, building and e-mail address are those of the row, or ""."""

    number: int
    id: str
    building: str
    organizer_email: str
    event: CalendarEvent


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One row that was not imported, and why."""

    number: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class ParsedTable:
    """The bookings of a table in the order of its rows, and the rows that cannot be booked."""

    rows: tuple[ParsedRow, ...]
    refused: tuple[RefusedRow, ...]


def write_table(rows: Iterable[TableRow]) -> Iterator[str]:
    """Yield the lines of a table, column names first. Times are local, with their offset."""
    yield _line(COLUMNS)
    for row in rows:
        start, end = (at.astimezone(row.zone) for at in (row.interval.start, row.interval.end))
        yield _line(
            (
                row.id, row.room, row.building, start.isoformat(), end.isoformat(), row.zone.key,
                row.title, row.organizer, row.organizer_email, row.state,
                "yes" if row.is_private else "no", row.attendees,
            )
        )  # fmt: skip


def parse_table(
    raw: bytes, *, preset: Preset, building: str, zone: ZoneInfo, date_format: str | None = None
) -> ParsedTable:
    """Return the bookings of a table. All rooms are in one building, named by its slug.

    `zone` applies to times without an offset; `date_format` has the directives of `strptime`. The
    same row in the table of another building is another booking. A bad row refuses only itself.

    Raises UnreadableTableError (`not_utf8`, `missing_column`, `unreadable_table`) if the file is no
    such table; InvalidCommandError `bad_date_format`; LimitExceededError if the file exceeds
    MAX_TABLE_BYTES or MAX_ROWS.
    """
    layout = LAYOUTS[preset]
    formats = (checked_form(date_format),) if date_format else (*layout.formats, *ISO_FORMATS)
    records = _records(_text(raw))
    columns = _columns(next(records, (1, []))[1], layout)
    times, uid_of = _Times(zone, formats), partial(_uid, preset, building)
    rows: list[ParsedRow] = []
    refused: list[RefusedRow] = []
    for number, record in records:
        fields = {name: record[at] for name, at in columns.items() if at < len(record)}
        try:
            rows.extend(_bookings(number, fields, layout, times, uid_of))
        except InvalidCommandError as exc:
            refused.append(RefusedRow(number, exc.code, exc.detail))
    return ParsedTable(tuple(rows), tuple(refused))


def neutralised(value: str) -> str:
    """Return the text with a leading quote if a spreadsheet may evaluate it as a formula."""
    return f"'{value}" if value.lstrip("'").startswith(FORMULA_STARTS) else value


def restored(value: str) -> str:
    """Return the text without the quote that `neutralised` added."""
    is_marked = value[:1] == "'" and value.lstrip("'").startswith(FORMULA_STARTS)
    return value[1:] if is_marked else value


def _line(values: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(map(neutralised, values))
    return out.getvalue()


def _text(raw: bytes) -> str:
    if len(raw) > MAX_TABLE_BYTES:
        raise LimitExceededError(
            f"The file has {len(raw):,} bytes; the maximum is {MAX_TABLE_BYTES:,}. Split the file.",
            code=BookingErrorCode.FILE_TOO_LARGE,
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise UnreadableTableError(
            f"The file is not in UTF-8 (byte {exc.start:,}). Save the file as 'CSV UTF-8'.",
            code=BookingErrorCode.NOT_UTF8,
        ) from exc


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each row that is not empty."""
    head = text[: (text + "\n").index("\n")]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count))
    number = 0
    try:
        for number, record in enumerate(reader, start=1):
            if number > MAX_ROWS + 1:
                raise LimitExceededError(
                    f"The table has more than {MAX_ROWS:,} rows. Split the table.",
                    code=BookingErrorCode.TOO_MANY_ROWS,
                )
            if any(cell.strip() for cell in record):
                yield number, [restored(cell) for cell in record]
    except csv.Error as exc:
        raise UnreadableTableError(
            f"Row {number + 1} cannot be read: {exc}. Correct the row."
        ) from exc


def _columns(head: list[str], layout: Layout) -> dict[str, int]:
    """Return the column index of each field. Raises UnreadableTableError `missing_column`."""
    names = {name.strip().rstrip(":").lower(): at for at, name in reversed(list(enumerate(head)))}
    found = {
        field: names[alias]
        for field, aliases in layout.columns.items()
        for alias in reversed(aliases)
        if alias in names
    }
    for field in REQUIRED:
        if field not in found:
            raise UnreadableTableError(
                f"The first row has no column '{layout.hint(field)}'. Add that column.",
                code=BookingErrorCode.MISSING_COLUMN,
            )
    return found


class _Times:
    """Reads local times of one zone, or times with an offset."""

    def __init__(self, zone: ZoneInfo, formats: tuple[str, ...]) -> None:
        self._zone = zone
        self._formats = formats

    def read(self, text: str) -> datetime:
        """Return the aware time. Raises InvalidCommandError if the clock skips or repeats it."""
        local = self._parsed(" ".join(text.split()))
        if local.tzinfo is not None:
            return local
        return resolve_strict(local, self._zone).instant

    def _parsed(self, text: str) -> datetime:
        try:
            if self._formats[-1] == ISO_FORMATS[-1]:
                return datetime.fromisoformat(text)
        except ValueError:
            pass
        for date_format in self._formats:
            try:
                return datetime.strptime(text, date_format)  # noqa: DTZ007 - local until `read`
            except ValueError:
                continue
        raise InvalidCommandError(
            f"'{text[:40]}' is not a date with a year and a time. Set the date format.",
            code=BookingErrorCode.BAD_TIME,
        )


def _bookings(
    number: int, fields: dict[str, str], layout: Layout, times: _Times, uid_of: UidOf
) -> Iterator[ParsedRow]:
    """Yield one booking for each room that the row names."""
    cell = fields.get("room", "")
    rooms = cell.split(layout.room_separator) if layout.room_separator else [cell]
    rooms = [clean_line(room) for room in rooms if clean_line(room)]
    if not rooms:
        raise InvalidCommandError(
            "The row names no room. Fill in the room.", code=BookingErrorCode.NO_ROOM
        )
    start, end = times.read(fields.get("starts_at", "")), times.read(fields.get("ends_at", ""))
    for room in rooms:
        event = CalendarEvent(
            uid=uid_of(fields, room),
            location=room,
            start=start,
            end=end,
            title=clean_line(fields.get("title", "")),
            organizer=clean_line(fields.get("organizer", "")),
            is_private=_yes(fields.get("private", "")),
            is_cancelled=fields.get("state", "").strip().lower() in GONE,
        )
        event.interval  # noqa: B018 - raises for an empty interval
        cells = {n: clean_line(fields.get(n, "")) for n in ("id", "building", "organizer_email")}
        yield ParsedRow(number=number, event=event, **cells)


def _yes(text: str) -> bool:
    answer = YES_NO.get(text.strip().lower())
    if answer is None:
        raise InvalidCommandError(
            f"'{text[:20]}' is neither yes nor no. Write one of them.",
            code=BookingErrorCode.BAD_VALUE,
        )
    return answer


def _uid(preset: Preset, building: str, fields: Mapping[str, str], room: str) -> str:
    """Return the UID by which a later import recognises the booking.

    The UID comes from the id of the row, else from times and title: then a changed row is a new
    booking. The building is part of the UID, because rooms of two buildings may have the same name
    and rows of two buildings the same id.
    """
    own_id = fields.get("id", "").strip()[:100]
    values = [own_id] if own_id else [fields.get(n, "") for n in ("starts_at", "ends_at", "title")]
    key = "\0".join((building, *values, room))
    return f"{preset.value}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"

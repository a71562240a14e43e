"""REST: export bookings as an iCalendar file or as a CSV table."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router
from pydantic import BaseModel

from booking.api.day_view import Day
from booking.domain.error_codes import BookingErrorCode
from booking.exchange.csv.table import MAX_ROWS, write_table
from booking.exchange.export_calendar import room_calendar
from booking.exchange.export_table import bookings_around, table_rows
from booking.transaction.database_clock import DATABASE_CLOCK
from identity.api_auth import actor_from
from meeting_rooms.http.problem import Problem
from meeting_rooms.kernel.error_codes import KernelErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError, LimitExceededError
from rooms.queries import get_building, get_room

router = Router(tags=["exchange"])
MAX_EXPORT_DAYS = 366  # a year


def _text(kind: str) -> dict[str, Any]:
    """Return the OpenAPI description of an answer that is not JSON."""
    content = {kind: {"schema": {"type": "string"}}}
    return {"responses": {200: {"description": "Done.", "content": content}}}


class TableQuery(BaseModel):
    """First and last local day, both included, in the time zone of each room."""

    first: Day = Field(alias="from")
    last: Day = Field(alias="to")
    building: str | None = Field(None, max_length=50)

    def days(self) -> tuple[date, date]:
        """Return first and last day.

        Raises InvalidCommandError `end_not_after_start` or `period_too_long`.
        """
        if self.last < self.first:
            raise InvalidCommandError(
                "'to' is before 'from'. Choose a later 'to'.",
                code=KernelErrorCode.END_NOT_AFTER_START,
            )
        if self.last - self.first >= timedelta(days=MAX_EXPORT_DAYS):
            raise InvalidCommandError(
                f"The period is too long. The maximum is {MAX_EXPORT_DAYS} days.",
                code=BookingErrorCode.PERIOD_TOO_LONG,
            )
        return self.first, self.last


@router.get(
    "/rooms/{room_id}/calendar",
    response={404: Problem, 429: Problem},
    summary="Export the bookings of a room as iCalendar",
    openapi_extra=_text("text/calendar"),
)
def show_calendar(request: HttpRequest, room_id: UUID) -> HttpResponse:
    """Return the bookings of the room from a month ago on, with only what the caller may read."""
    calendar = room_calendar(get_room(room_id), actor_from(request), DATABASE_CLOCK.now())
    return HttpResponse(calendar, content_type="text/calendar; charset=utf-8")


@router.get(
    "/exports/bookings",
    response={404: Problem, 429: Problem},
    summary="Export bookings as a table",
    openapi_extra=_text("text/csv"),
)
def export_bookings(request: HttpRequest, query: Query[TableQuery]) -> HttpResponse:
    """Return bookings as CSV. The maximum is 20,000 bookings.

    `manage.py import_bookings` can import the file again.
    """
    first, last = query.days()
    found = bookings_around(first, last)
    if query.building:
        found = found.filter(room__floor__building=get_building(query.building))
    if found.count() > MAX_ROWS:
        raise LimitExceededError(
            f"There are more than {MAX_ROWS:,} bookings. Ask for fewer days.",
            code=BookingErrorCode.TOO_MANY_BOOKINGS,
        )
    lines = write_table(table_rows(found, actor_from(request), first, last))
    answer = HttpResponse("".join(lines), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="bookings-{first}-{last}.csv"'
    return answer

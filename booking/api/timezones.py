"""REST: correct the time zone of a building and the times of its bookings."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router
from pydantic import StrictBool

from booking.api.shapes import BookingOut
from booking.commands.correct_timezone import Keep, ZoneReport, correct_timezone, recheck_timezone
from booking.domain.booking_data import BookingData
from identity.api_auth import actor_from
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import Answer, Body
from meeting_rooms.kernel.actor import Actor

router = Router(tags=["zones"])
MAX_ZONE_LENGTH = 64  # characters; the longest IANA name has 32


class ZoneIn(Body):
    """The new time zone, and what bookings keep: their local time or their instant.

    A dry run stores nothing.
    """

    timezone: str = Field(min_length=1, max_length=MAX_ZONE_LENGTH, examples=["Europe/Helsinki"])
    keep: Keep
    is_dry_run: StrictBool = True


class RecheckIn(Body):
    """Whether to store the changes. A dry run stores nothing."""

    is_dry_run: StrictBool = True


class MovedOut(Answer):
    """One booking: its time before the change and after it."""

    booking: UUID
    was_starts_at: datetime
    was_ends_at: datetime
    starts_at: datetime
    ends_at: datetime
    local_start: str
    local_end: str

    @classmethod
    def of(cls, pair: tuple[BookingData, BookingData]) -> "MovedOut":
        """Return the booking before and after, as the API shows it."""
        before, after = pair
        return cls(
            booking=after.id,
            was_starts_at=before.interval.start,
            was_ends_at=before.interval.end,
            starts_at=after.interval.start,
            ends_at=after.interval.end,
            local_start=after.local_start,
            local_end=after.local_end,
        )


class ZoneReportOut(Answer):
    """The changes of the bookings that have not begun.

    Bookings in `clashing` cannot move: they keep their instants and get the flag `local_time_lost`.
    """

    changed: list[MovedOut]
    clashing: list[BookingOut]

    @classmethod
    def of(cls, report: ZoneReport, viewer: Actor) -> "ZoneReportOut":
        """Return the report as the API shows it."""
        return cls(
            changed=[MovedOut.of(pair) for pair in report.changed],
            clashing=[BookingOut.of(facts, viewer) for facts in report.clashing],
        )


@router.post(
    "/buildings/{slug}/zone",
    response={200: ZoneReportOut, 404: Problem, 409: Problem},
    summary="Correct the time zone of a building",
    operation_id="correct_zone",
)
def correct_zone(request: HttpRequest, slug: str, body: ZoneIn) -> ZoneReportOut:
    """Set the time zone of the building, and move its future bookings. Admins only."""
    actor = actor_from(request)
    report = correct_timezone(
        actor=actor,
        building=slug,
        timezone=body.timezone,
        keep=body.keep,
        is_dry_run=body.is_dry_run,
    )
    return ZoneReportOut.of(report, actor)


@router.post(
    "/buildings/{slug}/zone/recheck",
    response={200: ZoneReportOut, 404: Problem, 409: Problem},
    summary="Apply the present rules of the time zone to future bookings",
    operation_id="recheck_zone",
)
def recheck_zone(request: HttpRequest, slug: str, body: RecheckIn) -> ZoneReportOut:
    """Move future bookings whose local time has another instant now. Admins only.

    Use this after the rules of the time zone changed, for example if daylight saving time ended.
    """
    actor = actor_from(request)
    report = recheck_timezone(actor=actor, building=slug, is_dry_run=body.is_dry_run)
    return ZoneReportOut.of(report, actor)

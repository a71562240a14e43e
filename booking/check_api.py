"""REST: would a booking be allowed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from booking.domain.states import BookingState
from booking.services.check_slot import SlotCheck, check_slot
from identity.api_auth import actor_from
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.problem import Problem

router = Router(tags=["bookings"])


class SlotQuery(Schema):
    """The booking that would be made."""

    starts_at: datetime
    ends_at: datetime
    attendees: int | None = Field(None, ge=1, le=100_000)


class SlotCheckOut(Schema):
    """Whether it would be allowed: how it would be stored, or all that speaks against it.

    Each refusal has `code`, `detail`, `rule`, `source` and what would be allowed instead; `rule` is
    null for what nobody overrides.
    """

    allowed: bool
    state: BookingState | None
    flags: list[str]
    check_in_until: datetime | None
    refusals: list[dict[str, Any]]

    @classmethod
    def of(cls, check: SlotCheck) -> "SlotCheckOut":
        """Return the check as the API shows it."""
        judged = check.judgement
        return cls(
            allowed=judged is not None,
            state=judged.state if judged else None,
            flags=list(judged.flags) if judged else [],
            check_in_until=judged.lapses_at if judged else None,
            refusals=check.refusals,
        )


@router.get(
    "/rooms/{room_id}/check",
    response={200: SlotCheckOut, 404: Problem, 422: Problem},
    summary="Would a booking be allowed",
)
def check(request: HttpRequest, room_id: UUID, query: Query[SlotQuery]) -> SlotCheckOut:
    """Judge a booking of the caller's without making it. It promises nothing: hold the slot."""
    interval = Interval.of(query.starts_at, query.ends_at)
    found = check_slot(
        actor=actor_from(request), room=room_id, interval=interval, attendees=query.attendees
    )
    return SlotCheckOut.of(found)

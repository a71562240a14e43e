"""REST: would a booking be allowed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router

from booking.api.shapes import PeriodQuery
from booking.domain.states import BookingState
from booking.queries.check_slot import SlotCheck, check_slot
from identity.api_auth import actor_from
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import Answer

router = Router(tags=["availability"])


class SlotQuery(PeriodQuery):
    """The booking that would be made."""

    attendees: int | None = Field(None, ge=1, le=100_000)


class SlotCheckOut(Answer):
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
        decision = check.decision
        return cls(
            allowed=decision is not None,
            state=decision.state if decision else None,
            flags=list(decision.flags) if decision else [],
            check_in_until=decision.lapses_at if decision else None,
            refusals=check.refusals,
        )


@router.get(
    "/rooms/{room_id}/check",
    response={200: SlotCheckOut, 404: Problem},
    summary="Would a booking be allowed",
    operation_id="check_slot",
)
def check(request: HttpRequest, room_id: UUID, query: Query[SlotQuery]) -> SlotCheckOut:
    """Judge a booking of the caller's without making it. It promises nothing: hold the slot."""
    found = check_slot(
        actor=actor_from(request),
        room=room_id,
        interval=query.interval(),
        attendees=query.attendees,
    )
    return SlotCheckOut.of(found)

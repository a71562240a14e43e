"""REST: check whether a booking would be allowed."""

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
    """The booking to check."""

    attendees: int | None = Field(None, ge=1, le=100_000)


class SlotCheckOut(Answer):
    """Whether the booking would be allowed: how it would be stored, or all reasons against it.

    Each refusal has `code`, `detail`, `rule`, `source` and further members that say what would be
    allowed. `rule` is null for a hard limit: another booking, a closure or the past. For a request
    that would wait for approval, `check_in_until` is the instant at which it lapses.
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
    summary="Check whether a booking would be allowed",
    operation_id="check_slot",
)
def check(request: HttpRequest, room_id: UUID, query: Query[SlotQuery]) -> SlotCheckOut:
    """Evaluate a booking of the caller without storing it.

    The answer reserves nothing and may be outdated at once: use a hold to reserve the slot.
    """
    found = check_slot(
        actor=actor_from(request),
        room=room_id,
        interval=query.interval(),
        attendees=query.attendees,
    )
    return SlotCheckOut.of(found)

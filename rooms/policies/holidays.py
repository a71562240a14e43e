"""Command: close the rooms of a scope on public holidays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock
from meeting_rooms.kernel.errors import LimitExceededError
from rooms.domain.error_codes import RoomsErrorCode
from rooms.domain.policy_document import MAX_EXCEPTIONS, ExceptionDocument, PolicyDocument
from rooms.policies.set_policy import set_policy
from rooms.policies.store import PolicyScope, document_of

MAX_REASON_LENGTH = 100


@dataclass(frozen=True, slots=True)
class HolidayPlan:
    """The holidays to add (`new`), and the holidays on dates that have an exception (`known`)."""

    new: dict[date, str]
    known: dict[date, str]
    existing: tuple[ExceptionDocument, ...]
    fingerprint: str


def plan_holidays(scope: PolicyScope, found: Mapping[date, str]) -> HolidayPlan:
    """Return the plan for `add_holidays`, from the holidays in `found`. Stores nothing."""
    document = document_of(scope)
    taken = {
        exception.first_date + timedelta(days=number)
        for exception in document.exceptions
        for number in range((exception.last_date - exception.first_date).days + 1)
    }
    return HolidayPlan(
        new={day: name for day, name in sorted(found.items()) if day not in taken},
        known={day: name for day, name in sorted(found.items()) if day in taken},
        existing=tuple(document.exceptions),
        fingerprint=document.fingerprint(),
    )


def add_holidays(
    *, actor: Actor, scope: PolicyScope, plan: HolidayPlan, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Store the new dates of the plan as holidays on which the scope is closed.

    Raises: PermissionDeniedError; OutdatedCommandError if the policy changed after the plan was
    made; LimitExceededError `too_many_exceptions`.
    """
    if not plan.new:
        return
    added = [
        ExceptionDocument(
            first_date=day, last_date=day, reason=name[:MAX_REASON_LENGTH], is_holiday=True
        )
        for day, name in plan.new.items()
    ]
    exceptions = [*plan.existing, *added]
    if len(exceptions) > MAX_EXCEPTIONS:
        raise LimitExceededError(
            f"A policy has at most {MAX_EXCEPTIONS} exceptions. Import fewer years, or remove "
            "exceptions in the past.",
            code=RoomsErrorCode.TOO_MANY_EXCEPTIONS,
        )
    changes = PolicyDocument(exceptions=exceptions)
    set_policy(actor=actor, scope=scope, changes=changes, expected=plan.fingerprint, clock=clock)

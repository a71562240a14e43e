"""Command: change the policy of the campus, a building or a room."""

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from identity.models import User
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock
from meeting_rooms.kernel.errors import (
    InvalidCommandError,
    OutdatedCommandError,
    PermissionDeniedError,
)
from rooms.domain.effective_policy import Period
from rooms.domain.error_codes import RoomsErrorCode
from rooms.domain.opening_hours import joined
from rooms.domain.policy_document import (
    ExceptionDocument,
    HoursDocument,
    PeriodDocument,
    PolicyDocument,
    QuotaDocument,
)
from rooms.domain.policy_rules import SINGLE_RULES
from rooms.models import (
    ExceptionPeriod,
    OpeningException,
    OpeningHours,
    Policy,
    PolicyChange,
    PolicyPerson,
    Quota,
)
from rooms.places.mark_rooms_changed import mark_rooms_changed
from rooms.policies.store import PolicyScope, document_of, managers_of
from rooms.queries import rooms_under

# The rules that decide whether a screen shows a room as bookable now.
SHOWN_ON_SCREENS = frozenset(
    {
        "hours",
        "exceptions",
        "min_minutes",
        "max_minutes",
        "step_minutes",
        "notice_minutes",
        "advance_days",
        "advance_mode",
        "advance_measured_to",
        "gap_minutes",
        "gap_may_leave_hours",
        "one_booking_a_day",
        "bookable_by",
        "approval",
    }
)


@transaction.atomic
def set_policy(
    *,
    actor: Actor,
    scope: PolicyScope,
    changes: PolicyDocument,
    expected: str | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> PolicyDocument:
    """Set the members that are set in `changes`, and return the new policy of the scope.

    A member that is null, or an empty list, is inherited again. A list replaces the stored list.
    Existing bookings stay as they are. `expected` is the fingerprint of the policy that the caller
    has read.
    Guarantees: one row in the log of changes, or no row if nothing differs.
    Raises: PermissionDeniedError unless the actor is an admin or a manager of the building or room;
    OutdatedCommandError `stale_policy`; InvalidCommandError `impossible_policy`, `unknown_person`.
    """
    require_may_set(actor, scope)
    policy, _ = Policy.objects.select_for_update(of=("self",)).get_or_create(**scope.columns)
    before = document_of(scope)
    if expected is not None and expected != before.fingerprint():
        raise OutdatedCommandError(
            "This policy has changed since you read it. Read it again and repeat your change.",
            code=RoomsErrorCode.STALE_POLICY,
            facts={"etag": before.fingerprint()},
        )
    _write(policy, changes)
    after = document_of(scope)
    record_policy_change(actor, policy, scope, before, after, clock=clock)
    return after


def require_may_set(actor: Actor, scope: PolicyScope) -> None:
    """Raise PermissionDeniedError unless the actor is an admin or a manager of the place."""
    is_below_campus = scope.building_id is not None
    if actor.is_admin or (is_below_campus and actor.user_id in managers_of(scope)):
        return
    raise PermissionDeniedError(
        "Only admins and managers of this place may read or set its policy."
    )


def record_policy_change(
    actor: Actor,
    policy: Policy,
    scope: PolicyScope,
    before: PolicyDocument,
    after: PolicyDocument,
    *,
    clock: Clock = SYSTEM_CLOCK,
) -> None:
    """Add the difference, if any, to the log of changes, and mark the rooms that show it."""
    was, will_be = before.as_json(), after.as_json()
    changed = [name for name, value in will_be.items() if value != was[name]]
    if not changed:
        return
    PolicyChange.objects.create(
        at=clock.now(),
        actor_name=actor.name,
        actor_user_id=actor.user_id,
        scope=scope.key,
        before={name: was[name] for name in changed},
        after={name: will_be[name] for name in changed},
    )
    if not SHOWN_ON_SCREENS.isdisjoint(changed):
        mark_rooms_changed(list(rooms_under(policy).values_list("pk", flat=True)))


def _write(policy: Policy, changes: PolicyDocument) -> None:
    given = changes.model_fields_set
    for name in given & set(SINGLE_RULES):
        setattr(policy, name, getattr(changes, name))
    try:
        policy.validate_constraints()
    except ValidationError as exc:
        raise InvalidCommandError(
            " ".join(exc.messages), code=RoomsErrorCode.IMPOSSIBLE_POLICY
        ) from exc
    policy.save()
    for name in sorted(given & _LISTS.keys()):
        _LISTS[name](policy, getattr(changes, name))


def _write_hours(policy: Policy, hours: Iterable[HoursDocument]) -> None:
    policy.opening_hours.all().delete()
    by_day = groupby(sorted(hours, key=_weekday), _weekday)
    OpeningHours.objects.bulk_create(
        OpeningHours(policy=policy, weekday=weekday, opens=opens, closes=closes)
        for weekday, rows in by_day
        for opens, closes in _joined(rows)
    )


def _write_exceptions(policy: Policy, exceptions: Iterable[ExceptionDocument]) -> None:
    policy.exceptions.all().delete()
    for exception in exceptions:
        columns = exception.model_dump(exclude={"periods"})
        row = OpeningException.objects.create(policy=policy, **columns)
        ExceptionPeriod.objects.bulk_create(
            ExceptionPeriod(exception=row, opens=opens, closes=closes)
            for opens, closes in _joined(exception.periods)
        )


def _write_quotas(policy: Policy, quotas: Iterable[QuotaDocument]) -> None:
    policy.quotas.all().delete()
    Quota.objects.bulk_create(
        Quota(
            policy=policy,
            **quota.model_dump(exclude={"window"}),
            window_opens=quota.window.opens if quota.window else None,
            window_closes=quota.window.closes if quota.window else None,
        )
        for quota in quotas
    )


def _write_people(policy: Policy, role: PolicyPerson.Role, users: Iterable[UUID]) -> None:
    wanted = set(users)
    known = set(User.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    if unknown := wanted - known:
        raise InvalidCommandError(
            f"There is no person with the id {min(unknown)}. Correct the list of people.",
            code=RoomsErrorCode.UNKNOWN_PERSON,
            facts={"unknown": sorted(map(str, unknown))},
        )
    policy.people.filter(role=role).delete()
    PolicyPerson.objects.bulk_create(
        PolicyPerson(policy=policy, user_id=user, role=role) for user in sorted(wanted)
    )


def _write_bookers(policy: Policy, users: Iterable[UUID]) -> None:
    _write_people(policy, PolicyPerson.Role.BOOKER, users)


def _write_managers(policy: Policy, users: Iterable[UUID]) -> None:
    _write_people(policy, PolicyPerson.Role.MANAGER, users)


_LISTS: Mapping[str, Callable[[Policy, Any], None]] = {
    "hours": _write_hours,
    "exceptions": _write_exceptions,
    "quotas": _write_quotas,
    "bookers": _write_bookers,
    "managers": _write_managers,
}


def _weekday(row: HoursDocument) -> int:
    return row.weekday


def _joined(rows: Iterable[PeriodDocument]) -> tuple[Period, ...]:
    return joined((row.opens, row.closes) for row in rows)

"""Reads stored policies as values, with a constant number of queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from rooms.domain.effective_policy import (
    DayException,
    Period,
    Quota,
    QuotaPeriod,
    Scope,
)
from rooms.domain.opening_hours import joined
from rooms.domain.policy_document import (
    ExceptionDocument,
    HoursDocument,
    PeriodDocument,
    PolicyDocument,
    QuotaDocument,
)
from rooms.domain.policy_rules import SINGLE_RULES
from rooms.domain.resolve_policy import ScopeRules
from rooms.models import OpeningException, Policy, PolicyPerson
from rooms.models import Quota as StoredQuota
from rooms.queries import get_building, get_room


@dataclass(frozen=True, slots=True)
class StoredRules:
    """The rules of campus, buildings and rooms. A scope without a policy is missing."""

    campus: ScopeRules | None
    buildings: dict[int, ScopeRules]
    rooms: dict[int, ScopeRules]

    def that_apply(self, *, building_id: int, room_id: int) -> list[ScopeRules]:
        """Return the scopes of one room, from campus to room."""
        found = (self.campus, self.buildings.get(building_id), self.rooms.get(room_id))
        return [scope for scope in found if scope is not None]


def policies_with_lists() -> QuerySet[Policy]:
    """Return all policies with their lists. Always six queries."""
    return Policy.objects.select_related("building", "room").prefetch_related(
        "opening_hours", "exceptions__periods", "quotas", "people"
    )


def stored_rules(*, building_ids: Collection[int], room_ids: Collection[int]) -> StoredRules:
    """Return the rules of the campus, these buildings and these rooms."""
    wanted = Q(building=None, room=None) | Q(building__in=building_ids) | Q(room__in=room_ids)
    stored = StoredRules(None, {}, {})
    campus = None
    for policy in policies_with_lists().filter(wanted):
        rules = _as_scope(policy)
        if policy.room_id is not None:
            stored.rooms[policy.room_id] = rules
        elif policy.building_id is not None:
            stored.buildings[policy.building_id] = rules
        else:
            campus = rules
    return StoredRules(campus, stored.buildings, stored.rooms)


def scope_of(policy: Policy) -> Scope:
    """Return the kind of scope that the policy belongs to."""
    if policy.room_id is not None:
        return "room"
    return "campus" if policy.building_id is None else "building"


def _as_scope(policy: Policy) -> ScopeRules:
    values = {name: getattr(policy, name) for name in SINGLE_RULES}
    hours: dict[int, list[Period]] = defaultdict(list)
    for row in policy.opening_hours.all():
        hours[row.weekday].append((row.opens, row.closes))
    people = list(policy.people.all())
    return ScopeRules(
        scope=scope_of(policy),
        values={name: value for name, value in values.items() if value is not None},
        hours={day: joined(periods) for day, periods in hours.items()},
        exceptions=dict(_exceptions(policy.exceptions.all())),
        quotas=tuple(_quota(row, policy) for row in policy.quotas.all()),
        bookers=frozenset(p.user_id for p in people if p.role == PolicyPerson.Role.BOOKER),
        managers=frozenset(p.user_id for p in people if p.role == PolicyPerson.Role.MANAGER),
    )


def _exceptions(rows: Iterable[OpeningException]) -> Iterator[tuple[date, DayException]]:
    """Yield the exception of each date. If two cover a date, the one that begins later wins."""
    for row in rows:
        periods = joined((period.opens, period.closes) for period in row.periods.all())
        exception = DayException(row.reason, periods, is_holiday=row.is_holiday)
        for number in range((row.last_date - row.first_date).days + 1):
            yield row.first_date + timedelta(days=number), exception


def _quota(row: StoredQuota, policy: Policy) -> Quota:
    opens, closes = row.window_opens, row.window_closes
    return Quota(
        id=row.pk,
        period=QuotaPeriod(row.period),
        max_count=row.max_count,
        max_minutes=row.max_minutes,
        week_starts=row.week_starts,
        window=None if opens is None or closes is None else (opens, closes),
        building_id=policy.building_id,
        room_id=policy.room_id,
    )


@dataclass(frozen=True, slots=True)
class PolicyScope:
    """The scope of a policy: the campus, a building or a room.

    `key` is its name in the API and in the log of changes. The scope of a room has the id of its
    building, too.
    """

    key: str
    building_id: int | None = None
    room_id: int | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """Return the columns that identify the stored policy."""
        building_id = None if self.room_id is not None else self.building_id
        return {"building_id": building_id, "room_id": self.room_id}


CAMPUS = PolicyScope("campus")


def building_scope(slug: str) -> PolicyScope:
    """Return the scope of a building. Raises NotFoundError for an unknown building."""
    return PolicyScope(f"buildings/{slug}", building_id=get_building(slug).pk)


def room_scope(uuid: UUID) -> PolicyScope:
    """Return the scope of a room in use. Raises NotFoundError for an unknown or retired room."""
    room = get_room(uuid)
    return PolicyScope(f"rooms/{uuid}", building_id=room.floor.building_id, room_id=room.pk)


def scope_of_policy(policy: Policy) -> PolicyScope:
    """Return the scope of a stored policy."""
    if policy.room is not None:
        building_id = policy.room.floor.building_id
        return PolicyScope(f"rooms/{policy.room.uuid}", building_id, policy.room.pk)
    if policy.building is not None:
        return PolicyScope(f"buildings/{policy.building.slug}", policy.building.pk)
    return CAMPUS


def managers_of(scope: PolicyScope) -> frozenset[UUID]:
    """Return the managers of a building or room, listed in its own scope or in a wider scope."""
    room_ids = [] if scope.room_id is None else [scope.room_id]
    building_ids = [] if scope.building_id is None else [scope.building_id]
    stored = stored_rules(building_ids=building_ids, room_ids=room_ids)
    found = (stored.campus, *stored.buildings.values(), *stored.rooms.values())
    return frozenset().union(*(rules.managers for rules in found if rules is not None))


def document_of(scope: PolicyScope) -> PolicyDocument:
    """Return the policy of a scope as a document."""
    policy = policies_with_lists().filter(**scope.columns).first()
    if policy is None:
        return PolicyDocument()
    people = list(policy.people.all())
    return PolicyDocument(
        **{name: getattr(policy, name) for name in SINGLE_RULES},
        hours=[
            HoursDocument(weekday=row.weekday, opens=row.opens, closes=row.closes)
            for row in policy.opening_hours.all()
        ],
        exceptions=[_exception_document(row) for row in policy.exceptions.all()],
        quotas=[_quota_document(row) for row in policy.quotas.all()],
        bookers=sorted(p.user_id for p in people if p.role == PolicyPerson.Role.BOOKER),
        managers=sorted(p.user_id for p in people if p.role == PolicyPerson.Role.MANAGER),
    )


def _exception_document(row: OpeningException) -> ExceptionDocument:
    return ExceptionDocument(
        first_date=row.first_date,
        last_date=row.last_date,
        reason=row.reason,
        is_holiday=row.is_holiday,
        periods=[PeriodDocument(opens=p.opens, closes=p.closes) for p in row.periods.all()],
    )


def _quota_document(row: StoredQuota) -> QuotaDocument:
    window = None
    if row.window_opens is not None and row.window_closes is not None:
        window = PeriodDocument(opens=row.window_opens, closes=row.window_closes)
    return QuotaDocument(
        period=QuotaPeriod(row.period),
        max_count=row.max_count,
        max_minutes=row.max_minutes,
        week_starts=row.week_starts,
        window=window,
    )

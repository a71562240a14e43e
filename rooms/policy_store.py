"""Stored policies as values: what each scope says, in a constant number of queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q, QuerySet

from rooms.domain.opening import joined
from rooms.domain.resolving import ScopeRules
from rooms.domain.rulebook import (
    SINGLE_RULES,
    DayException,
    Period,
    Quota,
    QuotaPeriod,
    Scope,
)
from rooms.models import OpeningException, Policy, PolicyPerson
from rooms.models import Quota as StoredQuota


@dataclass(frozen=True, slots=True)
class StoredRules:
    """What campus, buildings and rooms say; those without a policy are missing."""

    campus: ScopeRules | None
    buildings: dict[int, ScopeRules]
    rooms: dict[int, ScopeRules]

    def that_apply(self, *, building_id: int, room_id: int) -> list[ScopeRules]:
        """Return the scopes of one room, the widest first."""
        found = (self.campus, self.buildings.get(building_id), self.rooms.get(room_id))
        return [scope for scope in found if scope is not None]


def whole_policies() -> QuerySet[Policy]:
    """Return all policies with their lists; six queries, however many they are."""
    return Policy.objects.select_related("building", "room").prefetch_related(
        "opening_hours", "exceptions__periods", "quotas", "people"
    )


def stored_rules(*, building_ids: Collection[int], room_ids: Collection[int]) -> StoredRules:
    """Return what the campus, these buildings and these rooms say."""
    wanted = Q(building=None, room=None) | Q(building__in=building_ids) | Q(room__in=room_ids)
    stored = StoredRules(None, {}, {})
    campus = None
    for policy in whole_policies().filter(wanted):
        rules = _as_scope(policy)
        if policy.room_id is not None:
            stored.rooms[policy.room_id] = rules
        elif policy.building_id is not None:
            stored.buildings[policy.building_id] = rules
        else:
            campus = rules
    return StoredRules(campus, stored.buildings, stored.rooms)


def scope_of(policy: Policy) -> Scope:
    """Return which kind of scope this policy is of."""
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
    """Yield each date that is an exception; of two for one date, the one that begins last wins."""
    for row in rows:
        periods = joined((period.opens, period.closes) for period in row.periods.all())
        told = DayException(row.reason, periods, is_holiday=row.is_holiday)
        for number in range((row.last_date - row.first_date).days + 1):
            yield row.first_date + timedelta(days=number), told


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

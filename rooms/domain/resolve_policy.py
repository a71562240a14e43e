"""Resolves the policies of campus, building and room to the policy of the room. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from rooms.domain.effective_policy import DayException, EffectivePolicy, Period, Quota, Scope
from rooms.domain.listed_rules import LISTED_RULES
from rooms.domain.policy_rules import SINGLE_RULES


@dataclass(frozen=True, slots=True)
class ScopeRules:
    """The rules that one scope sets. `values` holds the stored values of its single rules."""

    scope: Scope
    values: Mapping[str, Any] = field(default_factory=dict)
    hours: Mapping[int, tuple[Period, ...]] = field(default_factory=dict)
    exceptions: Mapping[date, DayException] = field(default_factory=dict)
    quotas: tuple[Quota, ...] = ()
    bookers: frozenset[UUID] = frozenset()
    managers: frozenset[UUID] = frozenset()


def resolve(scopes: Sequence[ScopeRules]) -> EffectivePolicy:
    """Return the policy that results from these scopes, given from campus to room.

    The most specific scope wins for each single rule, for the hours of the week, and for each date
    with an exception. Quotas and lists of people add up. `sources` names for each rule the most
    specific scope that sets the rule.
    """
    rules: dict[str, Any] = {}
    for scope in scopes:
        rules |= {name: SINGLE_RULES[name].parse(value) for name, value in scope.values.items()}
        if scope.hours:
            rules["hours"] = scope.hours
    rules["exceptions"] = _merged([scope.exceptions for scope in scopes])
    rules["quotas"] = tuple(quota for scope in scopes for quota in scope.quotas)
    rules["bookers"] = frozenset().union(*(scope.bookers for scope in scopes))
    rules["managers"] = frozenset().union(*(scope.managers for scope in scopes))
    return EffectivePolicy(**rules, sources=_sources(scopes))


def _merged(maps: Sequence[Mapping[date, DayException]]) -> Mapping[date, DayException]:
    """Merge the maps. If only one has dates, return that map: rooms then share one calendar."""
    filled = [found for found in maps if found]
    if len(filled) == 1:
        return filled[0]
    return {day: exception for found in filled for day, exception in found.items()}


def _sources(scopes: Sequence[ScopeRules]) -> dict[str, Scope]:
    sources: dict[str, Scope] = dict.fromkeys((*SINGLE_RULES, *LISTED_RULES), "default")
    for scope in scopes:
        listed = [name for name in LISTED_RULES if getattr(scope, name)]
        sources |= dict.fromkeys((*scope.values, *listed), scope.scope)
    return sources

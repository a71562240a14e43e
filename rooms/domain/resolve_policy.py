"""How the policies of campus, building and room become the one rulebook of a room. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from rooms.domain.effective_policy import (
    CHOICES,
    LISTED_RULES,
    NEVER_BY_ZERO,
    SINGLE_RULES,
    DayException,
    EffectivePolicy,
    Period,
    Quota,
    Scope,
)


@dataclass(frozen=True, slots=True)
class ScopeRules:
    """What one scope says. `values` holds the single rules that it sets, and no others."""

    scope: Scope
    values: Mapping[str, Any] = field(default_factory=dict)
    hours: Mapping[int, tuple[Period, ...]] = field(default_factory=dict)
    exceptions: Mapping[date, DayException] = field(default_factory=dict)
    quotas: tuple[Quota, ...] = ()
    bookers: frozenset[UUID] = frozenset()
    managers: frozenset[UUID] = frozenset()


def resolve(scopes: Sequence[ScopeRules]) -> EffectivePolicy:
    """Return the rules that hold where these scopes apply, the widest first.

    The most specific scope wins: for each single rule, for the hours as a whole, and for each date
    that is an exception. Quotas and lists of people add up. `sources` names for each rule the most
    specific scope that had a say.
    """
    rules: dict[str, Any] = {}
    for scope in scopes:
        rules |= {name: _read(name, value) for name, value in scope.values.items()}
        if scope.hours:
            rules["hours"] = scope.hours
    rules["exceptions"] = _merged([scope.exceptions for scope in scopes])
    rules["quotas"] = tuple(quota for scope in scopes for quota in scope.quotas)
    rules["bookers"] = frozenset().union(*(scope.bookers for scope in scopes))
    rules["managers"] = frozenset().union(*(scope.managers for scope in scopes))
    return EffectivePolicy(**rules, sources=_sources(scopes))


def _read(name: str, value: Any) -> Any:
    if name in NEVER_BY_ZERO and value == 0:
        return None
    return CHOICES[name](value) if name in CHOICES else value


def _merged(maps: Sequence[Mapping[date, DayException]]) -> Mapping[date, DayException]:
    """Return one map; the only one that holds anything is shared, for a campus has one calendar."""
    filled = [found for found in maps if found]
    if len(filled) == 1:
        return filled[0]
    return {day: told for found in filled for day, told in found.items()}


def _sources(scopes: Sequence[ScopeRules]) -> dict[str, Scope]:
    sources: dict[str, Scope] = dict.fromkeys((*SINGLE_RULES, *LISTED_RULES), "default")
    for scope in scopes:
        said = [name for name in LISTED_RULES if getattr(scope, name)]
        sources |= dict.fromkeys((*scope.values, *said), scope.scope)
    return sources

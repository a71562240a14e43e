"""The rules of a room as sentences, each with the scope that sets it. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from meeting_rooms.kernel.errors import NotFoundError
from rooms.domain.effective_policy import EffectivePolicy, Period, Quota, RoomPolicy, Scope
from rooms.domain.error_codes import RoomsErrorCode
from rooms.domain.listed_rules import LISTED_RULES
from rooms.domain.policy_rule import PolicyRule
from rooms.domain.policy_rules import SINGLE_RULES


class Explanation(NamedTuple):
    """One rule: its value as JSON, the scope that sets it, and a sentence about the value."""

    rule: str
    value: Any
    source: Scope
    sentence: str


def explain(room: RoomPolicy, rule: str | None = None) -> list[Explanation]:
    """Return the explanation of every rule, or of one. Raises NotFoundError `unknown_rule`."""
    known: dict[str, PolicyRule] = {**SINGLE_RULES, **LISTED_RULES}
    if rule is None:
        return [_explain(room.policy, one) for one in known.values()]
    if rule not in known:
        raise NotFoundError(
            f"There is no rule '{rule}'. The rules are {', '.join(known)}.",
            code=RoomsErrorCode.UNKNOWN_RULE,
        )
    return [_explain(room.policy, known[rule])]


def _explain(policy: EffectivePolicy, rule: PolicyRule) -> Explanation:
    value = getattr(policy, rule.name)
    shown = _SHOWN[rule.name](policy) if rule.name in _SHOWN else value
    source = policy.sources.get(rule.name, "default")
    return Explanation(rule.name, shown, source, rule.sentence(value))


def _hours(policy: EffectivePolicy) -> list[dict[str, Any]]:
    return [
        {"weekday": day, **_period(period)}
        for day, periods in sorted(policy.hours.items())
        for period in periods
    ]


def _exceptions(policy: EffectivePolicy) -> list[dict[str, Any]]:
    return [
        {
            "date": day.isoformat(),
            "reason": exception.reason,
            "is_holiday": exception.is_holiday,
            "periods": [_period(period) for period in exception.periods],
        }
        for day, exception in sorted(policy.exceptions.items())
    ]


def _quotas(policy: EffectivePolicy) -> list[dict[str, Any]]:
    return [
        {
            "scope": _scope(quota),
            "period": quota.period.value,
            "max_count": quota.max_count,
            "max_minutes": quota.max_minutes,
            "week_starts": quota.week_starts,
            "window": quota.window and _period(quota.window),
        }
        for quota in policy.quotas
    ]


def _period(period: Period) -> dict[str, str]:
    return {"opens": f"{period[0]:%H:%M}", "closes": f"{period[1]:%H:%M}"}


def _scope(quota: Quota) -> Scope:
    if quota.room_id is not None:
        return "room"
    return "campus" if quota.building_id is None else "building"


# Lists of people are shown as their number: only people who may set the policy may see the names.
_SHOWN: Mapping[str, Callable[[EffectivePolicy], Any]] = {
    "hours": _hours,
    "exceptions": _exceptions,
    "quotas": _quotas,
    "bookers": lambda policy: len(policy.bookers),
    "managers": lambda policy: len(policy.managers),
}

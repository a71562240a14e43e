"""A broken rule as a value, and the formats of times in its sentence. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rooms.domain.effective_policy import EffectivePolicy

MINUTES_OF_AN_HOUR = 60


class RuleViolation(NamedTuple):
    """One rule that a request breaks.

    `rule` is the name of a field of EffectivePolicy. `facts` say what would be allowed.
    """

    code: str
    detail: str
    rule: str
    facts: Mapping[str, Any]

    def as_refusal(self, policy: EffectivePolicy) -> dict[str, Any]:
        """Return the violation as `facts.refusals` of RuleError lists it, JSON-ready."""
        source = policy.sources.get(self.rule, "default")
        return {
            "code": self.code,
            "detail": self.detail,
            "rule": self.rule,
            "source": source,
            **self.facts,
        }


def format_minutes(minutes: float) -> str:
    """Return a length as text: `90 minutes`, `2 hours`."""
    count, unit = minutes, "minute"
    if minutes >= MINUTES_OF_AN_HOUR and minutes % MINUTES_OF_AN_HOUR == 0:
        count, unit = minutes / MINUTES_OF_AN_HOUR, "hour"
    return f"{count:g} {unit}" if count == 1 else f"{count:g} {unit}s"


def format_date(day: date) -> str:
    """Return a date as text: `Thursday 12 March 2026`."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def format_instant(instant: datetime, zone: ZoneInfo) -> str:
    """Return the local time in `zone` as text: `Thursday 12 March 2026, 10:32`."""
    local = instant.astimezone(zone)
    return f"{format_date(local.date())}, {local:%H:%M}"

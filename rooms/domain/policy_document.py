"""The policy of one scope as a document, for the API and for the log of policy changes. Pure.

A member that is null, and a list that is empty, is inherited. The members with one value come from
the table in `rooms.domain.policy_rules`.
"""

import hashlib
import json
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    create_model,
    model_validator,
)

from rooms.domain.effective_policy import QuotaPeriod
from rooms.domain.policy_rule import SingleRule
from rooms.domain.policy_rules import SINGLE_RULES

# The largest number of rows of each list in one policy.
MAX_PERIODS, MAX_EXCEPTIONS, MAX_QUOTAS, MAX_PEOPLE = 70, 1000, 20, 1000
LONGEST_EXCEPTION = timedelta(days=366)  # a leap year
MIDNIGHT = time(0)


def _wall_time(value: time) -> time:
    if value.tzinfo is not None or value.second or value.microsecond:
        message = "give a local time without seconds, such as 08:30"
        raise ValueError(message)
    return value


WallTime = Annotated[
    time, AfterValidator(_wall_time), PlainSerializer(lambda value: f"{value:%H:%M}", str)
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PeriodDocument(_Part):
    """A period of a day in local time; `closes` 00:00 is midnight at the end of the day."""

    opens: WallTime
    closes: WallTime

    @model_validator(mode="after")
    def _closes_after_it_opens(self) -> Self:
        if self.closes not in (MIDNIGHT, max(self.opens, self.closes)) or (
            self.closes == self.opens != MIDNIGHT
        ):
            message = "closes must be later than opens, or 00:00 for midnight"
            raise ValueError(message)
        return self


class HoursDocument(PeriodDocument):
    """A period of one weekday."""

    weekday: int = Field(ge=0, le=6, description="Monday is 0")


class ExceptionDocument(_Part):
    """Different hours from `first_date` to `last_date`, both inclusive. No periods: closed."""

    first_date: date
    last_date: date
    reason: str = Field(min_length=1, max_length=100)
    is_holiday: bool = False
    periods: list[PeriodDocument] = Field([], max_length=10)

    @model_validator(mode="after")
    def _lasts_up_to_a_year(self) -> Self:
        if not timedelta(0) <= self.last_date - self.first_date < LONGEST_EXCEPTION:
            message = "last_date must be first_date or up to a year later"
            raise ValueError(message)
        return self


class QuotaDocument(_Part):
    """The maximum number of bookings, or of minutes, per person and period in the scope."""

    period: QuotaPeriod
    max_count: int | None = Field(None, ge=0, le=100_000)
    max_minutes: int | None = Field(None, ge=0, le=10_000_000)
    week_starts: int | None = Field(0, ge=0, le=6, description="null: the booking's own day")
    window: PeriodDocument | None = Field(None, description="Only these hours of a day count")

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.max_count is None and self.max_minutes is None:
            message = "give max_count, max_minutes or both"
            raise ValueError(message)
        return self


def _member(rule: SingleRule) -> Any:
    """Return the member of a rule for `create_model`: its type and its field."""
    smallest, largest = rule.bounds or (None, None)
    return rule.value_type | None, Field(None, ge=smallest, le=largest)


if TYPE_CHECKING:

    class _SingleRules(_Part):
        """The members with one value. They are read and set by name."""
else:
    _SingleRules = create_model(
        "_SingleRules",
        __base__=_Part,
        **{name: _member(rule) for name, rule in SINGLE_RULES.items()},
    )


class PolicyDocument(_SingleRules):
    """The policy of one scope. A null member, or an empty list, is inherited."""

    hours: list[HoursDocument] = Field([], max_length=MAX_PERIODS)
    exceptions: list[ExceptionDocument] = Field([], max_length=MAX_EXCEPTIONS)
    quotas: list[QuotaDocument] = Field([], max_length=MAX_QUOTAS)
    bookers: list[UUID] = Field([], max_length=MAX_PEOPLE)
    managers: list[UUID] = Field([], max_length=MAX_PEOPLE)

    def as_json(self) -> dict[str, Any]:
        """Return the document as JSON values."""
        return self.model_dump(mode="json")

    def fingerprint(self) -> str:
        """Return a hash of the document, the ETag of the API."""
        text = json.dumps(self.as_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

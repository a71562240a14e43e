"""A policy as one document: what the API shows and takes, and what the log of changes keeps. Pure.

A member that is null is inherited; a list that is empty says nothing, and inherits as well.
"""

import hashlib
import json
from datetime import date, time, timedelta
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, model_validator

from rooms.domain.effective_policy import (
    BOUNDS,
    AdvanceMode,
    Approval,
    BeyondHorizon,
    BookableBy,
    CapacityRule,
    MeasuredTo,
    Presence,
    QuotaPeriod,
)

MAX_PERIODS, MAX_EXCEPTIONS, MAX_QUOTAS, MAX_PEOPLE = 70, 1000, 20, 1000
LONGEST_EXCEPTION = timedelta(days=366)
MIDNIGHT = time(0)


def _wall_time(value: time) -> time:
    if value.tzinfo is not None or value.second or value.microsecond:
        message = "give a local time in whole minutes, such as 08:30"
        raise ValueError(message)
    return value


WallTime = Annotated[
    time, AfterValidator(_wall_time), PlainSerializer(lambda value: f"{value:%H:%M}", str)
]


def _within(rule: str) -> Any:
    smallest, largest = BOUNDS[rule]
    return Field(None, ge=smallest, le=largest)


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
    """Other hours on some dates, both inclusive. No periods: closed."""

    first_date: date
    last_date: date
    reason: str = Field(min_length=1, max_length=100)
    is_holiday: bool = False
    periods: list[PeriodDocument] = Field([], max_length=10)

    @model_validator(mode="after")
    def _lasts_up_to_a_year(self) -> Self:
        if not timedelta(0) <= self.last_date - self.first_date < LONGEST_EXCEPTION:
            message = "last_date is first_date or up to a year later"
            raise ValueError(message)
        return self


class QuotaDocument(_Part):
    """At most so many bookings, or minutes, per person and period, in all of the scope."""

    period: QuotaPeriod
    max_count: int | None = Field(None, ge=0, le=100_000)
    max_minutes: int | None = Field(None, ge=0, le=10_000_000)
    week_starts: int | None = Field(0, ge=0, le=6, description="null: the booking's own day")
    window: PeriodDocument | None = Field(None, description="Only these hours of a day count")

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.max_count is None and self.max_minutes is None:
            message = "say max_count, max_minutes or both"
            raise ValueError(message)
        return self


class PolicyDocument(_Part):
    """What one scope says about booking. null, or an empty list: inherited."""

    min_minutes: int | None = _within("min_minutes")
    max_minutes: int | None = _within("max_minutes")
    step_minutes: int | None = _within("step_minutes")
    notice_minutes: int | None = _within("notice_minutes")
    advance_days: int | None = _within("advance_days")
    advance_mode: AdvanceMode | None = None
    advance_measured_to: MeasuredTo | None = None
    late_start_minutes: int | None = _within("late_start_minutes")
    gap_minutes: int | None = _within("gap_minutes")
    gap_may_leave_hours: bool | None = None
    one_booking_a_day: bool | None = None
    capacity_rule: CapacityRule | None = None
    bookable_by: BookableBy | None = None
    approval: Approval | None = None
    pending_blocks: bool | None = None
    check_in_required: bool | None = None
    check_in_opens_minutes: int | None = _within("check_in_opens_minutes")
    check_in_grace_minutes: int | None = _within("check_in_grace_minutes")
    check_in_exempt_minutes: int | None = _within("check_in_exempt_minutes")
    presence: Presence | None = None
    absence_minutes: int | None = _within("absence_minutes")
    no_show_limit: int | None = _within("no_show_limit")
    no_show_notice_days: int | None = _within("no_show_notice_days")
    series_limit: int | None = _within("series_limit")
    beyond_horizon: BeyondHorizon | None = None
    hours: list[HoursDocument] = Field([], max_length=MAX_PERIODS)
    exceptions: list[ExceptionDocument] = Field([], max_length=MAX_EXCEPTIONS)
    quotas: list[QuotaDocument] = Field([], max_length=MAX_QUOTAS)
    bookers: list[UUID] = Field([], max_length=MAX_PEOPLE)
    managers: list[UUID] = Field([], max_length=MAX_PEOPLE)

    def as_json(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return self.model_dump(mode="json")

    def fingerprint(self) -> str:
        """Return a text that differs for every other document."""
        text = json.dumps(self.as_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

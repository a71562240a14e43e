"""Every booking rule of one room, resolved from campus, building and room. Pure values.

The defaults are the campus's until somebody says otherwise; `docs/policies.md` tells each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

Period = tuple[time, time]  # opens, closes; closes 00:00 is midnight at the end of the day
Scope = Literal["default", "campus", "building", "room"]
LONGEST_MINUTES = 366 * 24 * 60


class AdvanceMode(StrEnum):
    """How the advance window is measured."""

    CALENDAR_DAYS = "calendar_days"  # to the end of the last local day
    STRICT = "strict"  # to the very minute


class MeasuredTo(StrEnum):
    """Which end of a booking must lie inside the advance window."""

    END = "end"
    START = "start"


class CapacityRule(StrEnum):
    """What more attendees than seats mean."""

    IGNORE = "ignore"
    WARN = "warn"
    REFUSE = "refuse"


class BookableBy(StrEnum):
    """Who may book at all. Managers of the room and admins always may."""

    EVERYONE = "everyone"
    LISTED = "listed"
    MANAGERS = "managers"


class Approval(StrEnum):
    """Whether a booking waits for a manager's yes."""

    NONE = "none"
    ALWAYS = "always"


class Presence(StrEnum):
    """What a sensor that sees people means for a booking nobody has checked in to."""

    CHECKS_IN = "checks_in"
    WARNS = "warns"
    IGNORED = "ignored"


class BeyondHorizon(StrEnum):
    """What happens to the dates of a series past the advance window."""

    REFUSE = "refuse"
    TRUNCATE = "truncate"


class QuotaPeriod(StrEnum):
    """The stretch over which a quota counts, in the room's zone."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class DayException:
    """Other hours than usual on one local date. No periods: closed."""

    reason: str
    periods: tuple[Period, ...] = ()
    is_holiday: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """At most so many bookings, or booked minutes, per person and period.

    `building_id` and `room_id` say whose bookings count together; neither: the whole campus.
    `week_starts` is a weekday (Monday 0), or None for seven days that begin with the booking's own.
    `window` restricts what counts to these local hours of each day.
    """

    id: int
    period: QuotaPeriod
    max_count: int | None = None
    max_minutes: int | None = None
    week_starts: int | None = 0
    window: Period | None = None
    building_id: int | None = None
    room_id: int | None = None


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """The rules that hold in one room. Minutes are real minutes, dates the room's local ones."""

    hours: Mapping[int, tuple[Period, ...]] = field(default_factory=dict)  # empty: always open
    exceptions: Mapping[date, DayException] = field(default_factory=dict)
    min_minutes: int = 1
    max_minutes: int = 24 * 60
    step_minutes: int = 1  # of the length; counted from the opening time where the day has one
    notice_minutes: int = 0
    advance_days: int = 730
    advance_mode: AdvanceMode = AdvanceMode.CALENDAR_DAYS
    advance_measured_to: MeasuredTo = MeasuredTo.END
    late_start_minutes: int = 15  # a form filled in slowly still books "now"
    gap_minutes: int = 0  # between two bookings: the larger of the two rooms' gaps
    gap_may_leave_hours: bool = True
    one_booking_a_day: bool = False
    capacity_rule: CapacityRule = CapacityRule.WARN
    bookable_by: BookableBy = BookableBy.EVERYONE
    bookers: frozenset[UUID] = frozenset()
    managers: frozenset[UUID] = frozenset()
    quotas: tuple[Quota, ...] = ()
    approval: Approval = Approval.NONE
    pending_blocks: bool = True
    check_in_required: bool = True
    check_in_opens_minutes: int = 10
    check_in_grace_minutes: int = 10
    check_in_exempt_minutes: int = 8 * 60  # bookings this long need no check-in; 0: none is exempt
    presence: Presence = Presence.CHECKS_IN
    absence_minutes: int | None = None  # release after so long without anybody; None: never
    no_show_limit: int | None = 3  # misses in a row after which a series loses the room
    no_show_notice_days: int = 2
    series_limit: int = 366
    beyond_horizon: BeyondHorizon = BeyondHorizon.REFUSE
    sources: Mapping[str, Scope] = field(default_factory=dict)  # rule -> where it was said

    @property
    def is_open_at_door(self) -> bool:
        """Say whether a device at the door may book: it does not know who stands there."""
        return self.bookable_by is BookableBy.EVERYONE and self.approval is Approval.NONE


# What a stored rule may say: smallest and largest, in the unit of its name. For those of
# `NEVER_BY_ZERO`, 0 is how a scope says "never" where it would otherwise inherit.
BOUNDS: Mapping[str, tuple[int, int]] = {
    "min_minutes": (1, LONGEST_MINUTES),
    "max_minutes": (1, LONGEST_MINUTES),
    "step_minutes": (1, 24 * 60),
    "notice_minutes": (0, LONGEST_MINUTES),
    "advance_days": (0, 3660),
    "late_start_minutes": (0, 24 * 60),
    "gap_minutes": (0, 24 * 60),
    "check_in_opens_minutes": (0, 24 * 60),
    "check_in_grace_minutes": (1, 24 * 60),
    "check_in_exempt_minutes": (0, LONGEST_MINUTES),
    "absence_minutes": (0, 24 * 60),
    "no_show_limit": (0, 100),
    "no_show_notice_days": (0, 60),
    "series_limit": (1, 1000),
}
NEVER_BY_ZERO = frozenset({"absence_minutes", "no_show_limit"})
CHOICES: Mapping[str, type[StrEnum]] = {
    "advance_mode": AdvanceMode,
    "advance_measured_to": MeasuredTo,
    "capacity_rule": CapacityRule,
    "bookable_by": BookableBy,
    "approval": Approval,
    "presence": Presence,
    "beyond_horizon": BeyondHorizon,
}
SWITCHES = ("gap_may_leave_hours", "one_booking_a_day", "pending_blocks", "check_in_required")
SINGLE_RULES = (*BOUNDS, *CHOICES, *SWITCHES)  # the most specific scope that says anything wins
LISTED_RULES = ("hours", "exceptions", "quotas", "bookers", "managers")


@dataclass(frozen=True, slots=True)
class RoomPolicy:
    """A room as booking commands see it, true for one `version` of all rules.

    `units` is what the room occupies, as a Postgres int8range literal; rooms whose units overlap
    block each other: `related` are their ids. `division` are the ids of all rooms of a divisible
    hall, whose screens one booking may concern, and `lock_id` is the row that serialises them. Both
    hold the room's own id and ascend.
    """

    version: int
    id: int
    uuid: UUID
    name: str
    capacity: int
    building_id: int
    zone: ZoneInfo
    units: str
    lock_id: int
    related: tuple[int, ...]
    division: tuple[int, ...]
    policy: EffectivePolicy
    gaps: Mapping[int, int] = field(default_factory=dict)  # minutes, by related room; empty: book's

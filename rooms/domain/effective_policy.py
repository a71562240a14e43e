"""The booking policy of one room, resolved from campus, building and room. Pure values.

The type and the default of a rule are written here, in its field of `EffectivePolicy`, and nowhere
else. Everything else about a rule is its row in `rooms.domain.policy_rules`.
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


class AdvanceMode(StrEnum):
    """How the advance window is measured."""

    CALENDAR_DAYS = "calendar_days"  # until the end of the last local day
    STRICT = "strict"  # until the same local time on the last day


class MeasuredTo(StrEnum):
    """Which end of a booking must lie inside the advance window."""

    END = "end"
    START = "start"


class CapacityRule(StrEnum):
    """The reaction to a booking with more attendees than seats."""

    IGNORE = "ignore"
    WARN = "warn"
    REFUSE = "refuse"


class BookableBy(StrEnum):
    """The people who may book. Room managers may always book."""

    EVERYONE = "everyone"
    LISTED = "listed"
    MANAGERS = "managers"


class Approval(StrEnum):
    """Whether a booking needs approval by a room manager.

    `none`: a booking is confirmed at once. `always`: a booking is a request until a room manager
    approves it; bookings of room managers are confirmed at once.
    """

    NONE = "none"
    ALWAYS = "always"


class Presence(StrEnum):
    """What a presence sensor does for a booking without check-in, when it sees people.

    `checks_in`: it checks the booking in. `warns`: screens show a warning, without check-in.
    `ignored`: nothing.
    """

    CHECKS_IN = "checks_in"
    WARNS = "warns"
    IGNORED = "ignored"


class BeyondHorizon(StrEnum):
    """The reaction to dates of a series after the advance window."""

    REFUSE = "refuse"
    TRUNCATE = "truncate"


class QuotaPeriod(StrEnum):
    """The period in which a quota counts bookings: a day, week or month in the room's time zone."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class DayException:
    """Different opening hours on one local date. No periods: closed."""

    reason: str
    periods: tuple[Period, ...] = ()
    is_holiday: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """The maximum number of bookings, or of booked minutes, per person and period.

    A quota with `room_id` counts the bookings of that room, one with `building_id` those of that
    building, one with neither those of the campus. `week_starts` is a weekday (Monday 0), or None
    for a week that begins on the day of the booking. With a `window`, only these local hours of
    each day count.
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
    """The rules of one room, each with its default.

    Units: elapsed minutes; dates are local dates of the room.
    """

    hours: Mapping[int, tuple[Period, ...]] = field(default_factory=dict)  # empty: always open
    exceptions: Mapping[date, DayException] = field(default_factory=dict)
    min_minutes: int = 1
    max_minutes: int = 24 * 60
    step_minutes: int = 1  # for lengths, and for starts counted from the opening time
    notice_minutes: int = 0
    advance_days: int = 730
    advance_mode: AdvanceMode = AdvanceMode.CALENDAR_DAYS
    advance_measured_to: MeasuredTo = MeasuredTo.END
    late_start_minutes: int = 15  # time to fill in a form that books "now"
    gap_minutes: int = 0  # between two rooms that share floor, the larger gap applies
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
    check_in_exempt_minutes: int = 8 * 60  # 0: no booking is exempt
    presence: Presence = Presence.CHECKS_IN
    absence_minutes: int | None = None  # an empty room is released after this; None: never
    no_show_limit: int | None = 3  # missed dates in a row before a series is released
    no_show_notice_days: int = 2
    series_limit: int = 366
    beyond_horizon: BeyondHorizon = BeyondHorizon.REFUSE
    sources: Mapping[str, Scope] = field(default_factory=dict)  # rule -> scope that set it

    @property
    def is_open_at_door(self) -> bool:
        """Return whether the device at the door may book; it cannot identify the person."""
        return self.bookable_by is BookableBy.EVERYONE and self.approval is Approval.NONE


@dataclass(frozen=True, slots=True)
class RoomPolicy:
    """A room as booking commands see it, valid for one `version` of all rules.

    `units` is the floor that the room occupies, as a Postgres int8range literal. Rooms with
    overlapping units block each other; `related` holds their ids. `division` holds the ids of all
    rooms of a divisible hall, because one booking may change the screens of all of them; `lock_id`
    is the row that serialises their commands. `related` and `division` include the id of the room
    itself, in ascending order.
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
    gaps: Mapping[int, int] = field(
        default_factory=dict
    )  # minutes, by related room; empty: gap of `policy`

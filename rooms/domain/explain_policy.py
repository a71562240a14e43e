"""The rules of a room in sentences for people, each with where it was said. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from meeting_rooms.kernel.errors import NotFoundError
from rooms.domain.effective_policy import (
    LISTED_RULES,
    SINGLE_RULES,
    AdvanceMode,
    Approval,
    BeyondHorizon,
    BookableBy,
    CapacityRule,
    EffectivePolicy,
    MeasuredTo,
    Period,
    Presence,
    Quota,
    RoomPolicy,
    Scope,
)
from rooms.domain.error_codes import RoomsErrorCode

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Explanation(NamedTuple):
    """One rule: its value, JSON-ready; the scope that said it; and what it means."""

    rule: str
    value: Any
    source: Scope
    sentence: str


def explain(room: RoomPolicy, rule: str | None = None) -> list[Explanation]:
    """Return every rule that holds in the room, or one. Raises NotFoundError `unknown_rule`."""
    known = (*SINGLE_RULES, *LISTED_RULES)
    if rule is not None and rule not in known:
        raise NotFoundError(
            f"There is no rule '{rule}'. The rules are {', '.join(known)}.",
            code=RoomsErrorCode.UNKNOWN_RULE,
        )
    book = room.policy
    return [
        Explanation(name, _value(book, name), book.sources.get(name, "default"), _say(book, name))
        for name in ((rule,) if rule else known)
    ]


def _value(book: EffectivePolicy, rule: str) -> Any:
    shown = _SHOWN.get(rule)
    return getattr(book, rule) if shown is None else shown(book)


def _hours(book: EffectivePolicy) -> list[dict[str, Any]]:
    return [
        {"weekday": day, "opens": f"{opens:%H:%M}", "closes": f"{closes:%H:%M}"}
        for day, periods in sorted(book.hours.items())
        for opens, closes in periods
    ]


def _exceptions(book: EffectivePolicy) -> list[dict[str, Any]]:
    return [
        {
            "date": day.isoformat(),
            "reason": told.reason,
            "is_holiday": told.is_holiday,
            "periods": [_period(period) for period in told.periods],
        }
        for day, told in sorted(book.exceptions.items())
    ]


def _quotas(book: EffectivePolicy) -> list[dict[str, Any]]:
    return [
        {
            "scope": _scope(quota),
            "period": quota.period.value,
            "max_count": quota.max_count,
            "max_minutes": quota.max_minutes,
            "week_starts": quota.week_starts,
            "window": quota.window and _period(quota.window),
        }
        for quota in book.quotas
    ]


def _period(period: Period) -> dict[str, str]:
    return {"opens": f"{period[0]:%H:%M}", "closes": f"{period[1]:%H:%M}"}


def _scope(quota: Quota) -> Scope:
    if quota.room_id is not None:
        return "room"
    return "campus" if quota.building_id is None else "building"


# Whose names these are is the business of those who set the policy: others learn how many.
_SHOWN: Mapping[str, Callable[[EffectivePolicy], Any]] = {
    "hours": _hours,
    "exceptions": _exceptions,
    "quotas": _quotas,
    "bookers": lambda book: len(book.bookers),
    "managers": lambda book: len(book.managers),
}
_ADVANCE = {
    AdvanceMode.CALENDAR_DAYS: "The advance window runs to the end of its last day.",
    AdvanceMode.STRICT: "The advance window runs to the very minute.",
}
_CAPACITY = {
    CapacityRule.IGNORE: "The number of attendees does not matter.",
    CapacityRule.WARN: "More attendees than seats are allowed, and the booking is flagged.",
    CapacityRule.REFUSE: "More attendees than seats are refused.",
}
_BOOKABLE = {
    BookableBy.EVERYONE: "Everyone may book.",
    BookableBy.LISTED: "Only people on the list, and those who run the room, may book.",
    BookableBy.MANAGERS: "Only those who run the room may book.",
}
_PRESENCE = {
    Presence.CHECKS_IN: "A sensor that sees people checks the booking in.",
    Presence.WARNS: "A sensor that sees people warns, and does not check the booking in.",
    Presence.IGNORED: "Sensors have no say in check-in.",
}


def _say(book: EffectivePolicy, rule: str) -> str:
    return _SENTENCES[rule](book)


def _say_step(book: EffectivePolicy) -> str:
    if book.step_minutes == 1:
        return "Bookings may begin and end at any minute."
    return f"Bookings go by steps of {book.step_minutes} minutes, counted from the opening time."


def _say_exempt(book: EffectivePolicy) -> str:
    if not book.check_in_exempt_minutes:
        return "However long a booking is, it needs a check-in."
    return f"Bookings of {book.check_in_exempt_minutes} minutes or more need no check-in."


def _say_hours(book: EffectivePolicy) -> str:
    if not book.hours:
        return "The room is always open."
    days = [
        f"{WEEKDAYS[day]} {' and '.join(f'{a:%H:%M} to {b:%H:%M}' for a, b in periods)}"
        for day, periods in sorted(book.hours.items())
    ]
    return f"The room is open {', '.join(days)}."


def _say_no_show(book: EffectivePolicy) -> str:
    if book.no_show_limit is None:
        return "A series never loses the room for missed dates."
    return f"A series loses the room after {book.no_show_limit} missed dates in a row."


def _say_absence(book: EffectivePolicy) -> str:
    if book.absence_minutes is None:
        return "An empty room is not given back before its booking ends."
    return f"A room that was empty for {book.absence_minutes} minutes is given back."


_SENTENCES: Mapping[str, Callable[[EffectivePolicy], str]] = {
    "min_minutes": lambda b: f"A booking lasts at least {b.min_minutes} minutes.",
    "max_minutes": lambda b: f"A booking lasts at most {b.max_minutes} minutes.",
    "step_minutes": _say_step,
    "notice_minutes": lambda b: (
        f"A booking is made at least {b.notice_minutes} minutes before it starts."
        if b.notice_minutes
        else "A booking may be made up to its start."
    ),
    "advance_days": lambda b: f"Bookings are open {b.advance_days} days ahead.",
    "advance_mode": lambda b: _ADVANCE[b.advance_mode],
    "advance_measured_to": lambda b: (
        "The end of a booking must lie in the advance window."
        if b.advance_measured_to is MeasuredTo.END
        else "The start of a booking must lie in the advance window."
    ),
    "late_start_minutes": lambda b: (
        f"A booking may start up to {b.late_start_minutes} minutes ago."
    ),
    "gap_minutes": lambda b: f"{b.gap_minutes} minutes stay free between two bookings.",
    "gap_may_leave_hours": lambda b: (
        "The gap after the last booking may run over closing time."
        if b.gap_may_leave_hours
        else "The gap after the last booking ends by closing time."
    ),
    "one_booking_a_day": lambda b: (
        "The room takes one booking a day."
        if b.one_booking_a_day
        else "The room takes any number of bookings a day."
    ),
    "capacity_rule": lambda b: _CAPACITY[b.capacity_rule],
    "bookable_by": lambda b: _BOOKABLE[b.bookable_by],
    "approval": lambda b: (
        "Bookings are confirmed at once."
        if b.approval is Approval.NONE
        else "Bookings wait for the yes of those who run the room."
    ),
    "pending_blocks": lambda b: (
        "A request that waits takes its slot."
        if b.pending_blocks
        else "A request that waits leaves its slot open to other requests."
    ),
    "check_in_required": lambda b: (
        "A booking that nobody checks in to is given back."
        if b.check_in_required
        else "Nobody needs to check in."
    ),
    "check_in_opens_minutes": lambda b: (
        f"Check-in opens {b.check_in_opens_minutes} minutes before the start."
    ),
    "check_in_grace_minutes": lambda b: (
        f"Without a check-in the room is given back {b.check_in_grace_minutes} minutes after the "
        "start."
    ),
    "check_in_exempt_minutes": _say_exempt,
    "presence": lambda b: _PRESENCE[b.presence],
    "absence_minutes": _say_absence,
    "no_show_limit": _say_no_show,
    "no_show_notice_days": lambda b: (
        f"The organizer is warned {b.no_show_notice_days} days before a series loses the room."
    ),
    "series_limit": lambda b: f"A series has at most {b.series_limit} dates.",
    "beyond_horizon": lambda b: (
        "A series with dates beyond the advance window is refused."
        if b.beyond_horizon is BeyondHorizon.REFUSE
        else "Dates of a series beyond the advance window are left out, and reported."
    ),
    "hours": _say_hours,
    "exceptions": lambda b: f"{len(b.exceptions)} dates have other hours than usual.",
    "quotas": lambda b: f"{len(b.quotas)} quotas limit what one person books.",
    "bookers": lambda b: f"{len(b.bookers)} people are listed as those who may book.",
    "managers": lambda b: f"{len(b.managers)} people besides the admins run the room.",
}

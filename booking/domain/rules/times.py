"""The rules about length, steps, notice and the advance window. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from booking.domain.request import Request
from booking.domain.rules.broken import Broken, told_date, told_instant, told_minutes
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.walltime import ONE_DAY, first_instant, last_instant, start_of_day
from rooms.domain.opening import opening_before
from rooms.domain.rulebook import AdvanceMode, MeasuredTo, RoomRules, Rulebook

NOTHING = timedelta(0)
ONE_MINUTE = timedelta(minutes=1)


def check_length(wanted: Interval, book: Rulebook) -> Broken | None:
    """Refuse what is too short or too long, in real minutes whatever the clocks do."""
    minutes = wanted.duration / ONE_MINUTE
    if book.min_minutes <= minutes <= book.max_minutes:
        return None
    facts = {"min_minutes": book.min_minutes, "max_minutes": book.max_minutes}
    if minutes < book.min_minutes:
        told = f"A booking lasts at least {told_minutes(book.min_minutes)}."
        return Broken("too_short", told, "min_minutes", facts)
    told = f"A booking lasts at most {told_minutes(book.max_minutes)}."
    return Broken("too_long", told, "max_minutes", facts)


def check_step(request: Request, room: RoomRules) -> Broken | None:
    """Refuse a length, or a start counted from the opening time, that is between two steps."""
    wanted, book = request.interval, room.book
    if book.step_minutes == 1:
        return None
    step = timedelta(minutes=book.step_minutes)
    told = f"Bookings go by steps of {told_minutes(book.step_minutes)}"
    if (rest := wanted.duration % step) != NOTHING:
        shorter = (wanted.duration - rest) // ONE_MINUTE
        lengths = [n for n in (shorter, shorter + book.step_minutes) if n]
        likely = " or ".join(map(told_minutes, lengths))
        facts = {"step_minutes": book.step_minutes, "lengths_minutes": lengths}
        return Broken("length_not_in_steps", f"{told}. Choose {likely}.", "step_minutes", facts)
    if request.is_standing or request.is_walk_up:
        return None
    opened = opening_before(book, room.zone, wanted.start)
    if opened is None or (rest := (wanted.start - opened) % step) == NOTHING:
        return None
    starts = [wanted.start - rest, wanted.start - rest + step]
    likely = " or ".join(f"{start.astimezone(room.zone):%H:%M}" for start in starts)
    opens = f"{opened.astimezone(room.zone):%H:%M}"
    return Broken(
        "start_not_in_steps",
        f"{told}, counted from the opening at {opens}. Start at {likely}.",
        "step_minutes",
        {"step_minutes": book.step_minutes, "starts": [start.isoformat() for start in starts]},
    )


def check_notice(wanted: Interval, room: RoomRules, *, now: datetime) -> Broken | None:
    """Refuse what begins too soon to be prepared for."""
    notice = room.book.notice_minutes
    if not notice:
        return None
    earliest = now + timedelta(minutes=notice)
    if wanted.start >= earliest:
        return None
    told = told_instant(earliest, room.zone)
    return Broken(
        "too_short_notice",
        f"{room.name} is booked at least {told_minutes(notice)} ahead: from {told} on.",
        "notice_minutes",
        {"notice_minutes": notice, "earliest_start": earliest.isoformat()},
    )


def check_advance(wanted: Interval, room: RoomRules, *, now: datetime) -> Broken | None:
    """Refuse what lies beyond the advance window."""
    book = room.book
    by_start = book.advance_measured_to is MeasuredTo.START
    measured = wanted.start if by_start else wanted.end
    # No zone moves its clock by more than a day, so this much is inside in either mode.
    if measured <= now + timedelta(days=book.advance_days - 2):
        return None
    latest = latest_allowed(book, room.zone, now=now)
    is_calendar = book.advance_mode is AdvanceMode.CALENDAR_DAYS
    if measured < latest or (measured == latest and not (by_start and is_calendar)):
        return None
    told = told_instant(latest, room.zone)
    if is_calendar:
        told = f"the end of {told_date((latest.astimezone(room.zone) - ONE_DAY).date())}"
    what = "begin" if by_start else "end"
    return Broken(
        "too_far_ahead",
        f"Bookings of {room.name} {what} by {told}.",
        "advance_days",
        {
            "advance_days": book.advance_days,
            "measured_to": book.advance_measured_to.value,
            "latest": latest.isoformat(),
        },
    )


def latest_allowed(book: Rulebook, zone: ZoneInfo, *, now: datetime) -> datetime:
    """Return where the advance window ends: at a local midnight, or at this very wall time."""
    local = now.astimezone(zone)
    last = local.date() + timedelta(days=book.advance_days)
    if book.advance_mode is AdvanceMode.CALENDAR_DAYS:
        return start_of_day(last + ONE_DAY, zone)
    wall = datetime.combine(last, local.time())
    return last_instant(wall, zone) if local.fold else first_instant(wall, zone)


def check_capacity(request: Request, room: RoomRules) -> Broken | None:
    """Refuse, or only flag, more attendees than seats; the rule says which."""
    if request.attendees is None or request.attendees <= room.capacity:
        return None
    return Broken(
        "over_capacity",
        f"{room.name} seats {room.capacity}. Choose a larger room or fewer attendees.",
        "capacity_rule",
        {"capacity": room.capacity},
    )

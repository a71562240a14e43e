"""Export the bookings of a room or a person as an iCalendar file.

A series is exported as its RRULE, so that other programs show one series. Each date of the rule is
compared with the stored booking; a date that differs is exported as an exception. So the exported
times are always those of the bookings.
Bookings that the viewer may not read are exported one by one as "Busy", each with its own id. No
RRULE, no UID of an import and no other field shows that such dates belong together.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from booking.domain.error_codes import BookingErrorCode
from booking.domain.privacy import BUSY_TITLE, may_read_details
from booking.domain.states import BookingState
from booking.exchange.ical.events import CalendarEvent, Length, ParsedSeries
from booking.exchange.ical.recurring_events import occurrences
from booking.exchange.ical.rrule import rule_until
from booking.exchange.ical.write_calendar import CalendarEntry, EntryStatus, write_calendar
from booking.models import Booking, Series
from booking.repository import taking_the_slot
from identity.models import User
from identity.queries import actor_of
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import LimitExceededError
from rooms.models import Room

PAST = timedelta(days=31)  # bookings that ended earlier are not exported
MAX_BOOKINGS = 20_000  # in one calendar; bounds memory and time of one request


def room_calendar(room: Room, viewer: Actor, now: datetime) -> bytes:
    """Return the calendar of a room from PAST ago on, redacted for `viewer`.

    Raises LimitExceededError `too_many_bookings` if there are more than MAX_BOOKINGS.
    """
    found = _current(Booking.objects.filter(room=room), now)
    series = {s.pk: s for s in _series_of(found)}
    return write_calendar(_entries(found, series, viewer, room), name=room.name, now=now)


def person_calendar(user: User, now: datetime) -> bytes:
    """Return the calendar of a person's own bookings from PAST ago on, not redacted.

    Raises LimitExceededError `too_many_bookings` if there are more than MAX_BOOKINGS.
    """
    found = _current(Booking.objects.filter(organizer=user), now)
    series = {s.pk: s for s in _series_of(found)}
    return write_calendar(_entries(found, series, actor_of(user)), name=user.display_name, now=now)


def is_readable(booking: Booking, viewer: Actor) -> bool:
    """Return whether the viewer may read title and people of the booking.

    An anonymous viewer never matches a booking without organizer.
    """
    is_anonymous_match = (
        booking.organizer_id is None and viewer.user_id is None and not viewer.is_admin
    )
    facts = booking.as_data()
    return may_read_details(facts, viewer) and not (facts.private and is_anonymous_match)


def _current(bookings: QuerySet[Booking], now: datetime) -> list[Booking]:
    """Return the bookings to export: recent ones, and all dates of each series that has one."""
    counts = taking_the_slot(now) | Q(state=BookingState.PENDING)
    live = bookings.filter(counts).exclude(state=BookingState.HELD)
    recent = live.filter(during__endswith__gt=now - PAST)
    wanted = Q(pk__in=recent.values("pk")) | Q(
        series__in=recent.exclude(series=None).values("series")
    )
    rows = live.filter(wanted).select_related("room__floor__building", "organizer")
    found = list(rows.order_by("during", "pk")[: MAX_BOOKINGS + 1])
    if len(found) > MAX_BOOKINGS:
        raise LimitExceededError(
            f"The calendar has more than {MAX_BOOKINGS:,} bookings. Subscribe to single rooms.",
            code=BookingErrorCode.TOO_MANY_BOOKINGS,
        )
    return found


def _series_of(bookings: Iterable[Booking]) -> QuerySet[Series]:
    known = {booking.series_id for booking in bookings if booking.series_id}
    found = Series.objects.filter(pk__in=known).select_related("organizer")
    return found.order_by("created_at", "pk")


def _entries(
    bookings: Sequence[Booking],
    series: dict[UUID, Series],
    viewer: Actor,
    room: Room | None = None,
) -> Iterator[CalendarEntry]:
    """Yield the entries of a calendar. With `room`, only series of that room become an RRULE."""
    of_series: dict[UUID, dict[datetime, Booking]] = defaultdict(dict)
    for booking in bookings:
        known = series.get(booking.series_id) if booking.series_id else None
        may_link = known is None or _may_read_rule(known, viewer)
        at = datetime.fromisoformat(booking.recurrence_id) if booking.recurrence_id else None
        is_date = known is not None and (room is None or known.room_id == room.pk)
        if (
            known is None
            or at is None
            or not (is_date and may_link and is_readable(booking, viewer))
        ):
            yield _entry(booking, viewer, may_link=may_link)
        elif at in of_series[known.pk]:
            yield _entry(booking, viewer)  # a date with several rooms
        else:
            of_series[known.pk][at] = booking
    for series_id, dates in of_series.items():
        yield from _series_entries(series[series_id], dates, viewer)


def _may_read_rule(series: Series, viewer: Actor) -> bool:
    """Return whether the viewer may know that the dates of this series belong together."""
    is_own = viewer.user_id is not None and viewer.user_id == series.organizer_id
    return not series.is_private or viewer.is_admin or is_own


def _series_entries(
    series: Series, stored: dict[datetime, Booking], viewer: Actor
) -> Iterator[CalendarEntry]:
    """Yield an entry with the RRULE, and an entry for each date that differs from the rule."""
    first = _master(series, list(stored.values()), viewer)
    zone, last = ZoneInfo(series.timezone), max(*stored, first.start.replace(tzinfo=None))
    # The exported rule ends at the last booked date: a stored rule may be endless.
    first = replace(first, rule=rule_until(series.rule, last, zone))
    horizon = last.replace(tzinfo=zone) + timedelta(days=1)
    parsed = _as_parsed(first)
    by_rule = {at.recurrence_id: at for at in occurrences(parsed, horizon) if at.recurrence_id}
    missing = sorted(by_rule.keys() - stored.keys())
    extra = sorted(stored.keys() - by_rule.keys())
    yield replace(first, exdates=tuple(missing), rdates=tuple(extra))
    for at, booking in sorted(stored.items()):
        entry = _entry(booking, viewer)
        ruled = by_rule.get(at)
        is_regular = ruled is not None and ruled.interval == booking.interval
        starts_at = booking.interval.start.astimezone(zone).replace(tzinfo=None)
        # Some programs drop a date whose local time the clock skips. As an exception, every program
        # shows the date.
        if is_regular and starts_at == at and _has_same_texts(entry, first):
            continue
        yield replace(entry, uid=first.uid, recurrence_id=at, recurrence_zone=zone)


def _master(series: Series, dates: Sequence[Booking], viewer: Actor) -> CalendarEntry:
    """Return the entry of the first date of the series. The viewer may read series and dates."""
    zone = ZoneInfo(series.timezone)
    start = datetime.fromisoformat(series.starts_local).replace(tzinfo=zone)
    return replace(
        _entry(dates[0], viewer),
        uid=series.external_uid or f"{series.pk}@meeting-rooms",
        start=start,
        end=start
        + timedelta(minutes=series.minutes),  # local arithmetic: bookings keep their local time
        title=series.title,
        organizer=series.organizer_name,
        organizer_email=series.organizer.email if series.organizer else "",
        status=EntryStatus.CONFIRMED,
        is_private=series.is_private,
        sequence=series.version - 1,
        stamp=series.created_at if series.version == 1 else None,
    )


def _as_parsed(first: CalendarEntry) -> ParsedSeries:
    """Return the series as another program reads it: with DTEND, each date has the exact length."""
    event = CalendarEvent(
        uid=first.uid,
        location=first.location,
        start=first.start,
        end=first.end,
        title=first.title,
        organizer="",
        is_private=False,
        is_cancelled=False,
    )
    return ParsedSeries(event, Length(0, event.interval.duration), first.rule, (), (), ())


def _entry(booking: Booking, viewer: Actor, *, may_link: bool = True) -> CalendarEntry:
    """Return the entry of one booking, redacted for the viewer.

    Unless `may_link` is set, the entry has no value that the dates of one series share. The id of
    the booking is the same in every export.
    """
    readable = is_readable(booking, viewer)
    may_link = may_link and readable
    place = booking.room
    is_pending = booking.state == BookingState.PENDING
    zone = ZoneInfo(place.floor.building.timezone)
    return CalendarEntry(
        uid=(booking.external_uid if may_link else None) or f"{booking.pk}@meeting-rooms",
        start=booking.interval.start.astimezone(zone),
        end=booking.interval.end.astimezone(zone),
        title=booking.title if readable else BUSY_TITLE,
        organizer=booking.organizer_name if readable else "",
        organizer_email=booking.organizer.email if readable and booking.organizer else "",
        status=EntryStatus.TENTATIVE if is_pending else EntryStatus.CONFIRMED,
        location=place.name,
        is_private=booking.is_private,
        sequence=booking.version - 1,
        stamp=booking.created_at if may_link and booking.version == 1 else None,
    )


def _has_same_texts(entry: CalendarEntry, first: CalendarEntry) -> bool:
    names = ("title", "organizer", "organizer_email", "location", "status", "is_private")
    return all(getattr(entry, name) == getattr(first, name) for name in names)

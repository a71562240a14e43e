"""Bookings as calendars that other programs subscribe to: a room's, and a person's own.

A series goes out as its rule, so that programs show it as one; each date is compared with what is
stored, and what differs goes out as an exception. So the instants are right whatever the rule says.
What the viewer may not read goes out date by date, each "Busy" under the booking's own id: no rule,
no UID of an import and nothing else ties these dates together.
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
from booking.exchange.ical.events import Length, ParsedEvent, ParsedSeries
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

PAST = timedelta(days=31)
MAX_BOOKINGS = 20_000


def room_calendar(room: Room, viewer: Actor, now: datetime) -> bytes:
    """Return the room's bookings from a month ago on, as `viewer` may read them.

    Raises LimitExceededError `too_many_bookings` for more than MAX_BOOKINGS.
    """
    found = _current(Booking.objects.filter(room=room), now)
    series = {s.pk: s for s in _series_of(found)}
    return write_calendar(_entries(found, series, viewer, room), name=room.name, now=now)


def person_calendar(user: User, now: datetime) -> bytes:
    """Return what the person has booked from a month ago on, all of it readable.

    Raises LimitExceededError `too_many_bookings` for more than MAX_BOOKINGS.
    """
    found = _current(Booking.objects.filter(organizer=user), now)
    series = {s.pk: s for s in _series_of(found)}
    return write_calendar(_entries(found, series, actor_of(user)), name=user.display_name, now=now)


def is_readable(booking: Booking, viewer: Actor) -> bool:
    """Say whether the viewer may read what the booking is about.

    Somebody who is not signed in is not the organizer of a booking that has none.
    """
    is_nobodys = booking.organizer_id is None and viewer.user_id is None and not viewer.is_admin
    facts = booking.as_data()
    return may_read_details(facts, viewer) and not (facts.private and is_nobodys)


def _current(bookings: QuerySet[Booking], now: datetime) -> list[Booking]:
    """Return those that count and are not long past, and every date of the series among them."""
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
            f"There are more than {MAX_BOOKINGS:,} bookings. Subscribe to single rooms.",
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
    """Yield the entries of a calendar; of a room's, only series of that room go out as rules."""
    of_series: dict[UUID, dict[datetime, Booking]] = defaultdict(dict)
    for booking in bookings:
        known = series.get(booking.series_id) if booking.series_id else None
        may_tie = known is None or _may_read_rule(known, viewer)
        at = datetime.fromisoformat(booking.recurrence_id) if booking.recurrence_id else None
        is_date = known is not None and (room is None or known.room_id == room.pk)
        if (
            known is None
            or at is None
            or not (is_date and may_tie and is_readable(booking, viewer))
        ):
            yield _entry(booking, viewer, may_tie=may_tie)
        elif at in of_series[known.pk]:
            yield _entry(booking, viewer)  # another room on a date
        else:
            of_series[known.pk][at] = booking
    for series_id, dates in of_series.items():
        yield from _series_entries(series[series_id], dates, viewer)


def _may_read_rule(series: Series, viewer: Actor) -> bool:
    """Say whether the viewer may know that the dates of this series belong together."""
    is_own = viewer.user_id is not None and viewer.user_id == series.organizer_id
    return not series.is_private or viewer.is_admin or is_own


def _series_entries(
    series: Series, stored: dict[datetime, Booking], viewer: Actor
) -> Iterator[CalendarEntry]:
    """Yield the series' rule, and an entry for each date that is not as the rule has it."""
    first = _master(series, list(stored.values()), viewer)
    zone, last = ZoneInfo(series.timezone), max(*stored, first.start.replace(tzinfo=None))
    # Up to the last date that is booked: a series may have no end, and its bookings have one.
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
        as_ruled = ruled is not None and ruled.interval == booking.interval
        stands_at = booking.interval.start.astimezone(zone).replace(tzinfo=None)
        # A date that clocks skip is dropped by some programs; told by itself, all of them show it.
        if as_ruled and stands_at == at and _same_words(entry, first):
            continue
        yield replace(entry, uid=first.uid, recurrence_id=at, recurrence_zone=zone)


def _master(series: Series, dates: Sequence[Booking], viewer: Actor) -> CalendarEntry:
    """Return the series' first date. The viewer may read the series and these dates."""
    zone = ZoneInfo(series.timezone)
    start = datetime.fromisoformat(series.starts_local).replace(tzinfo=zone)
    return replace(
        _entry(dates[0], viewer),
        uid=series.external_uid or f"{series.pk}@meeting-rooms",
        start=start,
        end=start + timedelta(minutes=series.minutes),  # wall clock, as bookings keep it
        title=series.title,
        organizer=series.organizer_name,
        organizer_email=series.organizer.email if series.organizer else "",
        status=EntryStatus.CONFIRMED,
        is_private=series.is_private,
        sequence=series.version - 1,
        stamp=series.created_at if series.version == 1 else None,
    )


def _as_parsed(first: CalendarEntry) -> ParsedSeries:
    """Return the series as another program will read it: DTEND repeats the exact length."""
    event = ParsedEvent(
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


def _entry(booking: Booking, viewer: Actor, *, may_tie: bool = True) -> CalendarEntry:
    """Return one booking as the viewer may read it.

    Unless `may_tie`, nothing is in it that is common to the dates of its series. The booking's own
    id stays the same from export to export.
    """
    readable = is_readable(booking, viewer)
    may_tie = may_tie and readable
    place = booking.room
    is_pending = booking.state == BookingState.PENDING
    zone = ZoneInfo(place.floor.building.timezone)
    return CalendarEntry(
        uid=(booking.external_uid if may_tie else None) or f"{booking.pk}@meeting-rooms",
        start=booking.interval.start.astimezone(zone),
        end=booking.interval.end.astimezone(zone),
        title=booking.title if readable else BUSY_TITLE,
        organizer=booking.organizer_name if readable else "",
        organizer_email=booking.organizer.email if readable and booking.organizer else "",
        status=EntryStatus.TENTATIVE if is_pending else EntryStatus.CONFIRMED,
        location=place.name,
        is_private=booking.is_private,
        sequence=booking.version - 1,
        stamp=booking.created_at if may_tie and booking.version == 1 else None,
    )


def _same_words(entry: CalendarEntry, first: CalendarEntry) -> bool:
    names = ("title", "organizer", "organizer_email", "location", "status", "is_private")
    return all(getattr(entry, name) == getattr(first, name) for name in names)

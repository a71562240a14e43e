"""Cases 58, 93, 96 and 97: imported and exported calendars and tables."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command

from booking.exchange.export_calendar import room_calendar
from booking.exchange.feeds import issue_feed, read_feed, revoke_feed
from booking.exchange.fetch_url import fetch_calendar
from booking.exchange.ical.read_calendar import parse_calendar
from booking.exchange.ical.recurring_events import occurrences
from booking.exchange.ical.write_calendar import CalendarEntry, EntryStatus, write_calendar
from booking.exchange.url_policy import is_public
from booking.models import FeedToken
from booking.tests.exchange.calendar_entries import entries_of
from booking.tests.factories import NOW as BOOKED_AT
from booking.tests.factories import book, hours
from identity.models import User
from identity.queries import actor_of
from identity.tests.factories import actor, person
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import MeetingRoomsError, NotFoundError
from rooms.models import Room
from rooms.tests.factories import building, floor, room

HELSINKI = ZoneInfo("Europe/Helsinki")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = datetime(2027, 1, 1, tzinfo=UTC)


def weekly(**more) -> CalendarEntry:
    """Return a series at 10:00 in Helsinki from 9 March 2026, over the change to summer time."""
    start = datetime(2026, 3, 9, 10, tzinfo=HELSINKI)
    fields = {"uid": "series-1", "start": start, "end": start + timedelta(hours=1), "title": "Plan",
              "stamp": NOW, "location": "Sauna"}  # fmt: skip
    return CalendarEntry(**(fields | more))


def with_exceptions() -> list[CalendarEntry]:
    moved = datetime(2026, 3, 31, 14, tzinfo=HELSINKI)
    return [
        weekly(rule="FREQ=WEEKLY;COUNT=5", exdates=(datetime(2026, 3, 16, 10),)),
        weekly(recurrence_id=datetime(2026, 3, 30, 10), start=moved,
               end=moved + timedelta(minutes=90), sequence=1, title="Plan, moved"),
        weekly(recurrence_id=datetime(2026, 4, 6, 10), status=EntryStatus.CANCELLED,
               start=datetime(2026, 4, 6, 10, tzinfo=HELSINKI),
               end=datetime(2026, 4, 6, 11, tzinfo=HELSINKI)),
    ]  # fmt: skip


def dates(raw: bytes) -> list[tuple[str, str, str, bool]]:
    (series,) = parse_calendar(raw).series
    return [
        (f"{at.recurrence_id:%m-%d %H:%M}", f"{at.interval.start:%m-%dT%H:%MZ}",
         f"{at.interval.end:%m-%dT%H:%MZ}", at.is_cancelled)
        for at in occurrences(series, UNTIL)
    ]  # fmt: skip


EXPECTED = [
    ("03-09 10:00", "03-09T08:00Z", "03-09T09:00Z", False),
    ("03-23 10:00", "03-23T08:00Z", "03-23T09:00Z", False),
    ("03-30 10:00", "03-31T11:00Z", "03-31T12:30Z", False),
    ("04-06 10:00", "04-06T07:00Z", "04-06T08:00Z", True),
]


def test_case_058__export_and_import__keep_instants_and_recurrence_ids():
    """A series with a left-out and a moved date is the same after export and import"""
    out = write_calendar(with_exceptions(), name="Sauna", now=NOW)
    assert dates(out) == EXPECTED
    imported = write_calendar(entries_of(parse_calendar(out)), name="Sauna", now=NOW)
    assert dates(imported) == EXPECTED
    assert imported.count(b"UID:series-1\r\n") == 3


def test_case_058__exdate_and_recurrence_id__have_the_zone_of_the_start():
    """RECURRENCE-ID and EXDATE are in the local time of the series"""
    text = write_calendar(with_exceptions(), name="Sauna", now=NOW).decode()
    assert "EXDATE;TZID=Europe/Helsinki:20260316T100000\r\n" in text
    assert "RECURRENCE-ID;TZID=Europe/Helsinki:20260330T100000\r\n" in text
    assert "DTSTART;TZID=Europe/Helsinki:20260309T100000\r\n" in text


def test_case_058__exdate_of_full_days__is_a_date():
    """An EXDATE that is a date removes a day from a series of full days"""
    raw = (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:d\r\nLOCATION:R\r\n"
           b"DTSTART;VALUE=DATE:20260327\r\nRRULE:FREQ=DAILY;COUNT=4\r\n"
           b"EXDATE;VALUE=DATE:20260328\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")  # fmt: skip
    (series,) = parse_calendar(raw, zone_of=lambda _room: HELSINKI).series
    found = [at.interval for at in occurrences(series, UNTIL)]
    assert [f"{at.start:%m-%dT%H}" for at in found] == ["03-26T22", "03-28T22", "03-29T21"]
    assert [at.duration.total_seconds() / 3600 for at in found] == [24, 23, 24]


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.0.1", "169.254.169.254", "100.64.0.1",
     "0.0.0.0", "::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
     "2002:a00:1::", "::127.0.0.1"],
)  # fmt: skip
def test_case_097__private_address__is_refused(address):
    """An import from a URL connects to no private network"""
    assert not is_public(address)
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(MeetingRoomsError) as refused:
        fetch_calendar(f"http://{host}/calendar.ics")
    assert refused.value.code == "private_address"


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "0"])
def test_case_097__other_name_of_this_machine__is_refused(host):
    """An import refuses other spellings of a private address too"""
    with pytest.raises(MeetingRoomsError) as refused:
        fetch_calendar(f"https://{host}/calendar.ics")
    assert refused.value.code == "private_address"


def private_booking() -> tuple[Room, User]:
    sauna, ada = room("Sauna", on=floor(building(slug="hq"))), person("Ada")
    book(sauna, hours(12, 13), by=actor_of(ada), title="Redundancies", private=True)
    return sauna, ada


@pytest.mark.django_db
def test_case_093__calendar_of_a_room__shows_a_private_booking_as_busy():
    """A private booking is Busy in the room's calendar for another person"""
    sauna, ada = private_booking()
    hidden = room_calendar(sauna, actor(), BOOKED_AT)
    assert b"SUMMARY:Busy\r\n" in hidden
    assert b"Redundancies" not in hidden
    assert b"Ada" not in hidden
    assert b"SUMMARY:Redundancies\r\n" in room_calendar(sauna, actor_of(ada), BOOKED_AT)


@pytest.mark.django_db
def test_case_093__exported_table__shows_a_private_booking_as_busy(tmp_path):
    """A private booking is Busy in an exported table"""
    private_booking()
    out = tmp_path / "out.csv"
    call_command("export_bookings", first="2026-03-12", last="2026-03-12", output=out)
    text = out.read_text(encoding="utf-8-sig")
    assert ",Busy,,,confirmed,yes," in text
    assert "Redundancies" not in text
    assert "Ada" not in text


def is_unknown(secret: str) -> bool:
    with pytest.raises(NotFoundError) as refused:
        read_feed(secret=secret, clock=FixedClock(BOOKED_AT))
    return refused.value.code == "unknown_feed"


@pytest.mark.django_db
def test_case_096__guessed_or_revoked_feed_address__finds_nothing():
    """A guessed feed address finds nothing, and a revoked feed address finds nothing"""
    sauna, ada = private_booking()
    own, rooms = issue_feed(user=ada), issue_feed(user=person(), room=sauna)
    clock = FixedClock(BOOKED_AT)
    assert b"SUMMARY:Redundancies" in read_feed(secret=own.secret, clock=clock)
    assert b"SUMMARY:Busy" in read_feed(secret=rooms.secret, clock=clock)
    assert is_unknown("mr_guessed")
    assert is_unknown("")
    assert is_unknown(str(own.record.pk))
    with pytest.raises(NotFoundError):
        revoke_feed(user=person(), feed_id=own.record.pk)
    revoke_feed(user=ada, feed_id=own.record.pk)
    assert is_unknown(own.secret)
    assert b"SUMMARY:Busy" in read_feed(secret=rooms.secret, clock=clock)


@pytest.mark.django_db
def test_case_096__inactive_owner_or_room__ends_the_feed():
    """A feed ends when the account of its owner or its room becomes inactive"""
    sauna, ada = private_booking()
    own, rooms = issue_feed(user=ada), issue_feed(user=person(), room=sauna)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    Room.objects.filter(pk=sauna.pk).update(is_active=False)
    assert is_unknown(own.secret)
    assert is_unknown(rooms.secret)


@pytest.mark.django_db
def test_case_096__secret_of_a_feed__is_not_stored():
    """The database stores the digest of a feed address, not the address"""
    issued = issue_feed(user=person())
    assert issued.secret not in str(FeedToken.objects.values().get())

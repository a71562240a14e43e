"""Calendars show only busy blocks of series and imports that the viewer may not read."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from icalendar import Calendar

from booking.exchange.export_calendar import person_calendar, room_calendar
from booking.exchange.feeds import issue_feed, read_feed
from booking.exchange.ical.read_calendar import parse_calendar
from booking.models import Booking, Series
from booking.tests.api_calls import Caller
from booking.tests.exchange.test_export_calendar import occurrence, series_of, shown
from booking.tests.factories import NOW
from identity.models import Role, User
from identity.queries import actor_of
from identity.tests.factories import actor, person
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, FixedClock
from rooms.models import Room
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db
ORIGINAL = "payroll-review-4711@mail.example.com"
DATES = ("2026-03-16T10:00:00", "2026-03-23T10:00:00", "2026-03-30T10:00:00")
WHEN = ["03-16T08:00/09:00", "03-23T08:00/09:00", "03-30T07:00/08:00"]  # UTC, Helsinki's clocks
HIDDEN_NAMES = (
    b"RRULE",
    b"RDATE",
    b"EXDATE",
    b"RECURRENCE-ID",
    b"LAST-MODIFIED",
    b"ORGANIZER",
)


@pytest.fixture
def ada() -> User:
    return person("Ada")


@pytest.fixture
def sauna() -> Room:
    return room("Sauna")


def weekly(sauna: Room, ada: User, *, private: bool) -> Series:
    made = series_of(sauna, ada, "FREQ=WEEKLY;COUNT=3", DATES[0], private=private)
    Series.objects.filter(pk=made.pk).update(external_uid=ORIGINAL)
    for number, at in enumerate(DATES):
        booked = occurrence(made, at)
        uid = f"{ORIGINAL}#{number}"
        Booking.objects.filter(pk=booked.pk).update(external_uid=uid)
    made.refresh_from_db()
    return made


def uids(raw: bytes) -> set[str]:
    return {str(event["UID"]) for event in Calendar.from_ical(raw).walk("VEVENT")}


def events_of(raw: bytes) -> bytes:
    """Return the events without the time zones, which contain RRULEs too."""
    return b"".join(event.to_ical() for event in Calendar.from_ical(raw).walk("VEVENT"))


def assert_hidden(raw: bytes, series: Series) -> None:
    for text in (*HIDDEN_NAMES, b"Plan", b"Ada", ORIGINAL.encode(), str(series.pk).encode()):
        assert text not in events_of(raw)
    assert len(uids(raw)) == len(DATES)


def test_private_series__in_the_calendar_of_another_person__is_one_busy_block_per_date(sauna, ada):
    series = weekly(sauna, ada, private=True)
    raw = room_calendar(sauna, actor(), NOW)
    assert_hidden(raw, series)
    assert shown(parse_calendar(raw)) == [(when, "Busy") for when in WHEN]
    assert room_calendar(sauna, actor(), NOW) == raw
    assert uids(room_calendar(sauna, actor(), NOW + timedelta(days=1))) == uids(raw)


def test_private_series__in_the_feed_of_another_person__is_one_busy_block_per_date(sauna, ada):
    series = weekly(sauna, ada, private=True)
    feed = issue_feed(user=person(), room=sauna)
    assert_hidden(read_feed(secret=feed.secret, clock=FixedClock(NOW)), series)


def later_series(sauna: Room, ada: User) -> Series:
    """Store a private series in the next weeks, for exports that use the system clock."""
    start = SYSTEM_CLOCK.now().replace(hour=9, minute=0, second=0, microsecond=0)
    dates = [f"{start + timedelta(days=7 * n):%Y-%m-%dT%H:%M:%S}" for n in (1, 2, 3)]
    made = series_of(sauna, ada, "FREQ=WEEKLY;COUNT=3", dates[0], private=True)
    Series.objects.filter(pk=made.pk).update(external_uid=ORIGINAL)
    for at in dates:
        occurrence(made, at)
    return made


def test_private_series__over_rest__is_one_busy_block_per_date(sauna, ada):
    series = later_series(sauna, ada)
    answer = Caller(person()).get(f"/rooms/{sauna.uuid}/calendar")
    assert_hidden(answer.content, series)


def test_private_series__exported__is_one_busy_block_per_date(sauna, ada, tmp_path: Path):
    series, out = later_series(sauna, ada), tmp_path / "out.ics"
    call_command("export_calendar", room="Sauna", output=out)
    assert_hidden(out.read_bytes(), series)
    call_command("export_calendar", room="Sauna", output=out, include_private=True)
    assert b"RRULE" in events_of(out.read_bytes())
    assert ORIGINAL.encode() in out.read_bytes()


@pytest.mark.parametrize("viewer", ["owner", "admin"])
def test_private_series__for_the_owner_or_an_admin__has_its_rule(sauna, ada, viewer):
    weekly(sauna, ada, private=True)
    actors = {"owner": actor_of(ada), "admin": actor(role=Role.ADMIN)}
    raw = room_calendar(sauna, actors[viewer], NOW)
    assert uids(raw) == {ORIGINAL}
    assert events_of(raw).count(b"RRULE") == 1
    assert uids(person_calendar(ada, NOW)) == {ORIGINAL}


def test_readable_series__with_a_private_date__shows_the_other_dates_and_one_busy_block(sauna, ada):
    series = weekly(sauna, ada, private=False)
    Booking.objects.filter(series=series, recurrence_id=DATES[1]).update(
        is_private=True, title="Redundancies"
    )
    raw = room_calendar(sauna, actor(), NOW)
    titles = ["Plan", "Busy", "Plan"]
    assert shown(parse_calendar(raw)) == list(zip(WHEN, titles, strict=True))
    hidden = Booking.objects.get(title="Redundancies")
    assert uids(raw) == {ORIGINAL, f"{hidden.pk}@meeting-rooms"}
    assert f"{ORIGINAL}#1".encode() not in raw


def test_private_series__with_a_readable_date__shows_that_date_only(sauna, ada):
    series = weekly(sauna, ada, private=True)
    Booking.objects.filter(series=series, recurrence_id=DATES[1]).update(is_private=False)
    raw = room_calendar(sauna, actor(), NOW)
    titles = ["Busy", "Plan", "Busy"]
    assert shown(parse_calendar(raw)) == list(zip(WHEN, titles, strict=True))
    for text in (b"RRULE", b"RECURRENCE-ID", b"LAST-MODIFIED", ORIGINAL.encode()):
        assert text not in events_of(raw)


def test_private_series__with_a_readable_date_in_another_room__hides_its_uid_there_too(sauna, ada):
    series, lounge = weekly(sauna, ada, private=True), room("Lounge")
    Booking.objects.filter(series=series, recurrence_id=DATES[1]).update(
        is_private=False, room=lounge
    )
    raw = room_calendar(lounge, actor(), NOW)
    assert shown(parse_calendar(raw)) == [(WHEN[1], "Plan")]
    assert ORIGINAL.encode() not in raw


@pytest.mark.parametrize("private,is_there", [(True, False), (False, True)])
def test_import__original_uid__is_shown_only_if_the_booking_is_readable(sauna, private, is_there):
    start = datetime.fromisoformat("2026-03-16T10:00:00+02:00")
    Booking.objects.create(
        room=sauna, during=(start, start + timedelta(hours=1)), local_start=DATES[0],
        local_end="2026-03-16T11:00:00", title="Plan", organizer_name="Imported",
        is_private=private, state="confirmed", created_at=NOW, external_uid=ORIGINAL,
    )  # fmt: skip
    raw = room_calendar(sauna, actor(), NOW)
    assert (ORIGINAL.encode() in raw) is is_there

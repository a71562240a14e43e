"""Exported calendars: other programs show exactly the stored bookings."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from icalendar import Calendar

from booking.commands.cancel_booking import cancel_booking
from booking.domain.states import BookingState
from booking.exchange.export_calendar import person_calendar, room_calendar
from booking.exchange.ical.events import ParsedCalendar
from booking.exchange.ical.read_calendar import parse_calendar
from booking.exchange.ical.recurring_events import occurrences
from booking.models import Booking, Series
from booking.series.book_series import BookSeries, book_series
from booking.tests.factories import NOW, book, hours
from identity.models import Role, User
from identity.queries import actor_of
from identity.tests.factories import actor, person
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, FixedClock
from rooms.models import Room
from rooms.tests.factories import building, floor, room

pytestmark = pytest.mark.django_db
HELSINKI = ZoneInfo("Europe/Helsinki")
UNTIL = datetime(2027, 1, 1, tzinfo=UTC)
ANONYMOUS = Actor(ActorKind.SYSTEM, "somebody at the door")


def series_of(
    where: Room, owner: User, rule: str, starts: str, minutes: int = 60, *, private: bool = False
) -> Series:
    return Series.objects.create(
        room=where, rule=rule, starts_local=starts, minutes=minutes, timezone="Europe/Helsinki",
        title="Plan", organizer=owner, organizer_name=owner.display_name, is_private=private,
        created_at=NOW,
    )  # fmt: skip


def occurrence(
    series: Series, recurrence_id: str, *, starts: str = "", minutes: int = 0, title: str = "",
    where: Room | None = None, state: BookingState = BookingState.CONFIRMED,
) -> Booking:  # fmt: skip
    """Store one date of a series, by default at the time and with the length of its rule."""
    start = datetime.fromisoformat(starts or recurrence_id).replace(tzinfo=HELSINKI)
    begin = start.astimezone(UTC)
    end = begin + timedelta(minutes=minutes or series.minutes)
    return Booking.objects.create(
        room=where or series.room, during=(begin, end), local_start=start.isoformat()[:19],
        local_end=end.astimezone(HELSINKI).isoformat()[:19], title=title or series.title,
        organizer=series.organizer, organizer_name=series.organizer_name,
        is_private=series.is_private, state=state, takes_slot=state != BookingState.CANCELLED,
        series=series, recurrence_id=recurrence_id, created_at=NOW,
    )  # fmt: skip


def shown(parsed: ParsedCalendar) -> list[tuple[str, str]]:
    assert parsed.refused == ()
    return sorted(
        (f"{at.interval.start:%m-%dT%H:%M}/{at.interval.end:%H:%M}", at.event.title)
        for each in (*parsed.events, *parsed.series)
        for at in occurrences(each, UNTIL)
    )


def test_room_calendar__of_a_series__shows_each_date_as_it_is_booked():
    sauna, ada = room("Sauna"), person("Ada")
    weekly = series_of(sauna, ada, "FREQ=WEEKLY;COUNT=7", "2026-03-16T10:00:00")
    occurrence(weekly, "2026-03-16T10:00:00")
    occurrence(weekly, "2026-03-23T10:00:00", state=BookingState.CANCELLED)
    occurrence(weekly, "2026-03-30T10:00:00")  # after the change to summer time
    occurrence(weekly, "2026-04-06T10:00:00", starts="2026-04-07T12:00:00", title="Plan, moved")
    occurrence(weekly, "2026-04-13T10:00:00", minutes=90)
    occurrence(weekly, "2026-04-15T09:00:00")  # not a date of the rule
    occurrence(weekly, "2026-04-20T10:00:00", where=room("Lounge"))
    raw = room_calendar(sauna, ANONYMOUS, NOW)
    assert shown(parse_calendar(raw)) == [
        ("03-16T08:00/09:00", "Plan"), ("03-30T07:00/08:00", "Plan"),
        ("04-07T09:00/10:00", "Plan, moved"), ("04-13T07:00/08:30", "Plan"),
        ("04-15T06:00/07:00", "Plan"),
    ]  # fmt: skip
    assert {str(e["UID"]) for e in Calendar.from_ical(raw).events} == {f"{weekly.pk}@meeting-rooms"}


def test_room_calendar__of_a_series_without_end__ends_where_its_bookings_end():
    sauna, ada = room("Sauna"), person("Ada")
    daily = series_of(sauna, ada, "FREQ=DAILY", "2026-03-28T10:00:00")
    for day in (28, 29, 30):
        occurrence(daily, f"2026-03-{day}T10:00:00")
    raw = room_calendar(sauna, ANONYMOUS, NOW)
    assert b"RRULE:FREQ=DAILY;UNTIL=20260330T070000Z\r\n" in raw
    assert [when for when, _ in shown(parse_calendar(raw))] == [
        "03-28T08:00/09:00", "03-29T07:00/08:00", "03-30T07:00/08:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "start,minutes,rule",
    [
        ("2026-03-16T10:00", 60, "FREQ=WEEKLY;COUNT=4"),
        ("2026-03-27T03:30", 60, "FREQ=DAILY;COUNT=4"),  # 03:30 is skipped on the 29th
        ("2026-10-23T02:30", 120, "FREQ=DAILY;COUNT=4"),  # 03:00 to 04:00 occurs twice on the 25th
        ("2026-03-16T10:00", 60, "FREQ=WEEKLY;BYDAY=WE;COUNT=3"),  # the first date is not the start
        ("2026-03-31T10:00", 60, "FREQ=MONTHLY;COUNT=3"),
    ],
)
def test_room_calendar__of_a_series_booked_by_command__shows_its_bookings(start, minutes, rule):
    sauna, ada = room("Sauna"), actor("Ada")
    wanted = BookSeries(sauna.uuid, datetime.fromisoformat(start), minutes, rule, "Plan")
    book_series(actor=ada, wanted=wanted, clock=FixedClock(NOW))
    second = Booking.objects.order_by("during")[1]
    cancel_booking(actor=ada, booking_id=second.pk, clock=FixedClock(NOW))
    booked = Booking.objects.filter(takes_slot=True).order_by("during")
    expected = [f"{b.interval.start:%m-%dT%H:%M}/{b.interval.end:%H:%M}" for b in booked]
    raw = room_calendar(sauna, ANONYMOUS, NOW)
    assert [when for when, _ in shown(parse_calendar(raw))] == expected
    assert raw.count(b"RRULE:") == 1


def test_person_calendar__date_in_another_room__has_that_room():
    ada = person("Ada")
    weekly = series_of(room("Sauna"), ada, "FREQ=WEEKLY;COUNT=2", "2026-03-16T10:00:00")
    occurrence(weekly, "2026-03-16T10:00:00")
    occurrence(weekly, "2026-03-23T10:00:00", where=room("Lounge"))
    (series,) = parse_calendar(person_calendar(ada, NOW)).series
    assert [at.event.location for at in occurrences(series, UNTIL)] == ["Sauna", "Lounge"]


def test_room_calendar__date_at_a_skipped_local_time__is_a_separate_event():
    sauna, ada = room("Sauna"), person("Ada")
    nightly = series_of(sauna, ada, "FREQ=DAILY;COUNT=3", "2026-03-28T03:30:00", 30)
    for day in (28, 29, 30):
        occurrence(nightly, f"2026-03-{day}T03:30:00")
    raw = room_calendar(sauna, ANONYMOUS, NOW)
    assert b"RECURRENCE-ID;TZID=Europe/Helsinki:20260329T033000\r\n" in raw
    assert b"DTSTART;TZID=Europe/Helsinki:20260329T043000\r\n" in raw
    assert [when for when, _ in shown(parse_calendar(raw))] == [
        "03-28T01:30/02:00", "03-29T01:30/02:00", "03-30T00:30/01:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "viewer,title",
    [("owner", "Secret"), ("admin", "Secret"), ("other", "Busy"), ("nobody", "Busy")],
)
def test_room_calendar__of_private_bookings__is_busy_for_other_people(viewer, title):
    sauna, ada = room("Sauna"), person("Ada")
    book(sauna, hours(12, 13), by=actor_of(ada), title="Secret", private=True)
    weekly = series_of(sauna, ada, "FREQ=WEEKLY;COUNT=1", "2026-03-16T10:00:00", private=True)
    occurrence(weekly, "2026-03-16T10:00:00")
    Series.objects.filter(pk=weekly.pk).update(title="Secret")
    Booking.objects.filter(series=weekly).update(title="Secret")
    viewers = {"owner": actor_of(ada), "admin": actor(role=Role.ADMIN), "other": actor(),
               "nobody": ANONYMOUS}  # fmt: skip
    raw = room_calendar(sauna, viewers[viewer], NOW)
    assert {summary for _, summary in shown(parse_calendar(raw))} == {title}
    assert (b"Secret" in raw, b"Ada" in raw, ada.email.encode() in raw) == (title == "Secret",) * 3
    assert raw.count(b"CLASS:PRIVATE") == 2


def test_private_booking_without_organizer__for_an_anonymous_viewer__is_hidden():
    sauna = room("Sauna")
    Booking.objects.create(
        room=sauna, during=(NOW, NOW + timedelta(hours=1)), local_start="2026-03-12T12:00:00",
        local_end="2026-03-12T13:00:00", title="Secret", organizer_name="Imported",
        is_private=True, state="confirmed", created_at=NOW, external_uid="x",
    )  # fmt: skip
    raw = room_calendar(sauna, ANONYMOUS, NOW)
    assert b"Secret" not in raw
    assert b"Imported" not in raw


def test_room_calendar__cancelled_or_long_past_bookings__leaves_them_out():
    sauna, ada = room("Sauna"), person("Ada")
    weekly = series_of(sauna, ada, "FREQ=WEEKLY;COUNT=1", "2025-03-17T10:00:00")
    occurrence(weekly, "2025-03-17T10:00:00")
    gone = series_of(sauna, ada, "FREQ=WEEKLY;COUNT=1", "2026-03-16T10:00:00")
    occurrence(gone, "2026-03-16T10:00:00", state=BookingState.CANCELLED)
    assert shown(parse_calendar(room_calendar(sauna, ANONYMOUS, NOW))) == []


def test_command__room_or_person__writes_that_calendar(tmp_path: Path):
    sauna, ada = room("Sauna"), person("Ada")
    tomorrow = SYSTEM_CLOCK.now().replace(microsecond=0) + timedelta(days=1)
    Booking.objects.create(
        room=sauna, during=(tomorrow, tomorrow + timedelta(hours=1)), title="Secret",
        local_start=tomorrow.isoformat()[:19], local_end=tomorrow.isoformat()[:19], organizer=ada,
        organizer_name="Ada", is_private=True, state="confirmed", created_at=NOW,
    )  # fmt: skip
    out = tmp_path / "out.ics"
    call_command("export_calendar", room="Sauna", output=out)
    assert b"SUMMARY:Busy" in out.read_bytes()
    call_command("export_calendar", person=ada.email, output=out)
    assert b"SUMMARY:Secret" in out.read_bytes()
    with pytest.raises(CommandError) as failed:
        call_command("export_calendar", room="Nowhere", output=out)
    assert failed.value.returncode == 2


def test_import_calendar__of_a_series__books_its_dates_and_applies_its_changes(tmp_path: Path):
    sauna = room("Sauna", on=floor(building(slug="hq")))
    first = (SYSTEM_CLOCK.now() + timedelta(days=7)).astimezone(HELSINKI)
    dates = [(first + timedelta(days=n)).strftime("%Y%m%dT100000") for n in range(3)]
    file = tmp_path / "in.ics"

    def import_with(more: str) -> set[tuple[str, str]]:
        # No zone and no LOCATION: the command names the room, and its building has a zone.
        file.write_text(
            f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:s\nDTSTART:{dates[0]}\nDURATION:PT1H\n"
            f"RRULE:FREQ=DAILY;COUNT=3\n{more}END:VEVENT\nEND:VCALENDAR\n"
        )
        call_command("import_calendar", str(file), room="Sauna", building="hq", json=True)
        found = Booking.objects.filter(room=sauna).order_by("during")
        return {(str(b.external_uid), b.state) for b in found}

    assert import_with("") == {(f"s#{at}", "confirmed") for at in dates}
    assert Booking.objects.first().interval.start.astimezone(HELSINKI).hour == 10
    assert import_with(f"EXDATE:{dates[1]}\n") == {
        (f"s#{dates[0]}", "confirmed"), (f"s#{dates[1]}", "cancelled"),
        (f"s#{dates[2]}", "confirmed"),
    }  # fmt: skip


def test_import_calendar__from_a_private_address__exits_2(capsys):
    with pytest.raises(CommandError, match="private network") as failed:
        call_command("import_calendar", "https://127.0.0.1/calendar.ics")
    assert failed.value.returncode == 2

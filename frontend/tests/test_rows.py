"""The row of a room on a board."""

from dataclasses import replace

import pytest

from booking.domain.privacy import BUSY_TITLE
from frontend.domain.rows import Countdown, Kind, room_row, short_name
from frontend.tests.factories import (
    NOW,
    booked_room,
    closed_room,
    free_room,
    local,
    room_by_rules,
    sensed_room,
    slot,
)
from realtime.state.live_state import RoomStatus


def test_row__free_with_a_next_booking__shows_end_and_duration() -> None:
    row = room_row(free_room(until=local(13)), NOW)
    assert (row.kind, row.word, row.line, row.sub) == (
        Kind.FREE, "Free", "until 13:00", "for 2 h 36 min",
    )  # fmt: skip
    assert (row.countdown, row.counts_to) == (Countdown.FOR, local(13))
    assert (row.name, row.meta, row.arrow, row.was) == ("Dogger", "8 seats", "left", "Was free")


def test_row__free_without_a_next_booking__shows_rest_of_the_day() -> None:
    row = room_row(free_room(), NOW)
    assert (row.line, row.countdown) == ("rest of the day", None)


def test_row__occupied__shows_the_title() -> None:
    row = room_row(booked_room(RoomStatus.OCCUPIED, local(11, 30)), NOW)
    assert (row.kind, row.word, row.line, row.sub) == (
        Kind.BUSY, "Busy", "until 11:30", "Design critique",
    )  # fmt: skip


def test_row__occupied_with_a_hidden_title__has_no_second_line() -> None:
    row = room_row(booked_room(RoomStatus.OCCUPIED, local(11, 30), title=BUSY_TITLE), NOW)
    assert row.sub == ""


def test_row__people_sensed_without_a_booking__shows_busy_now() -> None:
    row = room_row(sensed_room(), NOW)
    assert (row.word, row.line, row.sub) == ("Busy", "now", "no booking")


def test_row__ending__counts_down_to_free() -> None:
    row = room_row(booked_room(RoomStatus.ENDING, local(10, 30)), NOW)
    assert (row.kind, row.word, row.line, row.sub) == (
        Kind.SOON, "Busy", "until 10:30", "free in 6 min",
    )  # fmt: skip
    assert row.countdown is Countdown.IN


def test_row__reserved__shows_waiting_for_the_booking() -> None:
    row = room_row(booked_room(RoomStatus.RESERVED, local(10, 30), title="Pricing"), NOW)
    assert (row.kind, row.word, row.line, row.sub) == (
        Kind.WAIT, "Waiting", "until 10:30", "for Pricing",
    )  # fmt: skip


def test_row__reserved_with_a_hidden_title__shows_no_check_in_yet() -> None:
    row = room_row(booked_room(RoomStatus.RESERVED, local(10, 30), title=BUSY_TITLE), NOW)
    assert row.sub == "no check-in yet"


def test_row__out_of_service__shows_the_reason() -> None:
    row = room_row(closed_room(local(15)), NOW)
    assert (row.kind, row.word, row.line, row.sub) == (
        Kind.OFF, "Closed", "until 15:00", "Screen being repaired",
    )  # fmt: skip


def test_row__out_of_service_until_further_notice__shows_no_time() -> None:
    assert room_row(closed_room(None), NOW).line == ""


@pytest.mark.parametrize(
    ("until", "line"),
    [(local(18), "until 18:00"), (local(8, day=16), "until Mon 08:00"), (None, "")],
)
def test_row__outside_opening_hours__is_closed_until_it_opens(until, line) -> None:
    row = room_row(room_by_rules("outside_opening_hours", until), NOW)
    assert (row.kind, row.word, row.line, row.sub) == (
        Kind.OFF, "Closed", line, "outside opening hours",
    )  # fmt: skip
    assert (row.was, row.countdown) == ("Was closed", None)


def test_row__too_little_time_before_a_booking__is_busy_from_its_start() -> None:
    coming = slot(local(10, 30), local(11), "Budget")
    row = room_row(room_by_rules("slot_taken", local(11), coming), NOW)
    assert (row.kind, row.word, row.line, row.sub) == (
        Kind.BUSY, "Busy", "from 10:30", "Budget",
    )  # fmt: skip
    hidden = slot(local(10, 30), local(11), BUSY_TITLE)
    assert room_row(room_by_rules("slot_taken", None, hidden), NOW).sub == ""


def test_row__gap_after_a_booking__is_busy_until_the_gap_ends() -> None:
    later = slot(local(12), local(13))
    row = room_row(room_by_rules("gap_too_short", local(10, 30), later), NOW)
    assert (row.kind, row.word, row.line, row.sub) == (
        Kind.BUSY, "Busy", "until 10:30", "being prepared",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("refusal", "sub"),
    [
        ("too_short_notice", "only booked ahead"),
        ("day_taken", "one booking a day"),
        ("out_of_service", "out of service soon"),
        ("too_far_ahead", ""),
    ],
)
def test_row__other_violation__is_closed_and_names_the_rule(refusal, sub) -> None:
    row = room_row(room_by_rules(refusal, None), NOW)
    assert (row.kind, row.word, row.sub) == (Kind.OFF, "Closed", sub)


@pytest.mark.parametrize(
    ("until", "line"),
    [
        (local(9, day=13), "until Fri 09:00"),
        (local(9, day=16), "until Mon 09:00"),
        (local(9, day=18), "until Wed 09:00"),
        (local(9, day=19), "until 19 Nov"),
    ],
)
def test_row__time_on_another_day__shows_the_day(until, line) -> None:
    assert room_row(closed_room(until), NOW).line == line


def test_row__room_in_another_zone__shows_its_own_time() -> None:
    state = replace(free_room(until=local(13)), timezone="Europe/Lisbon")
    assert room_row(state, NOW).line == "until 12:00"


def test_row__next_day_in_the_rooms_zone__depends_on_the_local_day() -> None:
    state = replace(free_room(until=local(18)), timezone="Asia/Singapore")
    assert room_row(state, local(17, 30)).line == "until 01:00"
    assert room_row(state, local(10)).line == "until Fri 01:00"


def test_row__booking_ends_now__never_shows_zero_minutes() -> None:
    row = room_row(booked_room(RoomStatus.ENDING, local(10, 30)), local(10, 30))
    assert row.sub == "free in 1 min"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("K.1.105 (La Fontaine)", ("K.1.105", "La Fontaine")),
        ("Dogger", ("Dogger", "")),
        ("(odd)", ("(odd)", "")),
        ("A (b) c", ("A (b) c", "")),
    ],
)
def test_short_name__parenthesised_tail__becomes_the_detail(name, parts) -> None:
    assert short_name(name) == parts


def test_row__one_seat__is_singular() -> None:
    assert room_row(replace(free_room(), capacity=1), NOW).meta == "1 seat"


def test_row__long_name__is_marked_as_long() -> None:
    assert room_row(free_room("Conference Room West"), NOW).is_long
    assert not room_row(free_room("K.1.105 (La Fontaine)"), NOW).is_long

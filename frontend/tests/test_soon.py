"""The next bookings of a building."""

from dataclasses import replace

import pytest

from booking.domain.privacy import BUSY_TITLE
from frontend.domain.soon import floor_label, free_count, soon, upcoming
from frontend.tests.factories import NOW, booked_room, free_room, local, room_with_starts, slot
from realtime.state.live_state import RoomStatus


def test_soon__several_rooms__gives_the_first_three_in_order() -> None:
    states = [
        room_with_starts("Humber", slot(local(11, 30), local(12), "Late")),
        room_with_starts(
            "K.1.105 (La Fontaine)",
            slot(local(10, 45), local(11), "Early"),
            slot(local(11), local(11, 10), "Middle"),
            slot(local(12), local(13), "Fourth"),
        ),
    ]
    starts = soon(states, NOW)
    assert [(start.time, start.title, start.room) for start in starts] == [
        ("10:45", "Early", "K.1.105"),
        ("11:00", "Middle", "K.1.105"),
        ("11:30", "Late", "Humber"),
    ]
    assert starts[0].floor == "floor 2"


def test_soon__start_after_two_hours__is_left_out() -> None:
    states = [room_with_starts("Humber", slot(local(12, 30), local(13)))]
    assert soon(states, NOW) == ()
    assert len(upcoming(states, NOW)) == 1


def test_soon__running_booking__is_left_out() -> None:
    assert soon([room_with_starts("Humber", slot(local(10), local(11)))], NOW) == ()


def test_soon__hidden_title__is_left_out() -> None:
    states = [room_with_starts("Humber", slot(local(11), local(12), BUSY_TITLE))]
    assert soon(states, NOW)[0].title == ""


def test_soon__other_zone__shows_the_rooms_own_time() -> None:
    state = room_with_starts("Iron", slot(local(11), local(12)))
    assert soon([replace(state, timezone="Europe/Lisbon")], NOW)[0].time == "10:00"


def test_free_count__only_free_rooms__count() -> None:
    busy = booked_room(RoomStatus.ENDING, local(10, 30))
    assert free_count([free_room(), free_room("Lundy"), busy]) == 2


@pytest.mark.parametrize(
    ("slug", "label"),
    [
        ("harbour-house-2", "floor 2"),
        ("harbour-house-0", "ground floor"),
        ("harbour-house--1", "floor -1"),
        ("harbour-house-mezzanine", "mezzanine"),
        ("2", "floor 2"),
    ],
)
def test_floor_label__slug__becomes_words(slug, label) -> None:
    assert floor_label(replace(free_room(), floor=slug)) == label

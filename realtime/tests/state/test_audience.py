"""Redaction for staff: only private bookings are hidden, in every part of the schedule."""

import pytest

from booking.domain.privacy import BUSY_TITLE
from booking.tests.factories import at
from realtime.state.audience import redact
from realtime.state.live_state import Audience, Schedule
from realtime.tests.factories import live, seen, slot

RETRO = slot(at(9), at(11))
SECRET = slot(at(11), at(12), title="Merger", private=True)


def test_redact__staff_and_nothing_private__returns_the_same_state():
    state = live(schedule=Schedule(1, (RETRO,), RETRO), occupancy=seen(3))
    assert redact(state, Audience.STAFF) is state


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(1, (RETRO, SECRET)),
        Schedule(1, (), SECRET),
        Schedule(1, (RETRO,), RETRO, SECRET),
    ],
)
def test_redact__staff_and_one_private__hides_it(schedule: Schedule):
    shown = redact(live(schedule=schedule), Audience.STAFF).schedule
    slots = [value for value in (*shown.agenda, shown.current, shown.next) if value]
    assert {(value.title, value.organizer) for value in slots if value.private} == {
        (BUSY_TITLE, "")
    }
    assert {value.title for value in slots if not value.private} <= {"Retro"}

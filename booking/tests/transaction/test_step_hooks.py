"""A booking command reaches its named steps in order, and only tests install hooks."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from booking.commands.book_room import BookRooms, book_room
from booking.domain.errors import SlotTakenError
from booking.models import Booking, IdempotencyReceipt
from booking.tests.factories import NOW, hours
from booking.transaction.step_hooks import Step, hooked, install
from identity.tests.factories import actor
from meeting_rooms.kernel.clock import FixedClock
from rooms.tests.factories import room

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]
PRODUCT = ("booking", "frontend", "identity", "infra", "meeting_rooms", "realtime", "rooms")
SLOT = hours(11, 12)


class KilledError(Exception):
    """Ends a command at the step of its hook."""


def stop(_snap):
    raise KilledError


def booked(place, key=None):
    wanted = BookRooms.one(place.uuid, SLOT)
    return book_room(actor=actor(), wanted=wanted, idempotency_key=key, clock=FixedClock(NOW))


def test_steps__of_a_booking__are_reached_in_order_with_the_snapshot():
    place, reached = room(), []
    with ExitStack() as hooks:
        for step in Step:
            note = lambda snap, step=step: reached.append((step, snap and snap.now))  # noqa: E731
            hooks.enter_context(hooked(step, note))
        booked(place, "a key")
    first, *others = Step
    assert reached == [(first, None), *((step, NOW) for step in others)]
    booked(room())
    assert len(reached) == len(Step), "a hook stays no longer than its block"


def test_steps__of_a_refused_booking__end_before_the_write():
    place, reached = room(), []
    booked(place)
    with (
        hooked(Step.SNAPSHOT_READ, reached.append),
        hooked(Step.BEFORE_WRITE, reached.append),
        pytest.raises(SlotTakenError),
    ):
        booked(place)
    assert len(reached) == 1


@pytest.mark.parametrize("step", Step)
def test_command__ended_at_a_step__has_stored_all_or_nothing(step):
    with hooked(step, stop), pytest.raises(KilledError):
        booked(room(), "a key")
    stored = Booking.objects.count(), IdempotencyReceipt.objects.count()
    assert stored == ((1, 1) if step is Step.COMMITTED else (0, 0))


def test_install__second_hook_of_a_step__is_refused():
    with hooked(Step.BEFORE_WRITE, stop), pytest.raises(RuntimeError, match="already"):
        install(Step.BEFORE_WRITE, stop)


def test_hooks__in_the_product__are_used_by_the_unit_of_work_only():
    files = [path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py")]
    product = [path for path in files if "tests" not in path.parts]
    users = {path.name for path in product if "step_hooks" in path.read_text()}
    assert users == {"unit_of_work.py"}

"""Each command against each other command over one slot, and each against itself."""

from collections.abc import Callable

import pytest

from booking.tests.races import ROUNDS
from booking.tests.races.checks import faults
from booking.tests.races.commands import COMMANDS
from booking.tests.races.guards import without_any_guard
from booking.tests.races.race_fixture import Cast, Scene
from booking.tests.races.race_threads import OVERTAKEN_AT, Ring, ring_of
from booking.transaction.step_hooks import Step
from rooms.tests.factories import floor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60 + 2 * ROUNDS)]
NAMES = list(COMMANDS)
HARMLESS = {"reopen"}  # what it writes, nobody else's decision is made from
Meeting = Callable[[Ring, Callable[[], object], Callable[[], object]], list[object]]


def overtaken(where: Step) -> Meeting:
    return lambda ring, slow, fast: ring.overtaken(slow, fast, where)


def opponents_of(name: str) -> list[str]:
    """Return every command; in the ordinary test run every eighth, other ones for each."""
    step = 1 if ROUNDS > 3 else 8
    return NAMES[NAMES.index(name) % step :: step]


def found_wrong(name: str, others: list[str], meet: Meeting, rounds: int) -> dict[str, list[str]]:
    """Race the command against the others; return by pair what its first bad round got wrong."""
    cast, on, found = Cast(), floor(), {}
    with ring_of(2) as ring:
        for other in others:
            racers = COMMANDS[name], COMMANDS[other]
            if not racers[0].can_meet(racers[1]):
                continue
            needs = {need for racer in racers for need in racer.needs}
            for number, scene in enumerate(Scene.each(cast, on, needs, rounds)):
                outcomes = meet(ring, *(racer.on(scene) for racer in racers))
                wrong = faults(scene.before, outcomes)
                if wrong:
                    found[f"{name} / {other}, round {number + 1}"] = wrong
                    break
    return found


@pytest.mark.parametrize("name", NAMES)
def test_at_once__with_every_other_command__is_consistent(name):
    others = [other for other in opponents_of(name) if other >= name]
    assert found_wrong(name, others, Ring.at_once, ROUNDS) == {}


@pytest.mark.parametrize("where", OVERTAKEN_AT)
@pytest.mark.parametrize("name", NAMES)
def test_overtaken__by_every_other_command__is_consistent(name, where):
    assert found_wrong(name, opponents_of(name), overtaken(where), 1) == {}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in HARMLESS])
def test_negative_control__overtaken_without_any_guard__goes_wrong(name):
    with without_any_guard():
        for other in NAMES:
            if found_wrong(name, [other], overtaken(Step.BEFORE_WRITE), 1):
                return
    pytest.fail("nothing went wrong without the guards, so the tests above show nothing")

"""Each command against each other command over one slot, and each against itself."""

from collections.abc import Callable

import pytest

from booking.tests.races import ROUNDS
from booking.tests.races.checks import faults
from booking.tests.races.commands import COMMANDS
from booking.tests.races.guards import without_any_guard
from booking.tests.races.race_fixture import Cast, Scene
from booking.tests.races.race_threads import OVERTAKEN_AT, RaceThreads, open_race_threads
from booking.transaction.step_hooks import Step
from rooms.tests.factories import floor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60 + 2 * ROUNDS)]
NAMES = list(COMMANDS)
HARMLESS = {"reopen"}  # no other command decides by the rows that it writes
RaceMethod = Callable[[RaceThreads, Callable[[], object], Callable[[], object]], list[object]]


def overtaken(where: Step) -> RaceMethod:
    return lambda race_threads, slow, fast: race_threads.overtaken(slow, fast, where)


def opponents_of(name: str) -> list[str]:
    """Return the opponents: all commands, or an eighth of all commands in the ordinary test run."""
    step = 1 if ROUNDS > 3 else 8
    return NAMES[NAMES.index(name) % step :: step]


def faults_by_pair(
    name: str, others: list[str], run_pair: RaceMethod, rounds: int
) -> dict[str, list[str]]:
    """Race the command against each opponent; return the faults of the first bad round, by pair."""
    cast, on, found = Cast(), floor(), {}
    with open_race_threads(2) as race_threads:
        for other in others:
            racers = COMMANDS[name], COMMANDS[other]
            if not racers[0].can_meet(racers[1]):
                continue
            needs = {need for racer in racers for need in racer.needs}
            for number, scene in enumerate(Scene.each(cast, on, needs, rounds)):
                outcomes = run_pair(race_threads, *(racer.on(scene) for racer in racers))
                round_faults = faults(scene.before, outcomes)
                if round_faults:
                    found[f"{name} / {other}, round {number + 1}"] = round_faults
                    break
    return found


@pytest.mark.parametrize("name", NAMES)
def test_at_once__with_every_other_command__is_consistent(name):
    others = [other for other in opponents_of(name) if other >= name]
    assert faults_by_pair(name, others, RaceThreads.at_once, ROUNDS) == {}


@pytest.mark.parametrize("where", OVERTAKEN_AT)
@pytest.mark.parametrize("name", NAMES)
def test_overtaken__by_every_other_command__is_consistent(name, where):
    assert faults_by_pair(name, opponents_of(name), overtaken(where), 1) == {}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in HARMLESS])
def test_negative_control__overtaken_without_any_guard__is_inconsistent(name):
    with without_any_guard():
        for other in NAMES:
            if faults_by_pair(name, [other], overtaken(Step.BEFORE_WRITE), 1):
                return
    pytest.fail("nothing went wrong without the guards, so the tests above show nothing")

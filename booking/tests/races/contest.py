"""A race of several commands over several rounds, and helpers that check its outcomes."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from booking.tests.factories import book, hours
from booking.tests.races import ROUNDS
from booking.tests.races.checks import faults
from booking.tests.races.race_fixture import Cast, Scene
from booking.tests.races.race_threads import RaceThreads, open_race_threads
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.interval import Interval
from rooms.models import Building
from rooms.tests.factories import floor, policy

SLOT = hours(11, 12)


class Contest:
    """The cast, the floor and the threads of a race, and a new scene for each round."""

    def __init__(self, race_threads: RaceThreads) -> None:
        self.race_threads, self.cast, self.place = race_threads, Cast(), floor()

    def rounds(self, *needs: str, of: int = ROUNDS) -> Iterator[Scene]:
        yield from Scene.each(self.cast, self.place, needs, of)

    def race(self, scene: Scene, *commands) -> list[object]:
        """Run the commands at once and return their outcomes; assert that no fault is found."""
        outcomes = self.race_threads.at_once(*commands)
        found = self.faults(scene, outcomes)
        assert not found, "\n".join(found)
        return outcomes

    def faults(self, scene: Scene, outcomes: list[object]) -> list[str]:
        return faults(scene.before, outcomes)


@contextmanager
def contest_of(size: int) -> Iterator[Contest]:
    with open_race_threads(size) as race_threads:
        yield Contest(race_threads)


def accepted(outcomes: list[object]) -> list[object]:
    return [outcome for outcome in outcomes if not isinstance(outcome, Exception)]


def of_type(outcomes: list[object], kind: type) -> list[object]:
    return [outcome for outcome in outcomes if isinstance(outcome, kind)]


def booking(
    scene: Scene, who: Actor, slot: Interval = SLOT, key: str | None = None
) -> Callable[[], object]:
    return lambda: book(scene.room, slot, by=who, key=key)


@contextmanager
def without_each(guards: Iterable[Callable[[], AbstractContextManager[None]]]) -> Iterator[None]:
    """Remove these guards."""
    with ExitStack() as removed:
        for guard in guards:
            removed.enter_context(guard())
        yield


def one_booking_a_day(of: Building) -> None:
    """Allow each person one booking a day in this building."""
    policy(of).quotas.create(period="day", max_count=1)

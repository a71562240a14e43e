"""A race of many commands over so many rounds, and what is asked of its outcomes."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from booking.tests.factories import book, hours
from booking.tests.races import ROUNDS
from booking.tests.races.checks import faults
from booking.tests.races.race_fixture import Cast, Scene
from booking.tests.races.race_threads import Ring, ring_of
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.interval import Interval
from rooms.models import Building
from rooms.tests.factories import floor, policy

SLOT = hours(11, 12)


class Contest:
    """A cast, a place and a ring, and a fresh scene for each round."""

    def __init__(self, ring: Ring) -> None:
        self.ring, self.cast, self.place = ring, Cast(), floor()

    def rounds(self, *needs: str, of: int = ROUNDS) -> Iterator[Scene]:
        yield from Scene.each(self.cast, self.place, needs, of)

    def met(self, scene: Scene, *commands) -> list[object]:
        """Run the commands at once; nothing may be inconsistent afterwards."""
        outcomes = self.ring.at_once(*commands)
        found = self.faults(scene, outcomes)
        assert not found, "\n".join(found)
        return outcomes

    def faults(self, scene: Scene, outcomes: list[object]) -> list[str]:
        return faults(scene.before, outcomes)


@contextmanager
def contest_of(size: int) -> Iterator[Contest]:
    with ring_of(size) as ring:
        yield Contest(ring)


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
    """Take these guards away."""
    with ExitStack() as taken:
        for guard in guards:
            taken.enter_context(guard())
        yield


def one_booking_a_day(of: Building) -> None:
    """Let nobody book more than once a day in this building."""
    policy(of).quotas.create(period="day", max_count=1)

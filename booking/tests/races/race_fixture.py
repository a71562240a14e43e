"""The fixture of a race: new rooms, people, and the bookings that its commands need."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from booking.commands.cancel_booking import cancel_booking
from booking.commands.check_in import check_in
from booking.commands.hold_slot import hold_slot
from booking.commands.waitlist import wait_for_slot
from booking.domain.booking_data import BookingData
from booking.models import Booking, WaitingEntry, as_range
from booking.series.book_series import BookSeries, book_series
from booking.series.domain.series_data import SeriesReport
from booking.tests.factories import NOW, at, book, hours
from booking.tests.races.checks import Before
from identity.models import Role
from identity.tests.factories import actor
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.interval import Interval
from rooms.models import Closure, Floor, Room
from rooms.policies.cache import room_policies
from rooms.tests.factories import rooms

HELSINKI = ZoneInfo("Europe/Helsinki")
SLOT, DEFAULT_NOW = hours(11, 12), at(10, 55)


@dataclass
class Cast:
    """The people of a race; they stay the same from round to round."""

    ann: Actor = field(default_factory=actor)  # has booked the slot
    bob: Actor = field(default_factory=actor)  # has the booking that is moved into the slot
    cleo: Actor = field(default_factory=actor)  # has no booking at first
    dan: Actor = field(default_factory=actor)  # is on the waitlist
    admin: Actor = field(default_factory=lambda: actor(role=Role.ADMIN))


class Scene:
    """New rooms with only the bookings that the commands of one round need."""

    @classmethod
    def each(cls, cast: Cast, on: Floor, needs: Collection[str], rounds: int) -> Iterator["Scene"]:
        """Return a scene for each round; all rooms are made, and all policies read, beforehand."""
        made = rooms(3 * rounds, on=on)
        room_policies([room.uuid for room in made])
        for offset in range(0, len(made), 3):
            yield cls(cast, made[offset : offset + 3], needs)

    def __init__(self, cast: Cast, rooms: Sequence[Room], needs: Collection[str]) -> None:
        self.cast = replace(cast, cleo=actor())  # the number of holds per person is limited
        # Close the waitlist entries of earlier rounds.
        WaitingEntry.objects.filter(closed_at=None).update(closed_at=NOW)
        self.room, self.other, self.third = self.rooms = list(rooms)
        for name, build in SETUPS.items():
            if name in needs:
                setattr(self, name, build(self))
        self.before = Before.race(self.rooms)


def _cancelled(scene: Scene) -> BookingData:
    facts = book(scene.room, SLOT, by=scene.cast.ann)
    return cancel_booking(actor=scene.cast.ann, booking_id=facts.id, clock=FixedClock(NOW))


def _pending(scene: Scene) -> Booking:
    return Booking.objects.create(
        room=scene.room, during=as_range(SLOT), title="Please", organizer_name="Bob",
        organizer_id=scene.cast.bob.user_id, state="pending", takes_slot=False, created_at=NOW,
        local_start="2026-03-12T13:00:00", local_end="2026-03-12T14:00:00",
    )  # fmt: skip


def _earlier(scene: Scene) -> BookingData:
    facts = book(scene.room, Interval(at(10, 30), at(11)), by=scene.cast.bob)
    return check_in(actor=scene.cast.bob, booking_id=facts.id, clock=FixedClock(at(10, 30)))


def _arrived(scene: Scene) -> BookingData:
    facts = scene.occupant
    return check_in(actor=scene.cast.ann, booking_id=facts.id, clock=FixedClock(at(10, 50)))


def _wait_for_the_slot(scene: Scene) -> object:
    return wait_for_slot(
        actor=scene.cast.dan, room=scene.room.uuid, interval=SLOT, clock=FixedClock(NOW)
    )


def book_daily(scene: Scene, who: Actor, clock: FixedClock) -> SeriesReport:
    """Book the slot and the same hours of the next day."""
    first = SLOT.start.astimezone(HELSINKI).replace(tzinfo=None)
    wanted = BookSeries(scene.room.uuid, first, 60, "FREQ=DAILY;COUNT=2")
    return book_series(actor=who, wanted=wanted, clock=clock)


SETUPS: dict[str, Callable[[Scene], object]] = {
    "cancelled": _cancelled,
    "pending": _pending,
    "request": _pending,
    "earlier": _earlier,
    "later": lambda scene: book(scene.room, hours(14, 15), by=scene.cast.bob),
    "elsewhere": lambda scene: book(scene.other, SLOT, by=scene.cast.bob),
    "closure": lambda scene: Closure.objects.create(
        room=scene.room, starts_at=at(18), ends_at=at(19), reason="Painting"
    ),
    "occupant": lambda scene: book(scene.room, SLOT, by=scene.cast.ann),
    "arrived": _arrived,
    "in_line": _wait_for_the_slot,
    "held": lambda scene: hold_slot(
        actor=scene.cast.cleo, room=scene.room.uuid, interval=SLOT, clock=FixedClock(at(10, 54))
    ),
    "series": lambda scene: book_daily(scene, scene.cast.ann, FixedClock(NOW)),
}


SETUPS_WITH_THE_SLOT = {"occupant", "held", "series"}  # each takes the slot


@dataclass(frozen=True)
class Racer:
    """A command, the setups that the command needs, and the time at which it runs."""

    run: Callable[[Scene, FixedClock], object]
    needs: tuple[str, ...] = ()
    now: datetime = DEFAULT_NOW

    def can_meet(self, other: "Racer") -> bool:
        """Return whether both can be set up: at most one setup can take the slot."""
        return len(SETUPS_WITH_THE_SLOT & {*self.needs, *other.needs}) <= 1

    def on(self, scene: Scene) -> Callable[[], object]:
        return lambda: self.run(scene, FixedClock(self.now))

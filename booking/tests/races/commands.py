"""Every booking command, each set up to want or change the slot from 11 to 12 of one room."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from booking.domain.facts import BookingFacts
from booking.models import Booking, WaitingEntry, as_range
from booking.services.book_room import BookRooms, book_rooms
from booking.services.cancel_booking import cancel_booking
from booking.services.check_in import check_in
from booking.services.close_room import CloseRoom, Fate, close_room, reopen_room
from booking.services.decide_request import approve_booking, reject_booking
from booking.services.divide_hall import divide_hall
from booking.services.edit_booking import BookingEdit, edit_booking
from booking.services.end_booking import end_booking
from booking.services.extend_booking import extend_booking
from booking.services.import_event import CalendarEvent, import_event
from booking.services.restore_booking import restore_booking
from booking.services.settle_room import settle_room
from booking.services.swap_rooms import swap_rooms
from booking.services.wait_for_slot import wait_for_slot
from booking.tests.factories import NOW, at, book, hours
from booking.tests.races.checks import Before
from identity.models import Role
from identity.tests.factories import actor
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.interval import Interval
from rooms.models import Closure, Floor, Room
from rooms.tests.factories import room

SLOT, USUALLY = hours(11, 12), at(10, 55)
_numbers = count(1)


@dataclass
class Cast:
    """The people of a race; they stay the same from round to round."""

    ann: Actor = field(default_factory=actor)  # has the slot
    bob: Actor = field(default_factory=actor)  # has what is moved into it
    cleo: Actor = field(default_factory=actor)  # comes new
    dan: Actor = field(default_factory=actor)  # waits in line
    admin: Actor = field(default_factory=lambda: actor(role=Role.ADMIN))


class Scene:
    """Fresh rooms with what the commands of one round are about, and nothing else."""

    def __init__(self, cast: Cast, on: Floor, needs: Collection[str]) -> None:
        self.cast = cast
        WaitingEntry.objects.filter(closed_at=None).update(closed_at=NOW)  # of earlier rounds
        self.room, self.other, self.third = (room(on=on) for _ in range(3))
        self.rooms = [self.room, self.other, self.third]
        for name, build in SETUPS.items():
            if name in needs:
                setattr(self, name, build(self))
        self.before = Before.race(self.rooms)


def _cancelled(scene: Scene) -> BookingFacts:
    facts = book(scene.room, SLOT, by=scene.cast.ann)
    return cancel_booking(actor=scene.cast.ann, booking_id=facts.id, clock=FixedClock(NOW))


def _pending(scene: Scene) -> Booking:
    return Booking.objects.create(
        room=scene.room, during=as_range(SLOT), title="Please", organizer_name="Bob",
        organizer_id=scene.cast.bob.user_id, state="pending", takes_slot=False, created_at=NOW,
        local_start="2026-03-12T13:00:00", local_end="2026-03-12T14:00:00",
    )  # fmt: skip


def _earlier(scene: Scene) -> BookingFacts:
    facts = book(scene.room, Interval(at(10, 30), at(11)), by=scene.cast.bob)
    return check_in(actor=scene.cast.bob, booking_id=facts.id, clock=FixedClock(at(10, 30)))


def _arrived(scene: Scene) -> BookingFacts:
    facts = scene.occupant
    return check_in(actor=scene.cast.ann, booking_id=facts.id, clock=FixedClock(at(10, 50)))


def _in_line(scene: Scene) -> object:
    return wait_for_slot(
        actor=scene.cast.dan, room=scene.room.uuid, interval=SLOT, clock=FixedClock(NOW)
    )


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
    "in_line": _in_line,
}


@dataclass(frozen=True)
class Racer:
    """A command, what it needs to be there, and what time it is for it."""

    run: Callable[[Scene, FixedClock], object]
    needs: tuple[str, ...] = ()
    now: datetime = USUALLY

    def on(self, scene: Scene) -> Callable[[], object]:
        return lambda: self.run(scene, FixedClock(self.now))


def _book(scene: Scene, clock: FixedClock, *rooms: Room) -> object:
    wanted = BookRooms(tuple(each.uuid for each in rooms), SLOT)
    return book_rooms(actor=scene.cast.cleo, wanted=wanted, clock=clock)


def _edit(by: str, what: str, make: Callable[[Scene], BookingEdit]) -> Callable[..., object]:
    def run(scene: Scene, clock: FixedClock) -> object:
        return edit_booking(
            actor=getattr(scene.cast, by),
            booking_id=getattr(scene, what).id,
            edit=make(scene),
            clock=clock,
        )

    return run


def _close(scene: Scene, clock: FixedClock) -> object:
    wanted = CloseRoom(scene.room.uuid, SLOT.start, SLOT.end, "Painting", {
        each.id: Fate.CANCEL for each in [getattr(scene, "occupant", None)] if each
    })  # fmt: skip
    return close_room(actor=scene.cast.admin, wanted=wanted, clock=clock)[1]


def _close_moving(scene: Scene, clock: FixedClock) -> object:
    fates = {scene.occupant.id: scene.third.uuid}
    wanted = CloseRoom(scene.room.uuid, SLOT.start, SLOT.end, "Painting", fates)
    return close_room(actor=scene.cast.admin, wanted=wanted, clock=clock)[1]


def _import(scene: Scene, clock: FixedClock) -> object:
    event = CalendarEvent(
        f"uid-{next(_numbers)}", scene.room.uuid, SLOT, "Talk", "Eve", False, False
    )
    return import_event(actor=scene.cast.admin, event=event, clock=clock)


COMMANDS: dict[str, Racer] = {
    "book": Racer(lambda s, c: _book(s, c, s.room)),
    "book two rooms": Racer(lambda s, c: _book(s, c, s.other, s.room)),
    "cancel": Racer(
        lambda s, c: cancel_booking(actor=s.cast.ann, booking_id=s.occupant.id, clock=c),
        ("occupant",),
    ),
    "cancel with a line": Racer(
        lambda s, c: cancel_booking(actor=s.cast.ann, booking_id=s.occupant.id, clock=c),
        ("occupant", "in_line"),
    ),
    "check in": Racer(
        lambda s, c: check_in(actor=s.cast.ann, booking_id=s.occupant.id, clock=c), ("occupant",)
    ),
    "end": Racer(
        lambda s, c: end_booking(actor=s.cast.ann, booking_id=s.occupant.id, clock=c),
        ("occupant", "arrived"),
        at(11, 5),
    ),
    "release": Racer(
        lambda s, c: settle_room(room=s.room.uuid, clock=c), ("occupant",), at(11, 10)
    ),
    "move away": Racer(
        _edit("ann", "occupant", lambda s: BookingEdit(interval=hours(16, 17))), ("occupant",)
    ),
    "move away and to another room": Racer(
        _edit("ann", "occupant", lambda s: BookingEdit(hours(16, 17), s.third.uuid)), ("occupant",)
    ),
    "retitle": Racer(_edit("ann", "occupant", lambda s: BookingEdit(title="New")), ("occupant",)),
    "move in": Racer(_edit("bob", "later", lambda s: BookingEdit(interval=SLOT)), ("later",)),
    "move in from another room": Racer(
        _edit("bob", "elsewhere", lambda s: BookingEdit(room=s.room.uuid)), ("elsewhere",)
    ),
    "extend": Racer(
        lambda s, c: extend_booking(
            actor=s.cast.bob, booking_id=s.earlier.id, minutes=30, clock=c
        ),
        ("earlier",),
    ),
    "restore": Racer(
        lambda s, c: restore_booking(actor=s.cast.ann, booking_id=s.cancelled.id, clock=c),
        ("cancelled",),
        at(10, 2),
    ),
    "approve": Racer(
        lambda s, c: approve_booking(actor=s.cast.admin, booking_id=s.pending.id, clock=c),
        ("pending",),
    ),
    "approve the other": Racer(
        lambda s, c: approve_booking(actor=s.cast.admin, booking_id=s.request.id, clock=c),
        ("pending", "request"),
    ),
    "reject": Racer(
        lambda s, c: reject_booking(
            actor=s.cast.admin, booking_id=s.pending.id, reason="No", clock=c
        ),
        ("pending",),
    ),
    "move a request": Racer(
        _edit("bob", "pending", lambda s: BookingEdit(interval=hours(11, 13))), ("pending",)
    ),
    "swap": Racer(
        lambda s, c: swap_rooms(
            actor=s.cast.admin, booking_id=s.occupant.id, other_id=s.elsewhere.id, clock=c
        ),
        ("occupant", "elsewhere"),
    ),
    "import": Racer(_import),
    "close": Racer(_close),
    "close and move": Racer(_close_moving, ("occupant",)),
    "reopen": Racer(
        lambda s, c: reopen_room(actor=s.cast.admin, closure_id=s.closure.pk, clock=c),
        ("closure",),
    ),
    "wait": Racer(
        lambda s, c: wait_for_slot(
            actor=s.cast.dan, room=s.room.uuid, interval=SLOT, clock=c
        ),
    ),
    "divide": Racer(
        lambda s, c: divide_hall(
            actor=s.cast.admin, hall=s.other.uuid, cells=2,
            parts={s.room.uuid: (1, 1), s.third.uuid: (2, 2)}, clock=c,
        ),
    ),
}  # fmt: skip

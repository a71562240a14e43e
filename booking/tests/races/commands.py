"""Every booking command, prepared to take or change the slot from 11 to 12 of one room."""

from collections.abc import Callable
from datetime import time
from itertools import count

from booking.commands.approve_booking import approve_booking, reject_booking
from booking.commands.book_room import BookRooms, book_rooms
from booking.commands.cancel_booking import cancel_booking
from booking.commands.check_in import check_in
from booking.commands.close_room import CloseRoom, Fate, close_room, reopen_room
from booking.commands.divide_hall import divide_hall
from booking.commands.edit_booking import BookingEdit, edit_booking
from booking.commands.end_booking import end_booking
from booking.commands.expire_due_bookings import expire_due_bookings
from booking.commands.extend_booking import extend_booking
from booking.commands.hold_slot import hold_slot
from booking.commands.release_hold import release_hold
from booking.commands.renew_hold import renew_hold
from booking.commands.restore_booking import restore_booking
from booking.commands.swap_rooms import swap_rooms
from booking.commands.waitlist import wait_for_slot
from booking.exchange.import_event import import_event
from booking.series.cancel_series import cancel_series
from booking.series.edit_series import SeriesEdit, edit_series
from booking.tests.factories import at, calendar_event, hours
from booking.tests.races.race_fixture import SLOT, Racer, Scene, book_daily
from meeting_rooms.kernel.clock import FixedClock
from rooms.models import Room

_numbers = count(1)


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
    actions = {scene.occupant.id: scene.third.uuid}
    wanted = CloseRoom(scene.room.uuid, SLOT.start, SLOT.end, "Painting", actions)
    return close_room(actor=scene.cast.admin, wanted=wanted, clock=clock)[1]


def _import(scene: Scene, clock: FixedClock) -> object:
    event = calendar_event(f"uid-{next(_numbers)}", SLOT)
    return import_event(actor=scene.cast.admin, room=scene.room.uuid, event=event, clock=clock)


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
        lambda s, c: expire_due_bookings(room=s.room.uuid, clock=c), ("occupant",), at(11, 10)
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
    "hold": Racer(
        lambda s, c: hold_slot(actor=s.cast.cleo, room=s.room.uuid, interval=SLOT, clock=c),
    ),
    "book what is held": Racer(lambda s, c: _book(s, c, s.room), ("held",)),
    "renew a hold": Racer(
        lambda s, c: renew_hold(actor=s.cast.cleo, hold=s.held.id, clock=c), ("held",)
    ),
    "let a hold go": Racer(
        lambda s, c: release_hold(actor=s.cast.cleo, hold=s.held.id, clock=c), ("held",)
    ),
    "a hold runs out": Racer(
        lambda s, c: expire_due_bookings(room=s.room.uuid, clock=c), ("held",), at(10, 56)
    ),
    "book a series": Racer(lambda s, c: book_daily(s, s.cast.dan, c)),
    "cancel a series": Racer(
        lambda s, c: cancel_series(actor=s.cast.ann, series_id=s.series.series_id, clock=c),
        ("series",),
    ),
    "move a series": Racer(
        lambda s, c: edit_series(
            actor=s.cast.ann, series_id=s.series.series_id, edit=SeriesEdit(starts=time(15, 30)),
            clock=c,
        ),
        ("series",),
    ),
    "divide": Racer(
        lambda s, c: divide_hall(
            actor=s.cast.admin, hall=s.other.uuid, cells=2,
            parts={s.room.uuid: (1, 1), s.third.uuid: (2, 2)}, clock=c,
        ),
    ),
}  # fmt: skip

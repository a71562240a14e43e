"""The shared part of commands that change one stored booking, in all its rooms."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.changes import WALK_UP
from booking.domain.multi_room import as_one_booking
from booking.repository import parts_of
from booking.transaction.context import CommandContext, is_manager
from booking.transaction.read_snapshot import EMPTY_QUERY
from booking.transaction.unit_of_work import SnapshotQuerySource, run_in_rooms
from booking.transaction.write_changes import Change
from identity.domain.error_codes import IdentityErrorCode
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import PermissionDeniedError

Step = Callable[[BookingData, CommandContext], BookingData]  # returns one part after the change


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """Options of `change_booking`.

    `query` is what the snapshot must read. `also_rooms` returns the rooms of other bookings that
    the change affects. `rejoins_parts`: the change gives each part a state by the rules of its own
    room, so `as_one_booking` must join the parts of a multi-room booking afterwards.
    """

    query: SnapshotQuerySource = EMPTY_QUERY
    also_rooms: Callable[[], set[UUID]] = set
    rejoins_parts: bool = False


DEFAULT_OPTIONS = ChangeOptions()


def change_booking(
    *,
    actor: Actor,
    booking_id: UUID,
    command: str,
    change: Step,
    clock: Clock,
    reason: str = "",
    options: ChangeOptions = DEFAULT_OPTIONS,
) -> BookingData:
    """Apply `change` to each part of one booking, store and audit the results, return the booking.

    A part that `change` returns unchanged is not written, so a repeated command changes nothing.
    Raises NotFoundError for an unknown booking or for a device of another room, and what `change`
    and `run_in_rooms` raise.
    """

    def run(tx: CommandContext) -> BookingData:
        parts = parts_of(booking_id)
        after = []
        for before in parts:
            tx.room_of(before)
            if before.id == booking_id:
                actor.require_room(before.room)
            after.append(change(before, tx))
        if options.rejoins_parts and parts[0].group_id is not None and after != parts:
            after = as_one_booking(after, parts[0].group_id, tx.room_of, now=tx.now)
        pairs = zip(parts, after, strict=True)
        done = [
            Change.of(old, new, actor, command, reason) if new != old else None
            for old, new in pairs
        ]
        tx.changes += [each for each in done if each]
        answers = [each.after if each else old for each, old in zip(done, parts, strict=True)]
        return next(answer for answer in answers if answer.id == booking_id)

    def rooms() -> list[UUID]:
        return sorted({part.room for part in parts_of(booking_id)} | options.also_rooms())

    return run_in_rooms(run, rooms=rooms, query=options.query, clock=clock)


def require_organizer(actor: Actor, booking: BookingData, tx: CommandContext) -> None:
    """Raise PermissionDeniedError unless the actor may change this booking.

    The organizer, a room manager and the system may. A device may change a walk-up, which has no
    organizer.
    """
    if actor.is_device:
        if WALK_UP not in booking.flags:
            raise PermissionDeniedError(
                "A device can change only bookings that were made at its door.",
                code=IdentityErrorCode.NOT_FOR_DEVICES,
            )
        return
    if actor.kind is not ActorKind.PERSON or is_manager(actor, tx.rooms[booking.room]):
        return
    if actor.user_id != booking.organizer_id:
        raise PermissionDeniedError("Only the organizer or a room manager can change this booking.")

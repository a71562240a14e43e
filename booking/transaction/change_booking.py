"""What the commands on stored bookings share: find it, look at its rooms, change it, tell."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from booking.domain.booking_data import BookingData
from booking.domain.changes import WALK_UP
from booking.domain.multi_room import as_one_booking
from booking.repository import parts_of
from booking.transaction.context import CommandContext, is_manager
from booking.transaction.unit_of_work import EMPTY_QUERY, SnapshotQuerySource, run_in_rooms
from booking.transaction.write_changes import Change
from identity.domain.error_codes import IdentityErrorCode
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import PermissionDeniedError

Step = Callable[[BookingData, CommandContext], BookingData]


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """What a change has to look at, and the rooms of other bookings that it changes too.

    `rejoins_parts`: its parts are told apart by their rooms' rules, and are to be one again.
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
    """Apply `change` to one booking, in each of its rooms, and store and audit what it returns.

    Where it returns the booking as it was, nothing is written: a repeated command is harmless.
    Raises NotFoundError for an unknown booking, and whatever `change` raises.
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
    """Refuse who is neither the organizer nor runs the room. The system itself may act.

    A device may for what was booked at its door, where nobody in particular is the organizer.
    """
    if actor.is_device:
        if WALK_UP not in booking.flags:
            raise PermissionDeniedError(
                "A device changes only what was booked at its door.",
                code=IdentityErrorCode.NOT_FOR_DEVICES,
            )
        return
    if actor.kind is not ActorKind.PERSON or is_manager(actor, tx.rooms[booking.room]):
        return
    if actor.user_id != booking.organizer_id:
        raise PermissionDeniedError(
            "Only the organizer or somebody who runs the room can change this booking."
        )

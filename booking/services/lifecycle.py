"""What the commands on stored bookings share: find it, look at its rooms, change it, tell."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from booking.domain.drafts import WALK_UP
from booking.domain.facts import BookingFacts
from booking.domain.wholes import as_one_booking
from booking.selectors import parts_of
from booking.services.decision import RoomTransaction, is_manager
from booking.services.room_transaction import NOTHING, LookingAt, in_rooms
from booking.services.writing import Change
from meeting_rooms.kernel.actor import Actor, ActorKind
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import PermissionDeniedError

Step = Callable[[BookingFacts, RoomTransaction], BookingFacts]


@dataclass(frozen=True, slots=True)
class About:
    """What a change has to look at, and the rooms of other bookings that it changes too.

    `is_judged_anew`: its parts are told apart by their rooms' rules, and are to be one again.
    """

    looking: LookingAt = NOTHING
    also_rooms: Callable[[], set[UUID]] = set
    is_judged_anew: bool = False


ITSELF = About()


def change_booking(
    *,
    actor: Actor,
    booking_id: UUID,
    command: str,
    change: Step,
    clock: Clock,
    reason: str = "",
    about: About = ITSELF,
) -> BookingFacts:
    """Apply `change` to one booking, in each of its rooms, and store and audit what it returns.

    Where it returns the booking as it was, nothing is written: a repeated command is harmless.
    Raises NotFoundError for an unknown booking, and whatever `change` raises.
    """

    def run(tx: RoomTransaction) -> BookingFacts:
        parts = parts_of(booking_id)
        after = []
        for before in parts:
            tx.room_of(before)
            if before.id == booking_id:
                actor.require_room(before.room)
            after.append(change(before, tx))
        if about.is_judged_anew and parts[0].group_id is not None and after != parts:
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
        return sorted({part.room for part in parts_of(booking_id)} | about.also_rooms())

    return in_rooms(run, rooms=rooms, looking=about.looking, clock=clock)


def require_organizer(actor: Actor, booking: BookingFacts, tx: RoomTransaction) -> None:
    """Refuse who is neither the organizer nor runs the room. The system itself may act.

    A device may for what was booked at its door, where nobody in particular is the organizer.
    """
    if actor.is_device:
        if WALK_UP not in booking.flags:
            raise PermissionDeniedError(
                "A device changes only what was booked at its door.", code="not_for_devices"
            )
        return
    if actor.kind is not ActorKind.PERSON or is_manager(actor, tx.rooms[booking.room]):
        return
    if actor.user_id != booking.organizer_id:
        raise PermissionDeniedError(
            "Only the organizer or somebody who runs the room can change this booking."
        )

"""Taking a slot: the one way a stretch of a room's time is written.

The exclusion constraint decides. Callers hold the rooms' locks (`room_transaction`), because a
plain write into an exclusion constraint can deadlock when fought over.
"""

from django.db import IntegrityError, connection, transaction

from booking.domain.states import STATES_THAT_TAKE_THE_SLOT
from booking.models import Booking, as_range
from meeting_rooms.kernel.errors import ConflictError
from meeting_rooms.kernel.interval import Interval
from rooms.models import Room
from rooms.selectors import closure_blocking

MAX_REPORTED_CONFLICTS = 10
EXCLUSION_VIOLATION = "23P01"


class SlotTakenError(ConflictError):
    """The slot, or a part of it, belongs to another booking.

    Shapes: `facts.taken` is a list of `{starts_at, ends_at}`, earliest first, and no more than
    that: whose booking it is stays private.
    """

    default_code = "slot_taken"


class RoomClosedError(ConflictError):
    """The room is out of service for a part of the slot."""

    default_code = "out_of_service"


def insert_booking(booking: Booking) -> None:
    """Store a new booking in one statement. Raises SlotTakenError or RoomClosedError."""
    refuse_closed(booking.room, booking.interval)
    fields = Booking._meta.concrete_fields
    columns = ", ".join(connection.ops.quote_name(str(f.column)) for f in fields)
    marks = ", ".join(["%s"] * len(fields))
    values = [f.get_db_prep_save(f.pre_save(booking, add=True), connection) for f in fields]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO booking_booking ({columns}) VALUES ({marks}) "  # noqa: S608 - own columns
            "ON CONFLICT ON CONSTRAINT booking_no_overlap DO NOTHING RETURNING id",
            values,
        )
        stored = cursor.fetchone()
    if stored is None:
        raise slot_taken(booking.room, booking.interval)
    booking._state.adding = False


def move_booking(booking: Booking) -> None:
    """Store the booking's new room and times. Raises SlotTakenError or RoomClosedError."""
    refuse_closed(booking.room, booking.interval)
    try:
        with transaction.atomic():
            booking.save()
    except IntegrityError as exc:
        if getattr(exc.__cause__, "sqlstate", None) != EXCLUSION_VIOLATION:
            raise
        raise slot_taken(booking.room, booking.interval, besides=booking) from exc


def refuse_closed(room: Room, wanted: Interval) -> None:
    """Raise RoomClosedError if the room is out of service for a part of `wanted`."""
    closure = closure_blocking(room, wanted)
    if closure is None:
        return
    raise RoomClosedError(
        f"{room.name} is out of service then: {closure.reason}.",
        facts={
            "closure": {
                "starts_at": closure.starts_at.isoformat(),
                "ends_at": closure.ends_at and closure.ends_at.isoformat(),
            }
        },
    )


def slot_taken(room: Room, wanted: Interval, *, besides: Booking | None = None) -> SlotTakenError:
    """Return the refusal that names the winners' intervals."""
    winners = Booking.objects.filter(
        room=room,
        during__overlap=as_range(wanted),
        state__in=[state.value for state in STATES_THAT_TAKE_THE_SLOT],
    ).order_by("during")
    if besides is not None:
        winners = winners.exclude(pk=besides.pk)
    taken = [b.interval for b in winners[:MAX_REPORTED_CONFLICTS]]
    return SlotTakenError(
        f"{room.name} is already booked in this time.",
        facts={
            "taken": [
                {"starts_at": i.start.isoformat(), "ends_at": i.end.isoformat()} for i in taken
            ]
        },
    )

"""Command: set which rooms are parts of a divisible hall, and which cells each part has."""

from collections.abc import Iterable, Mapping
from functools import partial
from uuid import UUID

from django.db import connection
from django.db.backends.postgresql.psycopg_any import NumericRange

from booking.domain.booking_data import BookingData
from booking.domain.error_codes import BookingErrorCode
from booking.domain.errors import SlotTakenError, shown_all
from booking.models import Booking
from booking.repository import taking_the_slot
from booking.transaction.context import CommandContext
from booking.transaction.database_clock import DATABASE_CLOCK
from booking.transaction.unit_of_work import run_in_rooms
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import InvalidCommandError, PermissionDeniedError
from rooms.models import Room

MAX_CELLS = 64  # of one hall
ALLOCATION_LOCK = 7_301  # key of the advisory lock of `_allocate`; an arbitrary number

Cells = tuple[int, int]  # the first and the last cell of a room, counted from 1


def divide_hall(
    *,
    actor: Actor,
    hall: UUID,
    cells: int,
    parts: Mapping[UUID, Cells],
    clock: Clock = DATABASE_CLOCK,
) -> None:
    """Store the division of the hall: its number of cells, and the cells of each part.

    Rooms that have a cell in common block each other. A hall with two halves has 2 cells and the
    parts (1, 1) and (2, 2). A half that is divided again is one more room: the parts (1, 2),
    (1, 1), (2, 2) and (3, 4) of 4 cells. A new division replaces the earlier one.
    Raises: SlotTakenError if future bookings would overlap; InvalidCommandError `bad_cells`,
    `part_of_another_hall`; NotFoundError for an unknown room; PermissionDeniedError for an actor
    who is not an admin.
    """
    if not actor.is_admin:
        raise PermissionDeniedError("Only an admin can divide a hall. Ask an admin.")
    layout = {hall: (1, cells), **parts}
    _check(hall, cells, layout)

    def run(tx: CommandContext) -> None:
        rooms = list(Room.objects.filter(uuid__in=tx.rooms))
        top = next(room for room in rooms if room.uuid == hall)
        _refuse_foreign(top, rooms)
        _refuse_overlaps(tx, layout)
        first = _allocate(cells)
        for room in rooms:
            tx.also.append(partial(_store_cells, room, top, layout.get(room.uuid), first))
        # The trigger gives each booking that is not over the new units of its room.
        ahead = Booking.objects.filter(room__in=rooms, during__endswith__gt=tx.now)
        tx.also.append(lambda: ahead.update(units=None))
        tx.marked.update(tx.rooms)

    former = Room.objects.filter(division__uuid=hall).values_list("uuid", flat=True)
    run_in_rooms(run, rooms=sorted({*layout, *former}), clock=clock)


def _check(hall: UUID, cells: int, layout: Mapping[UUID, Cells]) -> None:
    if not 2 <= cells <= MAX_CELLS:
        raise InvalidCommandError(
            f"A hall has 2 to {MAX_CELLS} cells. Choose a number in this range.",
            code=BookingErrorCode.BAD_CELLS,
        )
    for uuid, (begin, end) in layout.items():
        if not 1 <= begin <= end <= cells or (uuid != hall and (begin, end) == (1, cells)):
            raise InvalidCommandError(
                f"The cells {begin} to {end} are no part of a hall with {cells} cells. "
                "Choose some of its cells, not all.",
                code=BookingErrorCode.BAD_CELLS,
            )


def _refuse_foreign(hall: Room, rooms: Iterable[Room]) -> None:
    for room in rooms:
        if room.division_id not in (None, hall.pk) or (room == hall and room.division_id):
            raise InvalidCommandError(
                f"{room.name} is a part of another hall. Remove the room from that hall first.",
                code=BookingErrorCode.PART_OF_ANOTHER_HALL,
            )


def _refuse_overlaps(tx: CommandContext, layout: Mapping[UUID, Cells]) -> None:
    ahead = Booking.objects.select_related("room").filter(
        taking_the_slot(tx.now), room__uuid__in=list(layout), during__endswith__gt=tx.now
    )
    bookings = [booking.as_data() for booking in ahead]
    clashing = [
        one.interval
        for number, one in enumerate(bookings)
        for other in bookings[:number]
        if _share(layout, one, other) and one.interval.overlaps(other.interval)
    ]
    if clashing:
        raise SlotTakenError(
            "Bookings of the hall and of its parts overlap. Move or cancel them first.",
            facts={"taken": shown_all(clashing)},
        )


def _share(layout: Mapping[UUID, Cells], one: BookingData, other: BookingData) -> bool:
    (begin, end), (other_begin, other_end) = layout[one.room], layout[other.room]
    return begin <= other_end and other_begin <= end


def _allocate(cells: int) -> int:
    """Return the first of `cells` successive numbers that no room and no booking uses.

    The numbers are negative: the units of an undivided room are its positive id.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ALLOCATION_LOCK])
        cursor.execute("SELECT least(coalesce(min(lower(units)), 0), 0) FROM booking_booking")
        [booked] = cursor.fetchone()
        cursor.execute("SELECT least(coalesce(min(lower(units)), 0), 0) FROM rooms_room")
        [laid] = cursor.fetchone()
    lowest: int = min(booked, laid)
    return lowest - cells


def _store_cells(room: Room, hall: Room, cells: Cells | None, first: int) -> None:
    """Store the cells of the room. Without cells, the room is no longer a part of the hall."""
    units = NumericRange(first + cells[0] - 1, first + cells[1], "[)") if cells else None
    division = None if cells is None or room == hall else hall
    Room.objects.filter(pk=room.pk).update(units=units, division=division)

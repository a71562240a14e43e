"""The snapshot: all that a booking command reads before it decides, read by one statement.

The snapshot includes the versions of the rooms, of their rules and of the person's ledger. If one
of these versions has changed before the write, nothing is written. So the snapshot is still true
when the changes are stored.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from booking.domain.booking_data import BookingData, Row
from booking.domain.booking_request import ClosureFacts, Question, Usage
from booking.domain.policy_checks import interval_to_read, questions
from booking.transaction.prepared_sql import execute_json, load_sql
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy

READ_SNAPSHOT = load_sql(__file__, "read_snapshot")


@dataclass(frozen=True, slots=True)
class SnapshotQuery:
    """A query for a snapshot: the intervals to read in each room, and the person with quotas."""

    windows: Sequence[Interval] = ()
    person: UUID | None = None
    besides: frozenset[UUID] = frozenset()  # bookings that do not count against the quotas
    counts: bool = False  # the command itself counts bookings of `person`: compare the ledger
    asked: tuple[Question, ...] | None = None  # None: derived from the windows and rooms


EMPTY_QUERY = SnapshotQuery()


class Snapshot(NamedTuple):
    """The state of the rooms and of the person's quotas at one instant."""

    now: datetime  # the present for this command
    rules_version: int
    rooms_version: int  # the sum of the rooms' versions, which only rise
    ledger_version: int
    neighbours: tuple[BookingData, ...]
    due: tuple[BookingData, ...]  # holds, no-shows and requests whose `lapses_at` has come
    closures: dict[int, list[ClosureFacts]]
    has_waiting: bool  # a person waits for a slot in one of the rooms
    usage: tuple[Usage, ...]


def read_snapshot(
    rooms: Collection[RoomPolicy], query: SnapshotQuery, *, now: datetime | None
) -> Snapshot:
    """Return the snapshot that the rules of these rooms need, at `now`; None asks the database.

    Raises as `execute_json` does.
    """
    asked = _questions(rooms, query)
    given = {
        "now": now,
        "rooms": _array({room_id for room in rooms for room_id in room.division}),
        "units": f"{{{','.join(room.units for room in rooms)}}}",
        "windows": _windows(rooms, query.windows),
        "asked": _as_documents(asked),
        "person": query.person,
        "besides": _array(query.besides),
    }
    at, rules, versions, ledger, neighbours, due, closures, has_waiting, usage = execute_json(
        READ_SNAPSHOT, given
    )
    return Snapshot(
        now=datetime.fromisoformat(at).astimezone(UTC),
        rules_version=rules,
        rooms_version=versions or 0,
        ledger_version=ledger,
        neighbours=_bookings(neighbours),
        due=_bookings(due),
        closures=_closures(closures),
        has_waiting=has_waiting,
        usage=_usage(asked, usage),
    )


def _windows(rooms: Collection[RoomPolicy], windows: Iterable[Interval]) -> str:
    around = (interval_to_read(window, room) for window in windows for room in rooms)
    return f"{{{','.join(interval.as_range() for interval in around)}}}"


def _questions(rooms: Collection[RoomPolicy], query: SnapshotQuery) -> list[Question]:
    if query.person is None:
        return []
    if query.asked is not None:
        return list(dict.fromkeys(query.asked))
    asked = (q for room in rooms for window in query.windows for q in questions(window, room))
    return list(dict.fromkeys(asked))


def _as_documents(asked: Sequence[Question]) -> list[dict[str, Any]]:
    return [
        {
            "number": number,
            "period": question.period.as_range(),
            "building_id": question.quota.building_id,
            "room_id": question.quota.room_id,
            "is_windowed": question.quota.window is not None,
        }
        for number, question in enumerate(asked)
    ]


def _array(values: Iterable[object]) -> str:
    return f"{{{','.join(map(str, values))}}}"


def _usage(asked: Sequence[Question], rows: Sequence[Row] | None) -> tuple[Usage, ...]:
    return tuple(
        Usage(asked[row["number"]], row["count"], row["minutes"], _intervals(row["intervals"]))
        for row in rows or ()
    )


def _intervals(ranges: Sequence[str | None] | None) -> tuple[Interval, ...]:
    return tuple(Interval.read(each) for each in ranges or () if each is not None)


def _bookings(rows: Sequence[Row] | None) -> tuple[BookingData, ...]:
    return tuple(BookingData.from_row(row) for row in rows or ())


def _closures(rows: Sequence[Sequence[Any]] | None) -> dict[int, list[ClosureFacts]]:
    found: dict[int, list[ClosureFacts]] = {}
    for room_id, start, end, reason in rows or ():
        ends_at = datetime.fromisoformat(end) if end else None
        closure = ClosureFacts(datetime.fromisoformat(start), ends_at, reason)
        found.setdefault(room_id, []).append(closure)
    return found

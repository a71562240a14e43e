"""What a booking command reads before it decides: one statement, one snapshot, all the rules need.

It carries the versions of the rooms, of their rules and of the person's ledger. The write is
refused where one of them has moved on meanwhile, so whatever was seen still held when it counted.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from booking.domain.booking_data import BookingData, Row
from booking.domain.booking_request import ClosureFacts, Question, Usage
from booking.domain.policy_checks import interval_to_read, questions
from booking.transaction.database_clock import instant_for_sql
from booking.transaction.prepared_sql import execute_json, load_sql
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy

READ_SNAPSHOT = load_sql(__file__, "read_snapshot")


@dataclass(frozen=True, slots=True)
class SnapshotQuery:
    """What a command is about: which stretches of its rooms, and whose quotas."""

    windows: Sequence[Interval] = ()
    person: UUID | None = None
    besides: frozenset[UUID] = frozenset()  # bookings that do not count against the quotas
    counts: bool = False  # the command itself counts what the person has
    asked: tuple[Question, ...] | None = None  # None: by every window in every room


class Snapshot(NamedTuple):
    """The outcome of one look."""

    now: datetime  # the instant by which the command judges
    rules_version: int
    rooms_version: int  # the sum over the rooms: it only rises
    ledger_version: int
    neighbours: tuple[BookingData, ...]
    due: tuple[BookingData, ...]  # holds, no-shows and requests whose time has run out
    closures: dict[int, list[ClosureFacts]]
    has_waiting: bool
    usage: tuple[Usage, ...]


def read_snapshot(rooms: Collection[RoomPolicy], query: SnapshotQuery, *, clock: Clock) -> Snapshot:
    """Read all that the rules of these rooms need, in one snapshot."""
    asked = _questions(rooms, query)
    now = instant_for_sql(clock)
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
    return f"{{{','.join(stretch.as_range() for stretch in around)}}}"


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

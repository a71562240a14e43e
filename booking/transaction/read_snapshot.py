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
from booking.transaction.prepared_sql import execute_json
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import RoomPolicy
from rooms.policies.cache import POLICIES_VERSION

# The room is looked up for the few that are found: a join would read all rooms for them.
BOOKING_AS_JSON = (
    "to_jsonb(booking) || jsonb_build_object('room', "
    "(SELECT room.uuid FROM rooms_room AS room WHERE room.id = booking.room_id))"
)
# A booking counts where it begins, its minutes where they lie.
USAGE = """
SELECT asked.number, used.*
FROM jsonb_to_recordset(here.asked) AS asked (
    number int, period tstzrange, building_id bigint, room_id bigint, is_windowed boolean),
LATERAL (
    SELECT
        count(*) FILTER (WHERE lower(booking.during) >= lower(asked.period)) AS count,
        coalesce(extract(epoch FROM sum(least(upper(booking.during), upper(asked.period))
                     - greatest(lower(booking.during), lower(asked.period)))), 0) / 60 AS minutes,
        jsonb_agg(booking.during * asked.period) FILTER (WHERE asked.is_windowed) AS stretches
    FROM booking_booking AS booking
    WHERE booking.organizer_id = here.person
        AND upper(booking.during) > lower(asked.period)  -- as booking_of_organizer has it
        AND lower(booking.during) < upper(asked.period)
        AND (booking.takes_slot OR booking.state = 'pending') AND booking.state <> 'held'
        AND (booking.lapses_at IS NULL OR booking.lapses_at > here.now)
        AND booking.id <> ALL(here.besides)
        AND (asked.building_id IS NULL OR booking.room_id IN (
             SELECT room.id FROM rooms_room AS room
             JOIN rooms_floor AS floor ON floor.id = room.floor_id
             WHERE floor.building_id = asked.building_id))
        AND (asked.room_id IS NULL OR booking.room_id = asked.room_id)
) AS used
"""
LOOK = f"""
WITH given AS MATERIALIZED (SELECT $1::jsonb AS of), here AS MATERIALIZED (
    SELECT coalesce((of->>'now')::timestamptz, clock_timestamp()) AS now,
           (of->>'rooms')::bigint[] AS rooms, (of->>'units')::int8multirange AS units,
           (of->>'windows')::tstzmultirange AS windows, (of->>'person')::uuid AS person,
           of->'asked' AS asked, (of->>'besides')::uuid[] AS besides
    FROM given
)
SELECT jsonb_build_array(
    here.now, coalesce({POLICIES_VERSION}, 0),
    (SELECT sum(schedule_version)::bigint FROM rooms_room WHERE id = ANY(here.rooms)),
    coalesce((SELECT version FROM booking_personledger WHERE user_id = here.person), 0),
    (SELECT jsonb_agg({BOOKING_AS_JSON})
     FROM booking_booking AS booking
     WHERE booking.takes_slot AND booking.units && here.units AND booking.during && here.windows),
    (SELECT jsonb_agg({BOOKING_AS_JSON})
     FROM booking_booking AS booking
     WHERE booking.lapses_at <= here.now AND booking.units && here.units),
    (SELECT jsonb_agg(jsonb_build_array(closure.room_id, closure.starts_at, closure.ends_at,
                                        closure.reason) ORDER BY closure.starts_at)
     FROM rooms_closure AS closure
     WHERE closure.room_id = ANY(here.rooms)
       AND tstzrange(closure.starts_at, closure.ends_at) && here.windows),
    EXISTS (SELECT FROM booking_waitingentry AS waiting
            WHERE waiting.closed_at IS NULL AND waiting.room_id = ANY(here.rooms)),
    (SELECT jsonb_agg(usage) FROM ({USAGE}) AS usage)
)::text FROM here
"""  # noqa: S608 - constants only


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
        LOOK, given
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
        Usage(asked[row["number"]], row["count"], row["minutes"], _stretches(row["stretches"]))
        for row in rows or ()
    )


def _stretches(ranges: Sequence[str | None] | None) -> tuple[Interval, ...]:
    return tuple(Interval.read(stretch) for stretch in ranges or () if stretch is not None)


def _bookings(rows: Sequence[Row] | None) -> tuple[BookingData, ...]:
    return tuple(BookingData.from_row(row) for row in rows or ())


def _closures(rows: Sequence[Sequence[Any]] | None) -> dict[int, list[ClosureFacts]]:
    found: dict[int, list[ClosureFacts]] = {}
    for room_id, start, end, reason in rows or ():
        ends_at = datetime.fromisoformat(end) if end else None
        closure = ClosureFacts(datetime.fromisoformat(start), ends_at, reason)
        found.setdefault(room_id, []).append(closure)
    return found

"""Evaluate the dates of a series against stored bookings and the earlier dates of the series."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from booking.domain.batch_context import BatchContext
from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest
from booking.domain.changes import Details, DetailsEdit, draft, moved
from booking.domain.error_codes import BookingErrorCode
from booking.domain.errors import RoomClosedError, SlotTakenError
from booking.domain.policy_checks import (
    evaluate,
    own_holds,
    questions,
    refuse_more_than_seats,
)
from booking.domain.shorten import gives_time_back, shortened
from booking.series.domain.occurrences import Occurrence
from booking.series.domain.series_data import FLAG_OF_SHIFT, RefusedDate, SeriesFacts
from booking.transaction.context import CommandContext, is_manager, release_holds
from booking.transaction.read_snapshot import SnapshotQuery
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import ConflictError, InvalidCommandError
from rooms.domain.effective_policy import RoomPolicy

AS_THEY_ARE = DetailsEdit()
Outcome = tuple[list[BookingData], list[RefusedDate]]


class SeriesClashesError(ConflictError):
    """Some dates cannot be booked, and the caller asked for all dates or none.

    Shapes: `facts.refused` lists each refused date as `{recurrence_id, starts_at, ends_at, code,
    detail}`; `facts.bookable` of `facts.of` dates could be booked.
    """

    default_code = BookingErrorCode.SERIES_CLASHES


@dataclass(frozen=True, slots=True)
class RequestedDate:
    """One date of a series, the room requested for it, and its stored booking, if any."""

    occurrence: Occurrence
    room: RoomPolicy
    stored: BookingData | None = None

    @property
    def name(self) -> str:
        """Return the name of the date: its local time in the rule, as ISO text."""
        return self.occurrence.recurrence_id.isoformat()


def requested_dates(
    occurrences: Iterable[Occurrence], room: RoomPolicy, elsewhere: Mapping[str, RoomPolicy]
) -> list[RequestedDate]:
    """Return each date with its room: the one that `elsewhere` names for it, otherwise `room`."""
    return [
        RequestedDate(occurrence, elsewhere.get(occurrence.recurrence_id.isoformat(), room))
        for occurrence in occurrences
    ]


def query_for(
    requested: Sequence[RequestedDate],
    person: UUID | None,
    *,
    besides: frozenset[UUID] = frozenset(),
) -> SnapshotQuery:
    """Return the query for the snapshot: all dates, and the quotas of each date in its room.

    Bookings with an id in `besides` do not count against the quotas.
    """
    asked = (q for date in requested for q in questions(date.occurrence.interval, date.room))
    return SnapshotQuery(
        windows=tuple(date.occurrence.interval for date in requested),
        person=person,
        besides=besides,
        asked=tuple(asked),
    )


@dataclass(frozen=True, slots=True)
class SeriesJudge:
    """Evaluates the dates of one series for one person, against the snapshot of the transaction."""

    tx: CommandContext
    actor: Actor
    series: SeriesFacts
    edit: DetailsEdit = AS_THEY_ARE  # applied to the dates that are stored

    def dates(
        self,
        requested: Sequence[RequestedDate],
        *,
        giving_way: frozenset[UUID] = frozenset(),
        staying: Iterable[RequestedDate] = (),
    ) -> Outcome:
        """Return a booking for each date that can be booked, and a refusal for each other date.

        Each date is evaluated against the dates before it, so the complete series keeps quotas
        and gaps. Stored bookings with an id in `giving_way` block no date. The stored bookings of
        `staying` dates count at their present time.
        """
        booked: list[BookingData] = []
        refused: list[RefusedDate] = []
        batch = self._batch_context()
        for date in staying:
            if date.stored is not None:
                batch.count(date.stored.interval, self.tx.rooms[date.stored.room])
        for date in requested:
            try:
                facts = self._evaluated(date, batch, giving_way)
            except (SlotTakenError, RoomClosedError, InvalidCommandError) as refusal:
                refused.append(RefusedDate.because(date.occurrence, refusal))
                continue
            booked.append(facts)
            batch.take(facts, date.room)
        return booked, refused

    def all_that_can_move(
        self, requested: Sequence[RequestedDate], giving_way: frozenset[UUID]
    ) -> Outcome:
        """Return bookings and refusals as `dates` does; each refused date keeps its stored slot.

        A refused date may block another date of the series from its stored slot. So the remaining
        dates are evaluated again, until no further date is refused.
        """
        before = list(self.tx.changes)
        staying: dict[str, RequestedDate] = {}
        refusals: list[RefusedDate] = []
        while True:
            self.tx.changes[:] = before
            moving = [date for date in requested if date.name not in staying]
            kept = {date.stored.id for date in staying.values() if date.stored}
            booked, refused = self.dates(
                moving, giving_way=giving_way - kept, staying=staying.values()
            )
            if not refused:
                return booked, sorted(refusals, key=lambda date: date.recurrence_id)
            refusals += refused
            names = {date.recurrence_id for date in refused}
            staying |= {date.name: date for date in moving if date.name in names}

    def date(self, requested: RequestedDate) -> BookingData:
        """Return the booking for one date. Raises what `evaluate` raises."""
        return self._evaluated(requested, self._batch_context(), frozenset())

    def _batch_context(self) -> BatchContext:
        snapshot = self.tx.snapshot
        return BatchContext.of(snapshot.neighbours, snapshot.closures, snapshot.usage)

    def _evaluated(
        self, requested: RequestedDate, batch: BatchContext, giving_way: frozenset[UUID]
    ) -> BookingData:
        shorter = self._shortened(requested)
        facts = shorter or self._evaluated_by_policy(requested, batch, giving_way)
        shifted = FLAG_OF_SHIFT.get(requested.occurrence.shift)
        return replace(
            facts,
            series_id=self.series.id,
            recurrence_id=requested.name,
            flags=tuple(dict.fromkeys((*facts.flags, shifted))) if shifted else facts.flags,
        )

    def _shortened(self, requested: RequestedDate) -> BookingData | None:
        """Return the shortened booking if the date only gets shorter, otherwise None.

        A shorter date is not checked against the policy: it takes no time that it did not have.
        """
        stored, room = requested.stored, requested.room
        if stored is None:
            return None
        after = moved(stored, room, requested.occurrence.interval)
        if not gives_time_back(stored, after):
            return None
        after = self.edit.of(after)
        refuse_more_than_seats(stored, after, room, is_manager=is_manager(self.actor, room))
        return shortened(stored, after, room, now=self.tx.now)

    def _details(self, requested: RequestedDate) -> Details:
        """Return the details of a date: its stored ones with the edit, else those of the series."""
        details = self.series.details
        if requested.stored is None:
            return details
        own = self.edit.of(requested.stored)
        return replace(details, title=own.title, private=own.private, attendees=own.attendees)

    def _evaluated_by_policy(
        self, requested: RequestedDate, batch: BatchContext, giving_way: frozenset[UUID]
    ) -> BookingData:
        room, interval = requested.room, requested.occurrence.interval
        details = self._details(requested)
        self.tx.require_in_snapshot(interval)
        known = batch.near(interval, room)
        holds = own_holds(known.neighbours, interval, self.actor.user_id)
        request = BookingRequest(
            interval=interval,
            person=details.organizer_id,
            is_manager=is_manager(self.actor, room),
            attendees=details.attendees,
            replaces=giving_way | {hold.id for hold in holds},
        )
        decision = evaluate(request, room, known, now=self.tx.now)
        release_holds(self.tx, holds, self.actor)
        return draft(room, interval, decision, details, now=self.tx.now)


def refuse_clashes(refused: Sequence[RefusedDate], wanted: int) -> None:
    """Raise SeriesClashesError if any date was refused."""
    if refused:
        bookable = wanted - len(refused)
        raise SeriesClashesError(
            f"{len(refused)} of {wanted} dates cannot be booked. Book the other {bookable}, or "
            f"choose another room for the {len(refused)}.",
            facts={
                "refused": [date.as_json() for date in refused],
                "bookable": bookable,
                "of": wanted,
            },
        )

"""Judging the dates of a series, each beside what is stored and those before it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from booking.domain.batch_context import BatchContext
from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest
from booking.domain.changes import Details, DetailsEdit, draft, moved
from booking.domain.error_codes import BookingErrorCode
from booking.domain.errors import RoomClosedError, SlotTakenError
from booking.domain.policy_checks import evaluate, own_holds, refuse_more_than_seats
from booking.domain.shorten import gives_time_back, shortened
from booking.series.domain.occurrences import Occurrence
from booking.series.domain.series_data import FLAG_OF_SHIFT, RefusedDate, SeriesFacts
from booking.transaction.context import CommandContext, is_manager, release_holds
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import ConflictError, InvalidCommandError
from rooms.domain.effective_policy import RoomPolicy

AS_THEY_ARE = DetailsEdit()
Outcome = tuple[list[BookingData], list[RefusedDate]]


class SeriesClashesError(ConflictError):
    """Some dates cannot be booked, and all were asked for.

    Shapes: `facts.refused` lists each as `{recurrence_id, starts_at, ends_at, code, detail}`;
    `facts.bookable` of `facts.of` dates could be booked.
    """

    default_code = BookingErrorCode.SERIES_CLASHES


@dataclass(frozen=True, slots=True)
class RequestedDate:
    """One date of a series, the room it is wanted in, and the booking that it is so far."""

    occurrence: Occurrence
    room: RoomPolicy
    stored: BookingData | None = None

    @property
    def name(self) -> str:
        """Return the date's own wall time in the rule."""
        return self.occurrence.recurrence_id.isoformat()


def requested_dates(
    occurrences: Iterable[Occurrence], room: RoomPolicy, elsewhere: Mapping[str, RoomPolicy]
) -> list[RequestedDate]:
    """Return the dates with the room each is wanted in."""
    return [
        RequestedDate(occurrence, elsewhere.get(occurrence.recurrence_id.isoformat(), room))
        for occurrence in occurrences
    ]


@dataclass(frozen=True, slots=True)
class SeriesJudge:
    """Judges the dates of one series for one person, by what the transaction has seen."""

    tx: CommandContext
    actor: Actor
    series: SeriesFacts
    edit: DetailsEdit = AS_THEY_ARE  # of the dates that are stored

    def dates(
        self,
        wishes: Sequence[RequestedDate],
        *,
        giving_way: frozenset[UUID] = frozenset(),
        staying: Iterable[RequestedDate] = (),
    ) -> Outcome:
        """Return a booking for each date that the rules allow, and the refusals of the others.

        Every date is judged beside those before it, so a series meets quotas and gaps of its own.
        Stored bookings that are `giving_way` are in nobody's way; those of `staying` dates count
        where they are.
        """
        booked: list[BookingData] = []
        refused: list[RefusedDate] = []
        around = self._neighbourhood()
        for wish in staying:
            if wish.stored is not None:
                around.count(wish.stored.interval, self.tx.rooms[wish.stored.room])
        for wish in wishes:
            try:
                facts = self._judged(wish, around, giving_way)
            except (SlotTakenError, RoomClosedError, InvalidCommandError) as refusal:
                refused.append(RefusedDate.because(wish.occurrence, refusal))
                continue
            booked.append(facts)
            around.take(facts, wish.room)
        return booked, refused

    def all_that_can_move(
        self, wishes: Sequence[RequestedDate], giving_way: frozenset[UUID]
    ) -> Outcome:
        """Return the same where each refused date stays where it is stored.

        It may be in the way of another date there, so the others are judged again beside it, until
        no more are refused.
        """
        before = list(self.tx.changes)
        staying: dict[str, RequestedDate] = {}
        refusals: list[RefusedDate] = []
        while True:
            self.tx.changes[:] = before
            moving = [wish for wish in wishes if wish.name not in staying]
            kept = {wish.stored.id for wish in staying.values() if wish.stored}
            booked, refused = self.dates(
                moving, giving_way=giving_way - kept, staying=staying.values()
            )
            if not refused:
                return booked, sorted(refusals, key=lambda date: date.recurrence_id)
            refusals += refused
            names = {date.recurrence_id for date in refused}
            staying |= {wish.name: wish for wish in moving if wish.name in names}

    def date(self, wish: RequestedDate) -> BookingData:
        """Return the booking for one date. Raises what `evaluate` raises."""
        return self._judged(wish, self._neighbourhood(), frozenset())

    def _neighbourhood(self) -> BatchContext:
        snapshot = self.tx.snapshot
        return BatchContext.of(snapshot.neighbours, snapshot.closures, snapshot.usage)

    def _judged(
        self, wish: RequestedDate, around: BatchContext, giving_way: frozenset[UUID]
    ) -> BookingData:
        shorter = self._shortened(wish)
        facts = shorter or self._judged_anew(wish, around, giving_way)
        shifted = FLAG_OF_SHIFT.get(wish.occurrence.shift)
        return replace(
            facts,
            series_id=self.series.id,
            recurrence_id=wish.name,
            flags=tuple(dict.fromkeys((*facts.flags, shifted))) if shifted else facts.flags,
        )

    def _shortened(self, wish: RequestedDate) -> BookingData | None:
        """Return a date that only gives time back; it is not judged."""
        if wish.stored is None:
            return None
        after = moved(wish.stored, wish.room, wish.occurrence.interval)
        if not gives_time_back(wish.stored, after):
            return None
        after = self.edit.of(after)
        refuse_more_than_seats(
            wish.stored, after, wish.room, is_manager=is_manager(self.actor, wish.room)
        )
        return shortened(wish.stored, after, wish.room, now=self.tx.now)

    def _details(self, wish: RequestedDate) -> Details:
        """Return what a date is about: a stored one keeps its own, as far as nobody edits it."""
        details = self.series.details
        if wish.stored is None:
            return details
        own = self.edit.of(wish.stored)
        return replace(details, title=own.title, private=own.private, attendees=own.attendees)

    def _judged_anew(
        self, wish: RequestedDate, around: BatchContext, giving_way: frozenset[UUID]
    ) -> BookingData:
        room, interval, details = wish.room, wish.occurrence.interval, self._details(wish)
        self.tx.require_in_snapshot(interval)
        known = around.near(interval, room)
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
            "choose another room for those.",
            facts={
                "refused": [date.as_json() for date in refused],
                "bookable": bookable,
                "of": wanted,
            },
        )

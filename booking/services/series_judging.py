"""Judging the dates of a series, each beside what is stored and those before it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from booking.domain.drafts import Details, DetailsEdit, draft, moved
from booking.domain.facts import BookingFacts
from booking.domain.many import Neighbourhood
from booking.domain.recurrence import Occurrence
from booking.domain.refusals import RoomClosedError, SlotTakenError
from booking.domain.request import Request
from booking.domain.rules import judge, own_holds, refuse_more_than_seats
from booking.domain.series import FLAG_OF_SHIFT, RefusedDate, SeriesFacts
from booking.domain.shortening import gives_time_back, shortened
from booking.services.decision import RoomTransaction, is_manager, let_go
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import ConflictError, InvalidCommandError
from rooms.domain.rulebook import RoomRules

AS_THEY_ARE = DetailsEdit()
Outcome = tuple[list[BookingFacts], list[RefusedDate]]


class SeriesClashesError(ConflictError):
    """Some dates cannot be booked, and all were asked for.

    Shapes: `facts.refused` lists each as `{recurrence_id, starts_at, ends_at, code, detail}`;
    `facts.bookable` of `facts.of` dates could be booked.
    """

    default_code = "series_clashes"


@dataclass(frozen=True, slots=True)
class Wish:
    """One date of a series, the room it is wanted in, and the booking that it is so far."""

    occurrence: Occurrence
    room: RoomRules
    stored: BookingFacts | None = None

    @property
    def name(self) -> str:
        """Return the date's own wall time in the rule."""
        return self.occurrence.recurrence_id.isoformat()


def wishes_for(
    occurrences: Iterable[Occurrence], room: RoomRules, elsewhere: Mapping[str, RoomRules]
) -> list[Wish]:
    """Return the dates with the room each is wanted in."""
    return [
        Wish(occurrence, elsewhere.get(occurrence.recurrence_id.isoformat(), room))
        for occurrence in occurrences
    ]


@dataclass(frozen=True, slots=True)
class SeriesJudge:
    """Judges the dates of one series for one person, by what the transaction has seen."""

    tx: RoomTransaction
    actor: Actor
    series: SeriesFacts
    edit: DetailsEdit = AS_THEY_ARE  # of the dates that are stored

    def dates(
        self,
        wishes: Sequence[Wish],
        *,
        giving_way: frozenset[UUID] = frozenset(),
        staying: Iterable[Wish] = (),
    ) -> Outcome:
        """Return a booking for each date that the rules allow, and the refusals of the others.

        Every date is judged beside those before it, so a series meets quotas and gaps of its own.
        Stored bookings that are `giving_way` are in nobody's way; those of `staying` dates count
        where they are.
        """
        booked: list[BookingFacts] = []
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

    def all_that_can_move(self, wishes: Sequence[Wish], giving_way: frozenset[UUID]) -> Outcome:
        """Return the same where each refused date stays where it is stored.

        It may be in the way of another date there, so the others are judged again beside it, until
        no more are refused.
        """
        before = list(self.tx.changes)
        staying: dict[str, Wish] = {}
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

    def date(self, wish: Wish) -> BookingFacts:
        """Return the booking for one date. Raises what `judge` raises."""
        return self._judged(wish, self._neighbourhood(), frozenset())

    def _neighbourhood(self) -> Neighbourhood:
        seen = self.tx.seen
        return Neighbourhood.of(seen.neighbours, seen.closures, seen.usage)

    def _judged(
        self, wish: Wish, around: Neighbourhood, giving_way: frozenset[UUID]
    ) -> BookingFacts:
        shorter = self._shortened(wish)
        facts = shorter or self._judged_anew(wish, around, giving_way)
        shifted = FLAG_OF_SHIFT.get(wish.occurrence.shift)
        return replace(
            facts,
            series_id=self.series.id,
            recurrence_id=wish.name,
            flags=tuple(dict.fromkeys((*facts.flags, shifted))) if shifted else facts.flags,
        )

    def _shortened(self, wish: Wish) -> BookingFacts | None:
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

    def _details(self, wish: Wish) -> Details:
        """Return what a date is about: a stored one keeps its own, as far as nobody edits it."""
        details = self.series.details
        if wish.stored is None:
            return details
        own = self.edit.of(wish.stored)
        return replace(details, title=own.title, private=own.private, attendees=own.attendees)

    def _judged_anew(
        self, wish: Wish, around: Neighbourhood, giving_way: frozenset[UUID]
    ) -> BookingFacts:
        room, interval, details = wish.room, wish.occurrence.interval, self._details(wish)
        self.tx.require_looked(interval)
        known = around.near(interval, room)
        holds = own_holds(known.neighbours, interval, self.actor.user_id)
        request = Request(
            interval=interval,
            person=details.organizer_id,
            is_manager=is_manager(self.actor, room),
            attendees=details.attendees,
            replaces=giving_way | {hold.id for hold in holds},
        )
        judged = judge(request, room, known, now=self.tx.now)
        let_go(self.tx, holds, self.actor)
        return draft(room, interval, judged, details, now=self.tx.now)


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

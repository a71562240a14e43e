"""The rules of booking once more, in plain lists: what the real commands are held against.

Written from the rules as people are told them. A command returns every refusal that would be right
(which of several comes first is nobody's business), or none and then it has happened.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from booking.tests.acceptance.stateful_model_values import Closed, Kept, Place, codes

MINUTE = timedelta(minutes=1)
LATE_START, OPENS_BEFORE, GRACE, UNDO = 15 * MINUTE, 10 * MINUTE, 10 * MINUTE, 5 * MINUTE
OPEN_STATES = {"pending", "confirmed", "checked_in"}


@dataclass
class Model:
    """Every booking and closure there is. `now` is set by whoever drives it."""

    now: datetime
    kept: list[Kept] = field(default_factory=list)
    closures: list[Closed] = field(default_factory=list)

    def settle(self) -> None:
        """Give back what nobody came to, at its own instant."""
        for booking in self.kept:
            if booking.state == "confirmed" and booking.lapses and booking.lapses <= self.now:
                self.give_up(booking, "released", at=booking.lapses)
            elif booking.state == "pending" and booking.lapses and booking.lapses <= self.now:
                booking.state, booking.lapses = "rejected", None

    def parts(self, pk: object) -> list[Kept]:
        named = next(b for b in self.kept if b.id == pk)
        return [named] + [b for b in self.kept if b is not named and b.group == named.group]

    def in_the_way(
        self, place: Place, start: datetime, end: datetime, besides: Iterable[Kept] = ()
    ) -> set[str]:
        """Return what nobody overrides: another booking, or a closure."""
        passed = [id(booking) for booking in besides]
        taken = any(
            b.has_slot and b.place.shares_floor_with(place) and b.overlaps(start, end)
            for b in self.kept
            if id(b) not in passed
        )
        closed = any(
            c.place.shares_floor_with(place) and c.start < end and start < c.end
            for c in self.closures
        )
        return codes(slot_taken=taken, out_of_service=closed)

    def book(self, ids, places: list[Place], start, end, who: str, is_admin: bool) -> set[str]:
        wrong = self._past(start, end)
        for number, place in enumerate(places):
            wrong |= self.in_the_way(place, start, end)
            if any(place.shares_floor_with(other) for other in places[:number]):
                wrong |= {"rooms_overlap"}
        if not wrong:
            group = object()
            for pk, place in zip(ids, places, strict=True):
                state, lapses = self.as_booked(place, start, end, is_admin)
                self.kept.append(Kept(pk, group, place, start, end, who, state, lapses, self.now))
        return wrong

    def cancel(self, pk, who: str, is_admin: bool) -> set[str]:
        parts = self.parts(pk)
        wrong = self.may_not(parts, who, is_admin)
        for part in parts:
            if part.state not in OPEN_STATES | {"cancelled"}:
                wrong |= {"not_cancellable"}
            elif part.state != "cancelled" and part.end <= self.now:
                wrong |= {"already_over"}
        if not wrong:
            for part in parts:
                if part.state != "cancelled":
                    self.give_up(part, "cancelled", at=self.now)
        return wrong

    def check_in(self, pk) -> set[str]:
        wrong: set[str] = set()
        parts = self.parts(pk)
        for part in parts:
            if part.state == "checked_in" and self.now < part.end:
                continue
            if part.state == "released":
                wrong |= {"released"}
            elif part.state != "confirmed" or part.end <= self.now:
                wrong |= {"not_active"}
            elif self.now < part.start - OPENS_BEFORE:
                wrong |= {"too_early"}
        if not wrong:
            for part in parts:
                part.state, part.lapses = "checked_in", None
        return wrong

    def end(self, pk, who: str, is_admin: bool) -> set[str]:
        parts = self.parts(pk)
        wrong = self.may_not(parts, who, is_admin)
        for part in parts:
            if part.state != "checked_in" or not part.start < self.now < part.end:
                wrong |= {"not_running"}
        if not wrong:
            for part in parts:
                part.end = self.now
        return wrong

    def edit(self, pk, who: str, is_admin: bool, place: Place, start, end) -> set[str]:
        """Move the booking to this place and time, its other rooms to this time."""
        parts = self.parts(pk)
        wrong = self.may_not(parts, who, is_admin)
        wrong |= codes(rooms_overlap=any(place.shares_floor_with(b.place) for b in parts[1:]))
        for part in parts:
            to = place if part.id == pk else part.place
            if part.state not in OPEN_STATES:
                wrong |= {"not_changeable"}
            elif part.end <= self.now:
                wrong |= {"already_over"}
            elif (to, start, end) != (part.place, part.start, part.end):
                wrong |= self._cannot_move(part, to, start, end, parts, is_admin)
        if not wrong:
            for part in parts:
                self._move(part, place if part.id == pk else part.place, start, end, is_admin)
        return wrong

    def _cannot_move(
        self, part: Kept, to: Place, start, end, parts: list[Kept], is_admin: bool
    ) -> set[str]:
        if part.start <= self.now and (to, start) != (part.place, part.start):
            return {"already_started"}
        if end <= self.now:
            return {"in_the_past"}
        if part.only_gets_shorter(to, start, end):
            return set()
        wrong = self.in_the_way(to, start, end, besides=parts)
        if part.start > self.now:
            return wrong | self._past(start, end)
        return wrong or codes(needs_approval=to.needs_approval and not is_admin)

    def _move(self, part: Kept, to: Place, start, end, is_admin: bool) -> None:
        if (to, start, end) == (part.place, part.start, part.end):
            return
        is_running = part.start <= self.now
        is_shorter = part.only_gets_shorter(to, start, end)
        state, lapses = self.as_booked(to, start, end, is_admin)
        was, part.place, part.start, part.end = part.start, to, start, end
        if is_shorter and is_running:
            part.lapses = part.lapses and min(part.lapses, end)
            return
        if is_shorter and part.state == "pending":
            part.lapses = start
        elif is_shorter:
            is_there = part.state == "checked_in" and start == was
            if not is_there and not (part.uid and part.lapses is None):
                part.state, part.lapses = "confirmed", min(start + GRACE, end)
        elif not is_running:
            part.state, part.lapses = state, lapses

    def restore(self, pk, who: str, is_admin: bool) -> set[str]:
        parts = self.parts(pk)
        wrong = self.may_not(parts, who, is_admin)
        for part in parts:
            if part.before is None or part.before.state not in OPEN_STATES:
                wrong |= {"nothing_to_undo"}
                continue
            if part.end <= self.now:
                wrong |= {"already_over"}
            if not is_admin and self.now - part.ended > UNDO:
                wrong |= {"too_late_to_undo"}
            wrong |= self.in_the_way(part.place, part.start, part.end)
        if not wrong:
            for part in parts:
                self._bring_back(part)
        return wrong

    def _bring_back(self, part: Kept) -> None:
        part.state, part.lapses, part.before = part.before.state, part.before.lapses, None
        has_begun = part.start <= self.now
        if has_begun and part.state == "confirmed":
            part.state, part.lapses = "checked_in", None
        elif not has_begun and part.state == "checked_in":
            part.state, part.lapses = "confirmed", min(part.start + GRACE, part.end)

    def approve(self, pk, is_admin: bool) -> set[str]:
        parts = self.parts(pk)
        wrong = set() if is_admin else {"permission_denied"}
        for part in parts:
            if part.state == "confirmed":
                continue
            if part.state != "pending":
                wrong |= {"not_pending"}
            elif part.end <= self.now:
                wrong |= {"already_over"}
            else:
                wrong |= self.in_the_way(part.place, part.start, part.end)
        if not wrong:
            for part in parts:
                self._say_yes(part)
        return wrong

    def _say_yes(self, part: Kept) -> None:
        if part.state != "pending":
            return
        for rival in self.kept:
            near = rival.place.shares_floor_with(part.place) and rival.state == "pending"
            if near and rival is not part and rival.overlaps(part.start, part.end):
                rival.state = "rejected"
        part.state = "confirmed"
        part.lapses = min(part.start + GRACE, part.end) if part.start > self.now else None

    def reject(self, pk, is_admin: bool) -> set[str]:
        parts = self.parts(pk)
        wrong = set() if is_admin else {"permission_denied"}
        for part in parts:
            if part.state == "pending" and part.end <= self.now:
                wrong |= {"already_over"}
            elif part.state not in ("pending", "rejected"):
                wrong |= {"not_pending"}
        if not wrong:
            for part in parts:
                part.state, part.lapses = "rejected", None
        return wrong

    def give_up(self, booking: Kept, state: str, *, at: datetime) -> None:
        booking.before, booking.ended = replace(booking), at
        booking.state, booking.lapses = state, None

    def _past(self, start: datetime, end: datetime) -> set[str]:
        return codes(in_the_past=start < self.now - LATE_START or end <= self.now)

    def may_not(self, parts: list[Kept], who: str, is_admin: bool) -> set[str]:
        return codes(permission_denied=not is_admin and any(b.who != who for b in parts))

    def as_booked(self, place: Place, start, end, is_admin) -> tuple[str, datetime | None]:
        if place.needs_approval and not is_admin:
            return "pending", start if start > self.now else end
        if start <= self.now:
            return "checked_in", None
        return "confirmed", min(start + GRACE, end)

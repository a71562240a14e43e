"""The booking rules again, in plain lists; the real commands are compared with this model.

The model follows the documented rules. A command of the model returns the code of each refusal that
would be correct, in no order. If the command returns no code, it has changed the model.
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
    """Every booking and every closure. The test that uses the model sets `now`."""

    now: datetime
    bookings: list[Kept] = field(default_factory=list)
    closures: list[Closed] = field(default_factory=list)

    def apply_deadlines(self) -> None:
        """Release each no-show and reject each late request, at its own instant."""
        for booking in self.bookings:
            if booking.state == "confirmed" and booking.lapses and booking.lapses <= self.now:
                self.end_as(booking, "released", at=booking.lapses)
            elif booking.state == "pending" and booking.lapses and booking.lapses <= self.now:
                booking.state, booking.lapses = "rejected", None

    def parts(self, pk: object) -> list[Kept]:
        named = next(b for b in self.bookings if b.id == pk)
        return [named] + [b for b in self.bookings if b is not named and b.group == named.group]

    def obstacles(
        self, place: Place, start: datetime, end: datetime, ignoring: Iterable[Kept] = ()
    ) -> set[str]:
        """Return the hard limits that the slot breaks: another booking, or a closure."""
        ignored = [id(booking) for booking in ignoring]
        taken = any(
            b.has_slot and b.place.shares_floor_with(place) and b.overlaps(start, end)
            for b in self.bookings
            if id(b) not in ignored
        )
        closed = any(
            c.place.shares_floor_with(place) and c.start < end and start < c.end
            for c in self.closures
        )
        return codes(slot_taken=taken, out_of_service=closed)

    def book(self, ids, places: list[Place], start, end, who: str, is_admin: bool) -> set[str]:
        errors = self._past_errors(start, end)
        for number, place in enumerate(places):
            errors |= self.obstacles(place, start, end)
            if any(place.shares_floor_with(other) for other in places[:number]):
                errors |= {"rooms_overlap"}
        if not errors:
            group = object()
            for pk, place in zip(ids, places, strict=True):
                state, lapses = self.as_booked(place, start, end, is_admin)
                self.bookings.append(
                    Kept(pk, group, place, start, end, who, state, lapses, self.now)
                )
        return errors

    def cancel(self, pk, who: str, is_admin: bool) -> set[str]:
        parts = self.parts(pk)
        errors = self.permission_errors(parts, who, is_admin)
        for part in parts:
            if part.state not in OPEN_STATES | {"cancelled"}:
                errors |= {"not_cancellable"}
            elif part.state != "cancelled" and part.end <= self.now:
                errors |= {"already_over"}
        if not errors:
            for part in parts:
                if part.state != "cancelled":
                    self.end_as(part, "cancelled", at=self.now)
        return errors

    def check_in(self, pk) -> set[str]:
        errors: set[str] = set()
        parts = self.parts(pk)
        for part in parts:
            if part.state == "checked_in" and self.now < part.end:
                continue
            if part.state == "released":
                errors |= {"released"}
            elif part.state != "confirmed" or part.end <= self.now:
                errors |= {"not_active"}
            elif self.now < part.start - OPENS_BEFORE:
                errors |= {"too_early"}
        if not errors:
            for part in parts:
                part.state, part.lapses = "checked_in", None
        return errors

    def end(self, pk, who: str, is_admin: bool) -> set[str]:
        parts = self.parts(pk)
        errors = self.permission_errors(parts, who, is_admin)
        for part in parts:
            if part.state != "checked_in" or not part.start < self.now < part.end:
                errors |= {"not_running"}
        if not errors:
            for part in parts:
                part.end = self.now
        return errors

    def edit(self, pk, who: str, is_admin: bool, place: Place, start, end) -> set[str]:
        """Move the booking to this place and time, and its other parts to this time."""
        parts = self.parts(pk)
        errors = self.permission_errors(parts, who, is_admin)
        errors |= codes(rooms_overlap=any(place.shares_floor_with(b.place) for b in parts[1:]))
        for part in parts:
            to = place if part.id == pk else part.place
            if part.state not in OPEN_STATES:
                errors |= {"not_changeable"}
            elif part.end <= self.now:
                errors |= {"already_over"}
            elif (to, start, end) != (part.place, part.start, part.end):
                errors |= self._move_errors(part, to, start, end, parts, is_admin)
        if not errors:
            for part in parts:
                self._move(part, place if part.id == pk else part.place, start, end, is_admin)
        return errors

    def _move_errors(
        self, part: Kept, to: Place, start, end, parts: list[Kept], is_admin: bool
    ) -> set[str]:
        if part.start <= self.now and (to, start) != (part.place, part.start):
            return {"already_started"}
        if end <= self.now:
            return {"in_the_past"}
        if part.only_gets_shorter(to, start, end):
            return set()
        errors = self.obstacles(to, start, end, ignoring=parts)
        if part.start > self.now:
            return errors | self._past_errors(start, end)
        return errors or codes(needs_approval=to.needs_approval and not is_admin)

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
            has_arrived = part.state == "checked_in" and start == was
            if not has_arrived and not (part.uid and part.lapses is None):
                part.state, part.lapses = "confirmed", min(start + GRACE, end)
        elif not is_running:
            part.state, part.lapses = state, lapses

    def restore(self, pk, who: str, is_admin: bool) -> set[str]:
        parts = self.parts(pk)
        errors = self.permission_errors(parts, who, is_admin)
        for part in parts:
            if part.before is None or part.before.state not in OPEN_STATES:
                errors |= {"nothing_to_undo"}
                continue
            if part.end <= self.now:
                errors |= {"already_over"}
            if not is_admin and self.now - part.ended > UNDO:
                errors |= {"too_late_to_undo"}
            errors |= self.obstacles(part.place, part.start, part.end)
        if not errors:
            for part in parts:
                self._restore_part(part)
        return errors

    def _restore_part(self, part: Kept) -> None:
        part.state, part.lapses, part.before = part.before.state, part.before.lapses, None
        has_begun = part.start <= self.now
        if has_begun and part.state == "confirmed":
            part.state, part.lapses = "checked_in", None
        elif not has_begun and part.state == "checked_in":
            part.state, part.lapses = "confirmed", min(part.start + GRACE, part.end)

    def approve(self, pk, is_admin: bool) -> set[str]:
        parts = self.parts(pk)
        errors = set() if is_admin else {"permission_denied"}
        for part in parts:
            if part.state == "confirmed":
                continue
            if part.state != "pending":
                errors |= {"not_pending"}
            elif part.end <= self.now:
                errors |= {"already_over"}
            else:
                errors |= self.obstacles(part.place, part.start, part.end)
        if not errors:
            for part in parts:
                self._approve_part(part)
        return errors

    def _approve_part(self, part: Kept) -> None:
        if part.state != "pending":
            return
        for rival in self.bookings:
            is_rival = rival.place.shares_floor_with(part.place) and rival.state == "pending"
            if is_rival and rival is not part and rival.overlaps(part.start, part.end):
                rival.state = "rejected"
        part.state = "confirmed"
        part.lapses = min(part.start + GRACE, part.end) if part.start > self.now else None

    def reject(self, pk, is_admin: bool) -> set[str]:
        parts = self.parts(pk)
        errors = set() if is_admin else {"permission_denied"}
        for part in parts:
            if part.state == "pending" and part.end <= self.now:
                errors |= {"already_over"}
            elif part.state not in ("pending", "rejected"):
                errors |= {"not_pending"}
        if not errors:
            for part in parts:
                part.state, part.lapses = "rejected", None
        return errors

    def end_as(self, booking: Kept, state: str, *, at: datetime) -> None:
        booking.before, booking.ended = replace(booking), at
        booking.state, booking.lapses = state, None

    def _past_errors(self, start: datetime, end: datetime) -> set[str]:
        return codes(in_the_past=start < self.now - LATE_START or end <= self.now)

    def permission_errors(self, parts: list[Kept], who: str, is_admin: bool) -> set[str]:
        return codes(permission_denied=not is_admin and any(b.who != who for b in parts))

    def as_booked(self, place: Place, start, end, is_admin) -> tuple[str, datetime | None]:
        if place.needs_approval and not is_admin:
            return "pending", start if start > self.now else end
        if start <= self.now:
            return "checked_in", None
        return "confirmed", min(start + GRACE, end)

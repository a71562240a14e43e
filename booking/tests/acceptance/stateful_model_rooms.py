"""The model's rules for rooms: swaps, closures, imported calendars."""

from booking.tests.acceptance.stateful_model_rules import OPEN_STATES, Model
from booking.tests.acceptance.stateful_model_values import Closed, Kept, Place


class Campus(Model):
    """The model with the commands that concern rooms rather than one booking."""

    def swap(self, pk, other_pk, who: str, is_admin: bool) -> set[str]:
        pair = [self.parts(pk)[0], self.parts(other_pk)[0]]
        errors = self.permission_errors(pair, who, is_admin)
        for one, other in (pair, pair[::-1]):
            if one.state not in OPEN_STATES:
                errors |= {"not_changeable"}
            elif one.start <= self.now:
                errors |= {"already_started"}
            errors |= self.obstacles(other.place, one.start, one.end, ignoring=pair)
        if not errors:
            pair[0].place, pair[1].place = pair[1].place, pair[0].place
            for one in pair:
                one.state, one.lapses = self.as_booked(one.place, one.start, one.end, is_admin)
        return errors

    def affected(self, place: Place, start, end) -> list[Kept]:
        return [
            b for b in self.bookings
            if b.has_slot and b.end > self.now
            and b.place.shares_floor_with(place) and b.overlaps(start, end)
        ]  # fmt: skip

    def close(self, pk, place: Place, start, end, action: str | None, is_admin: bool) -> set[str]:
        """Close the room; `action` on affected bookings is "keep", "cancel" or None (undecided)."""
        affected = self.affected(place, start, end)
        errors = set() if is_admin else {"permission_denied"}
        if affected and action is None:
            errors |= {"bookings_affected"}
        if not errors:
            self.closures.append(Closed(pk, place, start, end))
            for booking in affected if action == "cancel" else ():
                self.end_as(booking, "cancelled", at=self.now)
                booking.group = object()
        return errors

    def reopen(self, pk, is_admin: bool) -> set[str]:
        if not is_admin:
            return {"permission_denied"}
        closure = next(c for c in self.closures if c.id == pk)
        if closure.start < self.now:
            closure.end = min(closure.end, self.now)
        else:
            self.closures.remove(closure)
        return set()

    def apply_import(self, pk, uid: str, place: Place, start, end, is_cancelled: bool) -> set[str]:
        """Import the event of a calendar without changes, past or not."""
        known = next((b for b in self.bookings if b.uid == uid), None)
        if known is None and not is_cancelled:
            errors = self.obstacles(place, start, end)
            if not errors:
                new = Kept(pk, pk, place, start, end, "", "confirmed", None, self.now, uid=uid)
                self.bookings.append(new)
            return errors
        if known is None or known.state not in OPEN_STATES:
            return set()
        if is_cancelled:
            self.end_as(known, "cancelled", at=self.now)
            return set()
        return self._update_imported(known, place, start, end)

    def _update_imported(self, known: Kept, place: Place, start, end) -> set[str]:
        if (place, start, end) == (known.place, known.start, known.end):
            return self.obstacles(place, start, end, ignoring=[known]) if known.has_slot else set()
        if known.state == "checked_in" and known.end <= self.now and known.start == start:
            return set()  # the meeting took place
        errors = self.obstacles(place, start, end, ignoring=[known])
        if not errors:
            known.place, known.start, known.end = place, start, end
            if known.state != "checked_in" or start > self.now:  # as imported, without check-in
                known.state, known.lapses = "confirmed", None
        return errors

"""The model's rules for whole rooms: trades, closures, calendars from outside."""

from booking.tests.acceptance.stateful_model_rules import OPEN_STATES, Model
from booking.tests.acceptance.stateful_model_values import Closed, Kept, Place


class Campus(Model):
    """Everything that happens to rooms rather than to one booking."""

    def swap(self, pk, other_pk, who: str, is_admin: bool) -> set[str]:
        pair = [self.parts(pk)[0], self.parts(other_pk)[0]]
        wrong = self.may_not(pair, who, is_admin)
        for one, other in (pair, pair[::-1]):
            if one.state not in OPEN_STATES:
                wrong |= {"not_changeable"}
            elif one.start <= self.now:
                wrong |= {"already_started"}
            wrong |= self.in_the_way(other.place, one.start, one.end, besides=pair)
        if not wrong:
            pair[0].place, pair[1].place = pair[1].place, pair[0].place
            for one in pair:
                one.state, one.lapses = self.as_booked(one.place, one.start, one.end, is_admin)
        return wrong

    def affected(self, place: Place, start, end) -> list[Kept]:
        return [
            b for b in self.kept
            if b.has_slot and b.end > self.now
            and b.place.shares_floor_with(place) and b.overlaps(start, end)
        ]  # fmt: skip

    def close(self, pk, place: Place, start, end, fate: str | None, is_admin: bool) -> set[str]:
        """Close the room; `fate` of what is in the way is "keep" or "cancel", or was not asked."""
        affected = self.affected(place, start, end)
        wrong = set() if is_admin else {"permission_denied"}
        if affected and fate is None:
            wrong |= {"bookings_affected"}
        if not wrong:
            self.closures.append(Closed(pk, place, start, end))
            for booking in affected if fate == "cancel" else ():
                self.give_up(booking, "cancelled", at=self.now)
                booking.group = object()
        return wrong

    def reopen(self, pk, is_admin: bool) -> set[str]:
        if not is_admin:
            return {"permission_denied"}
        closure = next(c for c in self.closures if c.id == pk)
        if closure.start < self.now:
            closure.end = min(closure.end, self.now)
        else:
            self.closures.remove(closure)
        return set()

    def bring_in(self, pk, uid: str, place: Place, start, end, is_cancelled: bool) -> set[str]:
        """Take an event of a calendar as it is, past or not."""
        known = next((b for b in self.kept if b.uid == uid), None)
        if known is None and not is_cancelled:
            wrong = self.in_the_way(place, start, end)
            if not wrong:
                new = Kept(pk, pk, place, start, end, "", "confirmed", None, self.now, uid=uid)
                self.kept.append(new)
            return wrong
        if known is None or known.state not in OPEN_STATES:
            return set()
        if is_cancelled:
            self.give_up(known, "cancelled", at=self.now)
            return set()
        return self._bring_up_to_date(known, place, start, end)

    def _bring_up_to_date(self, known: Kept, place: Place, start, end) -> set[str]:
        if (place, start, end) == (known.place, known.start, known.end):
            return self.in_the_way(place, start, end, besides=[known]) if known.has_slot else set()
        if known.state == "checked_in" and known.end <= self.now and known.start == start:
            return set()  # people came and went
        wrong = self.in_the_way(place, start, end, besides=[known])
        if not wrong:
            known.place, known.start, known.end = place, start, end
            if known.state != "checked_in" or start > self.now:  # as it came in, if nobody is there
                known.state, known.lapses = "confirmed", None
        return wrong

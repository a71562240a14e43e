"""The one place that writes bookings: one statement stores, audits, bumps versions and wakes.

A change is stored with its audit row or not at all, and the rooms' screens hear of it by the same
commit. What the decision was made from must still hold: the bump of the rooms' versions is also
the guard, for a room that has moved on is not bumped and then nothing is stored.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import transaction

from booking.domain.booking_data import BookingData
from booking.domain.states import BookingState
from booking.models import Booking
from booking.transaction.prepared_sql import execute_json, load_sql
from booking.transaction.read_snapshot import Snapshot
from meeting_rooms.kernel.actor import Actor

INSERT = load_sql(__file__, "insert_bookings")
UPDATE = load_sql(__file__, "update_bookings")
PARKED = {"state": BookingState.CANCELLED, "takes_slot": False}
OVERTAKEN = frozenset({"23P01", "23505"})  # exclusion violation, unique violation


class ConcurrentChangeError(Exception):
    """What the decision was made from has changed: look again. Never leaves the frame."""


@dataclass(frozen=True, slots=True)
class Change:
    """One booking before and after, and who changed it why; without a before it is new."""

    before: BookingData | None
    after: BookingData
    actor: Actor
    command: str
    reason: str = ""

    @classmethod
    def of(
        cls, before: BookingData, after: BookingData, actor: Actor, command: str, reason: str = ""
    ) -> "Change":
        """Return the change of a stored booking, under its next version."""
        return cls(before, replace(after, version=before.version + 1), actor, command, reason)

    @property
    def frees(self) -> bool:
        """Say whether a part of the slot is given back."""
        before, after = self.before, self.after
        return (
            before is not None
            and before.takes_slot
            and (
                not after.takes_slot
                or before.room != after.room
                or not (
                    after.interval.start <= before.interval.start
                    and before.interval.end <= after.interval.end
                )
            )
        )

    def as_document(self) -> dict[str, Any]:
        """Return it as the statements take it."""
        return {
            "before": self.before and self.before.as_row(),
            "after": self.after.as_row(),
            "actor_kind": self.actor.kind.value,
            "actor_name": self.actor.name,
            "actor_id": self.actor.user_id,
            "command": self.command,
            "reason": self.reason,
        }

    @property
    def moves(self) -> bool:
        """Say whether a booking that takes its slot takes another one than before."""
        before, after = self.before, self.after
        return (
            before is not None
            and after.takes_slot
            and (before.room_id, before.interval) != (after.room_id, after.interval)
        )


@dataclass(frozen=True, slots=True)
class ExpectedVersions:
    """What must still be as it was seen. The rooms are bumped, and the person's ledger."""

    rooms: list[int]
    person: UUID | None  # whose quotas were applied
    snapshot: Snapshot
    is_locked: bool  # then nobody can have changed the rooms

    def as_parameters(self) -> dict[str, Any]:
        """Return them as the statements take them."""
        return {
            "rooms": f"{{{','.join(map(str, self.rooms))}}}",
            "room_count": len(self.rooms),
            "version": None if self.is_locked else self.snapshot.rooms_version,
            "rules": self.snapshot.rules_version,
            "person": self.person,
            "ledger": self.snapshot.ledger_version,
            "now": self.snapshot.now,
        }


def write_changes(changes: Collection[Change], guard: ExpectedVersions) -> None:
    """Store the changes, all or none.

    Without any change the rooms are bumped all the same, guarded: something else about them is
    written in the same transaction. Bookings that trade places are taken out of the exclusion
    constraint first, inside one transaction: nobody sees them between.
    Raises ConcurrentChangeError where the guard, a booking's version or the constraint on a new
    booking refuses, or where bookings trade places and the rooms are not locked; IntegrityError
    where the constraint refuses a change; then the caller looks again.
    """
    inserts = [change for change in changes if change.before is None]
    updates = [change for change in changes if change.before is not None]
    moving = [change.after.id for change in updates if change.moves]
    if len(moving) < 2 and not (inserts and updates):
        _run(UPDATE if updates else INSERT, changes, guard.as_parameters())
        return
    if len(moving) > 1:
        _require_locked(guard)
    with transaction.atomic():
        _run_both(inserts, updates, moving, guard)


def _require_locked(guard: ExpectedVersions) -> None:
    """Raise ConcurrentChangeError unless the rooms are locked: rooms are locked before bookings."""
    if not guard.is_locked:
        raise ConcurrentChangeError


def _run_both(
    inserts: Collection[Change],
    updates: Collection[Change],
    moving: Collection[UUID],
    guard: ExpectedVersions,
) -> None:
    parameters = guard.as_parameters()
    if len(moving) > 1:
        Booking.objects.filter(pk__in=moving).update(**PARKED)
    if updates:
        _run(UPDATE, updates, parameters)
        parameters |= {"version": None, "person": None}  # guarded by what was just bumped
    if inserts:
        _run(INSERT, inserts, parameters)


def _run(statement: str, changes: Iterable[Change], parameters: dict[str, Any]) -> None:
    documents = [change.as_document() for change in changes]
    stored, bumped = execute_json(statement, {**parameters, "changes": documents})
    if (stored, bumped) != (len(documents), parameters["room_count"]):
        raise ConcurrentChangeError

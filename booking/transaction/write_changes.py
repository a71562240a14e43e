"""The only writes of bookings: one statement stores, audits, raises versions and notifies.

A change is stored with its audit entry or not at all, and the same commit notifies the workers. The
statement raises the version of each room only if the version is still the one in the snapshot.
Otherwise nothing is stored.
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
# Set for a moment on bookings that swap slots, so that the exclusion constraint ignores them.
PARKED = {"state": BookingState.CANCELLED, "takes_slot": False}
LOST_RACE_SQLSTATES = frozenset({"23P01", "23505"})  # exclusion violation, unique violation


class ConcurrentChangeError(Exception):
    """The race is lost: the snapshot has changed. `run_in_rooms` catches this error and retries."""


@dataclass(frozen=True, slots=True)
class Change:
    """One booking before and after a change, with the actor and the reason. None before: new."""

    before: BookingData | None
    after: BookingData
    actor: Actor
    command: str
    reason: str = ""

    @classmethod
    def of(
        cls, before: BookingData, after: BookingData, actor: Actor, command: str, reason: str = ""
    ) -> "Change":
        """Return the change of a stored booking; `after` gets the next version."""
        return cls(before, replace(after, version=before.version + 1), actor, command, reason)

    @property
    def frees(self) -> bool:
        """Return whether the change frees a part of the slot."""
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
        """Return the change as an element of `changes` in the SQL statements."""
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
        """Return whether the booking takes its slot and has another slot than before."""
        before, after = self.before, self.after
        return (
            before is not None
            and after.takes_slot
            and (before.room_id, before.interval) != (after.room_id, after.interval)
        )


@dataclass(frozen=True, slots=True)
class ExpectedVersions:
    """The versions that must be unchanged at the write. Those of rooms and person then rise."""

    rooms: list[int]
    person: UUID | None  # the person whose ledger is compared and raised
    snapshot: Snapshot
    is_locked: bool  # the rooms are locked, so their versions need no comparison

    def as_parameters(self) -> dict[str, Any]:
        """Return the parameters of the SQL statements, except `changes`."""
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
    """Store all the changes or none.

    The versions of the rooms are compared and raised also if there are no changes, for writes to
    other tables in the same transaction. Bookings that swap slots first stop taking their slots,
    because the exclusion constraint would refuse them; other transactions never see this state.
    Raises ConcurrentChangeError if an expected version has changed, if the exclusion constraint
    refuses a new booking, or if bookings swap slots and the rooms are not locked. Raises
    IntegrityError if the constraint refuses a changed booking; `run_in_rooms` then retries.
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
    """Raise ConcurrentChangeError unless the rooms are locked, which must precede booking locks."""
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
        parameters |= {"version": None, "person": None}  # the UPDATE has compared and raised them
    if inserts:
        _run(INSERT, inserts, parameters)


def _run(statement: str, changes: Iterable[Change], parameters: dict[str, Any]) -> None:
    documents = [change.as_document() for change in changes]
    stored, bumped = execute_json(statement, {**parameters, "changes": documents})
    if (stored, bumped) != (len(documents), parameters["room_count"]):
        raise ConcurrentChangeError

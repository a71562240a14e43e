"""Context managers that remove one guard of a booking each, so that a test shows its effect."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.db import connection

from booking.models import Booking, IdempotencyReceipt
from booking.transaction import unit_of_work, write_changes

ROOM_GUARD = "AND (guard.version IS NULL OR schedule_version = guard.version)"
VERSION_CHECK = "AND booking.version = (change->'before'->>'version')::int"
LEDGER_CHECK = "WHERE ledger.version = (SELECT ledger FROM guard)"
SKIPS_CONFLICTS = "ON CONFLICT ON CONSTRAINT booking_no_overlap DO NOTHING"
STATEMENTS = ("INSERT", "UPDATE")


@contextmanager
def _without_text(text: str) -> Iterator[None]:
    original = {name: getattr(write_changes, name) for name in STATEMENTS}
    assert any(text in statement for statement in original.values())
    for name, statement in original.items():
        setattr(write_changes, name, statement.replace(text, ""))
    try:
        yield
    finally:
        for name, statement in original.items():
            setattr(write_changes, name, statement)


def without_room_guard() -> object:
    """Store a decision even if its snapshot is outdated."""
    return _without_text(ROOM_GUARD)


def without_version_check() -> object:
    """Overwrite a booking that another command has changed."""
    return _without_text(VERSION_CHECK)


def without_ledger_check() -> object:
    """Count a quota without a check whether another command counted at the same time."""
    return _without_text(LEDGER_CHECK)


@contextmanager
def without_locks() -> Iterator[None]:
    """Decide about several rooms without a lock on them."""
    original = unit_of_work._lock, write_changes._require_locked
    unit_of_work._lock = write_changes._require_locked = lambda _: None
    try:
        yield
    finally:
        unit_of_work._lock, write_changes._require_locked = original


@contextmanager
def without_second_look() -> Iterator[None]:
    """Lock the room after every lost race, whether or not the command could still succeed."""
    original = unit_of_work._without_lock
    unit_of_work._without_lock = lambda *_: None
    try:
        yield
    finally:
        unit_of_work._without_lock = original


@contextmanager
def _dropped(table: str, constraint: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [constraint]
        )
        (definition,) = cursor.fetchone()
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
    try:
        yield
    finally:
        Booking.objects.all().delete()
        IdempotencyReceipt.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {definition}")


@contextmanager
def without_constraint() -> Iterator[None]:
    """Let Postgres store overlaps; every booking is deleted before the guard is restored."""
    with _dropped("booking_booking", "booking_no_overlap"), _without_text(SKIPS_CONFLICTS):
        yield


def without_receipt_constraint() -> object:
    """Let Postgres store several receipts of one key."""
    return _dropped("booking_idempotencyreceipt", "booking_receipt_once_per_key")


@contextmanager
def without_any_guard() -> Iterator[None]:
    """Check, then write, as if no other command ran."""
    with ExitStack() as stack:
        for guard in (
            without_constraint, without_room_guard, without_version_check, without_locks,
        ):  # fmt: skip
            stack.enter_context(guard())
        yield

"""The guards of a booking, each of which can be taken away to see what it was good for."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.db import connection

from booking.models import Booking, IdempotencyReceipt
from booking.transaction import unit_of_work, write_changes

ROOM_GUARD = "AND (guard.version IS NULL OR schedule_version = guard.version)"
VERSION_CHECK = "AND booking.version = (change->'before'->>'version')::int"
LEDGER_CHECK = "WHERE ledger.version = (SELECT ledger FROM guard)"
GIVES_WAY = "ON CONFLICT ON CONSTRAINT booking_no_overlap DO NOTHING"
STATEMENTS = ("INSERT", "UPDATE")


@contextmanager
def _without_text(text: str) -> Iterator[None]:
    usual = {name: getattr(write_changes, name) for name in STATEMENTS}
    assert any(text in statement for statement in usual.values())
    for name, statement in usual.items():
        setattr(write_changes, name, statement.replace(text, ""))
    try:
        yield
    finally:
        for name, statement in usual.items():
            setattr(write_changes, name, statement)


def without_room_guard() -> object:
    """Store whatever was decided, however old the look it was decided from."""
    return _without_text(ROOM_GUARD)


def without_version_check() -> object:
    """Overwrite a booking that somebody else has changed."""
    return _without_text(VERSION_CHECK)


def without_ledger_check() -> object:
    """Count a quota without asking whether somebody else counted meanwhile."""
    return _without_text(LEDGER_CHECK)


@contextmanager
def without_locks() -> Iterator[None]:
    """Decide about several rooms without holding them."""
    usual = unit_of_work._lock, write_changes._require_locked
    unit_of_work._lock = write_changes._require_locked = lambda _: None
    try:
        yield
    finally:
        unit_of_work._lock, write_changes._require_locked = usual


@contextmanager
def without_second_look() -> Iterator[None]:
    """Lock the room after every lost race, whether or not the command could still succeed."""
    usual = unit_of_work._without_lock
    unit_of_work._without_lock = lambda *_: None
    try:
        yield
    finally:
        unit_of_work._without_lock = usual


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
    """Let Postgres store overlaps; every booking is deleted when the guard comes back."""
    with _dropped("booking_booking", "booking_no_overlap"), _without_text(GIVES_WAY):
        yield


def without_receipt_constraint() -> object:
    """Let Postgres store several receipts of one key."""
    return _dropped("booking_idempotencyreceipt", "booking_receipt_once_per_key")


@contextmanager
def without_any_guard() -> Iterator[None]:
    """Check, then write, as if nobody else were there."""
    with ExitStack() as all_of_them:
        for guard in (
            without_constraint, without_room_guard, without_version_check, without_locks,
        ):  # fmt: skip
            all_of_them.enter_context(guard())
        yield

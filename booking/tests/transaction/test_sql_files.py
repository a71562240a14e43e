"""The SQL files name all columns of a booking; insert and update have the same guard and audit."""

import re

from booking.domain.booking_data import COLUMNS
from booking.models import Booking
from booking.queries.day_view import BOOKINGS
from booking.transaction.write_changes import INSERT, UPDATE
from rooms.places.mark_rooms_changed import ROOM_CHANGED_CHANNEL

NEVER_CHANGED = {"id", "room", "created_at"}  # `room` is the uuid of `room_id`


def names(text: str) -> list[str]:
    return [name.split(".")[-1].split(" AS ")[-1] for name in re.split(r",\s*", text.strip())]


def test_columns__of_a_booking__are_those_of_the_model():
    stored = {field.column for field in Booking._meta.concrete_fields}
    assert set(COLUMNS) - {"room"} == stored - {"units"}  # set by a trigger


def test_update__both_lists__are_all_columns_that_may_change():
    written, read = re.search(
        r"SET \((.*?)\) = \(SELECT(.*?)FROM jsonb", UPDATE, re.DOTALL
    ).groups()
    assert names(written) == names(read) == [c for c in COLUMNS if c not in NEVER_CHANGED]


def test_day_view__its_members__are_all_columns():
    selected = re.search(r"SELECT (booking\.id.*?)FROM given", BOOKINGS, re.DOTALL).group(1)
    assert names(selected) == list(COLUMNS)


def test_insert_and_update__guard_and_audit__are_the_same():
    def shared(statement: str) -> tuple[str, str]:
        start = statement.index("WITH given")
        guard, stored = statement[start:].split("), stored AS (")
        return guard, stored[stored.index("), audited AS (") :]

    assert shared(INSERT) == shared(UPDATE)


def test_insert__stored_booking__notifies_the_channel_of_the_workers():
    assert f"pg_notify('{ROOM_CHANGED_CHANNEL}'" in INSERT

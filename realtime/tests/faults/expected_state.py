"""The data in the stores at the end of a run, read without a proxy or a tested process."""

import json
from datetime import datetime
from typing import Any

import psycopg
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient

from realtime.protocol import messages
from realtime.state.audience import redact
from realtime.state.live_state import Audience, LiveState
from realtime.tests.faults.artifacts import Stored

_CODEC: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
_BOOKINGS = """
    SELECT b.id::text, r.uuid::text, lower(b.during), upper(b.during), b.state, b.title
    FROM booking_booking b JOIN rooms_room r ON r.id = b.room_id
"""


class Truth:
    """Postgres and MongoDB of one row."""

    def __init__(self, postgres_url: str, mongodb_url: str, database: str) -> None:
        self._postgres_url = postgres_url
        self._client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            mongodb_url, serverSelectionTimeoutMS=5000, tz_aware=True, directConnection=True
        )
        self._rooms = self._client.get_database(database, codec_options=_CODEC)["rooms"]

    async def close(self) -> None:
        await self._client.close()

    async def query(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        """Run one statement in Postgres, committed; return its rows."""
        connection = await psycopg.AsyncConnection.connect(
            self._postgres_url, autocommit=True, connect_timeout=5
        )
        async with connection:
            cursor = await connection.execute(sql, args)
            return await cursor.fetchall() if cursor.description else []

    async def bookings(self) -> list[Stored]:
        return [Stored(*row) for row in await self.query(_BOOKINGS)]

    async def busy_rooms(self, at: datetime) -> set[str]:
        """Return the rooms that have a live booking at this instant."""
        rows = await self.query(
            "SELECT r.uuid::text FROM booking_booking b JOIN rooms_room r ON r.id = b.room_id "
            "WHERE b.state IN ('confirmed', 'checked_in') AND b.during @> %s "
            "AND (b.lapses_at IS NULL OR b.lapses_at > %s)",
            at,
            at,
        )
        return {row[0] for row in rows}

    async def schedule_versions(self) -> dict[str, int]:
        rows = await self.query("SELECT uuid::text, schedule_version FROM rooms_room")
        return dict(rows)

    async def states(self) -> dict[str, LiveState]:
        docs = await self._rooms.find({}).to_list()
        return {doc["_id"]: LiveState.from_document(doc) for doc in docs}


def as_shown(state: LiveState, audience: Audience) -> dict[str, Any]:
    """Return a state as a client of this audience must show it."""
    text = messages.encode(messages.room_body(redact(state, audience)))
    body: dict[str, Any] = json.loads(text)
    return body

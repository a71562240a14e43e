"""The live store: live states, raw readings and the projector lease in MongoDB.

The store relies only on atomic writes of single documents: every replacement of a live state names
the (epoch, version) that it replaces. Every call takes at most `settings.STORE_TIMEOUT_S` and
raises UnavailableError if MongoDB does not answer in time.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from django.conf import settings
from pymongo import ASCENDING, DESCENDING, AsyncMongoClient
from pymongo.errors import CollectionInvalid, DuplicateKeyError

from realtime.state.absence import Sighting
from realtime.state.live_state import LiveState, Mark, Occupancy, SensorHealth, SlotState
from realtime.state.topics import Topic
from realtime.store.mongo_link import CODEC, DisplayRows

log = structlog.get_logger(__name__)

READINGS_KEPT = timedelta(days=30)  # then MongoDB deletes them
PROJECTOR_LEASE = "projector"
MAX_SKEW_S = 2.0  # with more clock skew to the store, a process does not count as live
_FIELD_OF_TOPIC = {"building": "building", "floor": "floor", "room": "_id"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One raw sensor reading, as stored in the time series."""

    room: UUID
    count: int | None
    motion: bool | None
    source: str
    observed_at: datetime

    @property
    def sees_people(self) -> bool:
        """Return whether the reading shows people in the room."""
        return bool(self.count or self.motion)


class LiveStore(DisplayRows):
    """Live states, raw readings, displays and the projector lease in one MongoDB database.

    Every method that waits raises UnavailableError if MongoDB does not answer in time.
    """

    def _use(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        super()._use(client)
        self._rooms = self._db["rooms"]
        self._leases = self._db["leases"]

    async def prepare(self) -> None:
        """Create indexes and the time series, each within the limit of a call. Safe to repeat."""
        for field in ("next_change_at", "building", "floor"):
            async with self._bounded():
                await self._rooms.create_index([(field, ASCENDING)])
        async with self._bounded():
            await self.prepare_displays()
        async with self._bounded():
            await self._create_readings()
        async with self._bounded():
            await self._db["readings"].create_index(
                [("room", ASCENDING), ("observed_at", DESCENDING)]
            )

    async def _create_readings(self) -> None:
        try:
            await self._db.create_collection(
                "readings",
                timeseries={"timeField": "observed_at", "metaField": "room"},
                expireAfterSeconds=int(READINGS_KEPT.total_seconds()),
            )
        except CollectionInvalid:
            log.debug("readings_exist")

    async def ping(self) -> None:
        """Raise UnavailableError if the primary does not answer."""
        async with self._bounded():
            await self._client.admin.command("ping")

    async def get(self, room_id: str) -> LiveState | None:
        """Return the state of one room; None if there is none.

        An unreadable state, of another release, is deleted: the projector then creates a new state
        under a new epoch.
        """
        async with self._bounded():
            doc = await self._rooms.find_one({"_id": room_id})
            if doc is None:
                return None
            if state := _readable(doc):
                return state
            await self._rooms.delete_one({key: doc.get(key) for key in ("_id", "epoch", "version")})
        return None

    async def states(self, topic: Topic) -> list[LiveState]:
        """Return the readable states of a topic, sorted by id."""
        async with self._bounded():
            docs = await self._rooms.find(_filter(topic)).sort("_id").to_list()
        return [state for doc in docs if (state := _readable(doc))]

    async def states_of(self, room_ids: Iterable[str]) -> list[LiveState]:
        """Return the readable states of these rooms; rooms without state are omitted."""
        async with self._bounded():
            docs = await self._rooms.find({"_id": {"$in": [*room_ids]}}).to_list()
        return [state for doc in docs if (state := _readable(doc))]

    async def marks(self) -> dict[str, Mark]:
        """Return (epoch, version) by id of room."""
        async with self._bounded():
            docs = await self._rooms.find({}, {"epoch": 1, "version": 1}).to_list()
        return {doc["_id"]: (doc["epoch"], doc["version"]) for doc in docs}

    async def schedule_versions(self) -> dict[UUID, int]:
        """Return by room the Postgres version of the schedule in its state."""
        async with self._bounded():
            docs = await self._rooms.find({}, {"schedule.version": 1}).to_list()
        return {UUID(doc["_id"]): doc["schedule"]["version"] for doc in docs}

    async def insert(self, state: LiveState) -> bool:
        """Store the first state of a room. Returns False if another projector was faster."""
        async with self._bounded():
            try:
                await self._rooms.insert_one(state.as_document())
            except DuplicateKeyError:
                return False
        return True

    async def replace(self, state: LiveState, *, expected: Mark) -> bool:
        """Replace the state of a room if its mark is still `expected`.

        Returns False if another projector was faster; the caller must read again. Guarantees: the
        write is atomic, journaled and acknowledged by a majority.
        """
        epoch, version = expected
        doc = state.as_document()
        async with self._bounded():
            found = await self._rooms.find_one_and_replace(
                {"_id": state.id, "epoch": epoch, "version": version}, doc, {"_id": 1}
            )
        return found is not None

    async def remove(self, room_ids: Iterable[UUID]) -> None:
        """Delete the states of rooms, such as rooms that are no longer in use."""
        async with self._bounded():
            await self._rooms.delete_many({"_id": {"$in": [str(uuid) for uuid in room_ids]}})

    async def due(self, now: datetime, *, limit: int = 500) -> list[UUID]:
        """Return the rooms whose `next_change_at` has passed, the longest overdue first."""
        async with self._bounded():
            cursor = self._rooms.find({"next_change_at": {"$lte": now}}, {"_id": 1})
            docs = await cursor.sort("next_change_at").limit(limit).to_list()
        return [UUID(doc["_id"]) for doc in docs]

    async def next_due(self) -> datetime | None:
        """Return the earliest `next_change_at` of all states; None if there is none."""
        async with self._bounded():
            doc = await self._rooms.find_one(
                {"next_change_at": {"$ne": None}},
                {"next_change_at": 1},
                sort=[("next_change_at", ASCENDING)],
            )
        return doc["next_change_at"] if doc else None

    async def keep_reading(self, reading: Reading) -> None:
        """Append a raw reading to the time series."""
        doc = {
            "room": str(reading.room),
            "count": reading.count,
            "motion": reading.motion,
            "source": reading.source,
            "observed_at": reading.observed_at,
        }
        async with self._bounded():
            await self._db["readings"].insert_one(doc)

    async def newest_reading(self, room: UUID) -> Occupancy | None:
        """Return the occupancy of the newest raw reading of a room; None without readings."""
        async with self._bounded():
            doc = await self._db["readings"].find_one(
                {"room": str(room)}, sort=[("observed_at", DESCENDING)]
            )
        if doc is None:
            return None
        names = ("count", "motion", "source", "observed_at")
        return Occupancy(**{name: doc[name] for name in names}, sensor=SensorHealth.OK)

    async def sightings(self, room: UUID, *, since: datetime) -> list[Sighting]:
        """Return a room's readings from `since` on: instant, and whether it shows people."""
        query = {"room": str(room), "observed_at": {"$gte": since}}
        async with self._bounded():
            docs = await self._db["readings"].find(query).sort("observed_at").to_list()
        return [(doc["observed_at"], bool(doc["count"] or doc["motion"])) for doc in docs]

    async def checked_in_and_empty(self) -> list[LiveState]:
        """Return the states with a checked-in booking whose newest reading shows no people."""
        query = {
            "schedule.current.state": SlotState.CHECKED_IN,
            "occupancy.sensor": SensorHealth.OK,
            "occupancy.count": {"$in": [None, 0]},
            "occupancy.motion": {"$ne": True},
        }
        async with self._bounded():
            docs = await self._rooms.find(query).to_list()
        return [state for doc in docs if (state := _readable(doc))]

    async def renew_lease(self) -> None:
        """Renew the projector lease now, by the clock of the store."""
        async with self._bounded():
            await self._leases.update_one(
                {"_id": PROJECTOR_LEASE}, {"$currentDate": {"renewed_at": True}}, upsert=True
            )

    async def lease_age_s(self) -> float | None:
        """Return the seconds since the last renewal of the projector lease; None without lease.

        Both instants are of the store's clock, so wrong clocks of other machines have no effect.
        """
        age = {"$subtract": ["$$NOW", "$renewed_at"]}
        async with self._bounded():
            cursor = await self._leases.aggregate(
                [{"$match": {"_id": PROJECTOR_LEASE}}, {"$project": {"age_ms": age}}]
            )
            docs = await cursor.to_list()
        return docs[0]["age_ms"] / 1000 if docs else None

    async def clock_skew_s(self, now: datetime) -> float:
        """Return by how many seconds a clock that shows `now` is ahead of the store's clock.

        The duration of the call distorts the result, by at most `settings.STORE_TIMEOUT_S`.
        """
        async with self._bounded():
            answer = await self._client.admin.command("hello", codec_options=CODEC)
        theirs: datetime = answer["localTime"]
        return (now - theirs).total_seconds()


def _readable(doc: dict[str, Any]) -> LiveState | None:
    try:
        return LiveState.from_document(doc)
    except (KeyError, TypeError, ValueError) as exc:
        log.warning("live_state_unreadable", room=doc.get("_id"), error=repr(exc))
        return None


def _filter(topic: Topic) -> Mapping[str, str]:
    return {} if topic.kind == "campus" else {_FIELD_OF_TOPIC[topic.kind]: topic.key}


def open_store() -> LiveStore:
    """Return a new store for the running event loop. The caller must close it."""
    return LiveStore(_connect, settings.MONGODB_DATABASE)


def _connect() -> AsyncMongoClient[dict[str, Any]]:
    milliseconds = int(settings.STORE_TIMEOUT_S * 1000)
    return AsyncMongoClient(
        settings.MONGODB_URL,
        tz_aware=True,
        serverSelectionTimeoutMS=milliseconds,
        connectTimeoutMS=milliseconds,
        socketTimeoutMS=milliseconds,
        maxPoolSize=50,
    )


_stores: WeakKeyDictionary[asyncio.AbstractEventLoop, LiveStore] = WeakKeyDictionary()


def shared_store() -> LiveStore:
    """Return the store of the running event loop, created on first use.

    A MongoDB client can be used only on the event loop on which it was created.
    """
    loop = asyncio.get_running_loop()
    if loop not in _stores:
        _stores[loop] = open_store()
    return _stores[loop]

"""The MongoDB client of the live store, and the stored reports of displays.

Only this module and `realtime.store.live_store` access MongoDB.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import structlog
from bson.codec_options import CodecOptions
from django.conf import settings
from pymongo import DESCENDING, AsyncMongoClient, UpdateOne, timeout
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from meeting_rooms.kernel.errors import LiveStoreUnavailableError
from meeting_rooms.kernel.store_outages import Store, process_outages
from realtime.state.display_freshness import Display

log = structlog.get_logger(__name__)

CODEC: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
DISPLAYS_KEPT = timedelta(days=1)  # after their last report
DISPLAYS_AT_ONCE = 100  # per bulk write: about 6 ms on the event loop
MAX_DISPLAYS = 50_000  # stored at most, because any client can report as a new display
NO_ANSWER = "The live store did not answer in time. Try again."
# The driver ends a call itself after this part of STORE_TIMEOUT_S, without a server up to half a
# second later. A cancellation while the driver waits for its own lock can break the lock, so the
# cancellation after STORE_TIMEOUT_S is the last resort.
DRIVER_PART = 0.7

Connect = Callable[[], AsyncMongoClient[dict[str, Any]]]


class MongoLink:
    """A MongoDB database and its client, which is replaced if it no longer knows a writable server.

    A client remembers the newest election of the replica set and ignores older ones. So it would
    never accept a primary of servers that were reinstalled or restored from a backup.
    """

    def __init__(self, connect: Connect, database: str) -> None:
        self._connect = connect
        self._database = database
        self._closing: set[asyncio.Task[None]] = set()
        self._use(connect())

    def _use(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        self._client = client
        self._db: AsyncDatabase[dict[str, Any]] = client.get_database(
            self._database, codec_options=CODEC, write_concern=WriteConcern("majority", j=True)
        )

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        """Limit a call to STORE_TIMEOUT_S. Raises LiveStoreUnavailableError if the call fails."""
        client, limit_s = self._client, settings.STORE_TIMEOUT_S
        try:
            async with asyncio.timeout(limit_s):
                with timeout(limit_s * DRIVER_PART):
                    yield
            process_outages.answered(Store.MONGODB)
        except PyMongoError as exc:
            if not client.topology_description.has_writable_server():
                self._replace(client)
            raise LiveStoreUnavailableError(NO_ANSWER) from exc
        except (TimeoutError, RuntimeError) as exc:
            # The driver has not ended the call in time, or reports that its lock is broken.
            if self._replace(client):
                log.warning("store_driver_failed", error=repr(exc))
            if (task := asyncio.current_task()) and task.cancelling():
                raise asyncio.CancelledError from exc  # the broken lock has hidden it
            raise LiveStoreUnavailableError(NO_ANSWER) from exc

    def _replace(self, lost: AsyncMongoClient[dict[str, Any]]) -> bool:
        """Switch to a new client. Returns False if an earlier call has replaced the lost one."""
        if lost is not self._client:
            return False
        log.debug("store_client_replaced")
        self._use(self._connect())
        task = asyncio.get_running_loop().create_task(_close(lost), name="close-lost-client")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return True

    async def close(self) -> None:
        """Close the connections, within STORE_TIMEOUT_S."""
        await asyncio.gather(_close(self._client), *self._closing)


async def _close(client: AsyncMongoClient[dict[str, Any]]) -> None:
    """Close a client. If its lock is broken, `client.close` alone would never return."""
    try:
        async with asyncio.timeout(settings.STORE_TIMEOUT_S):
            await client.close()
    except (PyMongoError, TimeoutError, RuntimeError) as exc:
        log.warning("store_client_not_closed", error=repr(exc))


class DisplayRows(MongoLink):
    """The stored newest report of each display. Lost reports do no harm: the next one follows."""

    def _use(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        super()._use(client)
        # Displays report every 15 s, so a report needs no majority and no journal.
        self._displays = self._db.get_collection("displays", write_concern=WriteConcern(1))

    async def prepare_displays(self) -> None:
        """Create the index that deletes old reports. Safe to repeat; the caller limits the time."""
        kept_s = int(DISPLAYS_KEPT.total_seconds())
        await self._displays.create_index("last_seen", expireAfterSeconds=kept_s)

    async def put_displays(self, displays: Sequence[Display]) -> None:
        """Store reports of displays. A report older than the stored one is ignored.

        Two processes may save a display that reconnected, in any order. The reports are written in
        batches, each with its own time limit, so the event loop is not blocked. After an error all
        reports can be stored again. Raises LiveStoreUnavailableError if MongoDB does not answer.
        """
        for first in range(0, len(displays), DISPLAYS_AT_ONCE):
            async with self._bounded():
                is_full = await self._displays.estimated_document_count() >= MAX_DISPLAYS
                batch = displays[first : first + DISPLAYS_AT_ONCE]
                writes = [_newest_of(display, upsert=not is_full) for display in batch]
                await self._displays.bulk_write(writes, ordered=False)

    async def displays(self, *, limit: int) -> list[Display]:
        """Return up to `limit` displays of the last day, the newest report first."""
        async with self._bounded():
            docs = await self._displays.find().sort("last_seen", DESCENDING).to_list(limit)
        return [display for doc in docs if (display := _readable_display(doc))]


def _readable_display(doc: dict[str, Any]) -> Display | None:
    try:
        return Display.from_document(doc)
    except (KeyError, TypeError, ValueError) as exc:
        # Written by another release; the next report replaces it.
        log.debug("display_unreadable", error=repr(exc))
        return None


def _newest_of(display: Display, *, upsert: bool) -> UpdateOne:
    doc = {"_id": display.key, **asdict(display)}
    is_older = {"$gt": ["$last_seen", display.last_seen]}
    newest = {"$cond": [is_older, "$$ROOT", {"$literal": doc}]}
    return UpdateOne({"_id": display.key}, [{"$replaceWith": newest}], upsert=upsert)

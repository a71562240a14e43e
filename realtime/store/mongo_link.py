"""What both parts of the live store rest on, a client, and the smaller part: what displays report.

With `realtime.store.live_store` the only module that speaks to MongoDB.
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
from pymongo import DESCENDING, AsyncMongoClient, UpdateOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from meeting_rooms.kernel.errors import LiveStoreUnavailableError
from meeting_rooms.kernel.store_outages import Store, process_outages
from realtime.state.display_freshness import Display

log = structlog.get_logger(__name__)

CODEC: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
DISPLAYS_KEPT = timedelta(days=1)  # after their last report
DISPLAYS_AT_ONCE = 100  # some 6 ms of work for the event loop
MAX_DISPLAYS = 50_000  # reports of displays beyond are dropped: anybody may claim to be one


Connect = Callable[[], AsyncMongoClient[dict[str, Any]]]


class MongoLink:
    """A database, and a client that is replaced when it knows no server to write to any more.

    A client remembers the newest election it has heard of and believes none that is older: of
    servers made anew, or restored from a backup, it takes none for the primary, ever.
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
        """Bound a call by STORE_TIMEOUT_S; raise LiveStoreUnavailableError if it fails."""
        client = self._client
        try:
            async with asyncio.timeout(settings.STORE_TIMEOUT_S):
                yield
            process_outages.answered(Store.MONGODB)
        except (PyMongoError, TimeoutError) as exc:
            if not client.topology_description.has_writable_server():
                self._replace(client)
            sentence = "The live store did not answer in time. Try again."
            raise LiveStoreUnavailableError(sentence) from exc

    def _replace(self, lost: AsyncMongoClient[dict[str, Any]]) -> None:
        """Go on with a new client, once for all calls that have failed on this one."""
        if lost is not self._client:
            return
        log.debug("store_client_replaced")
        self._use(self._connect())
        task = asyncio.get_running_loop().create_task(lost.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
        await asyncio.gather(*self._closing)


class DisplayRows(MongoLink):
    """The newest report of each display; a report may be lost, the next one replaces it."""

    def _use(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        super()._use(client)
        # Reports come again within seconds, so they need no majority and no journal.
        self._displays = self._db.get_collection("displays", write_concern=WriteConcern(1))

    async def prepare_displays(self) -> None:
        """Let reports expire. Harmless when repeated; the caller bounds it."""
        kept_s = int(DISPLAYS_KEPT.total_seconds())
        await self._displays.create_index("last_seen", expireAfterSeconds=kept_s)

    async def put_displays(self, displays: Sequence[Display]) -> None:
        """Keep the reports of displays; one older than the kept is ignored.

        A display that reconnects may be told by two processes, in either order. Written in batches,
        each bounded by itself: the event loop is not held up, and a retry of all is harmless.
        """
        for first in range(0, len(displays), DISPLAYS_AT_ONCE):
            async with self._bounded():
                is_full = await self._displays.estimated_document_count() >= MAX_DISPLAYS
                batch = displays[first : first + DISPLAYS_AT_ONCE]
                writes = [_newest_of(display, upsert=not is_full) for display in batch]
                await self._displays.bulk_write(writes, ordered=False)

    async def displays(self, *, limit: int) -> list[Display]:
        """Return the displays that reported within the last day, the latest report first."""
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

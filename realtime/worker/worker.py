"""The worker: keeps every live state true. Any number may run; two on one room do no harm.

`listen` takes Postgres' wake-ups (the fast path), `sweep` finds what they missed (the safe path),
`tick` serves the clock, `release` turns no-shows and lapsed holds into facts, `watch` ends what was
left, `review` warns series to which nobody comes, `drain` projects whatever is marked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

import psycopg
import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError

from booking.commands.expire_due_bookings import expire_due_bookings
from booking.repository import rooms_with_something_due, series_to_review
from booking.series.review_no_shows import review_no_shows
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import NotFoundError, UnavailableError
from realtime import metrics
from realtime.store.live_store import MAX_SKEW_S, LiveStore
from realtime.threads import in_thread
from realtime.worker.end_abandoned import AbsenceWatch
from realtime.worker.projector import Projector
from rooms.places.mark_rooms_changed import ROOM_CHANGED_CHANNEL
from rooms.policies.cache import rules_version
from rooms.queries import schedule_ages_s, schedule_versions

log = structlog.get_logger(__name__)

SWEEP_S = 1.0
WATCH_S = 5.0
REVIEW_S = 300.0
TICK_MAX_S = 0.5  # a state written by another worker may become due this late
TICK_MIN_S = 0.02
MAX_LAG_S = 3.0  # a worker further behind does not vouch for the screens
PROJECTIONS_AT_ONCE = 4
TOGETHER = 50  # rooms of one projection: one read of each store for all of them
STORE_ERRORS = (UnavailableError, OperationalError, InterfaceError, psycopg.Error, OSError)


class DirtyRooms:
    """The rooms that wait for a projection, each at most once: bounded by the number of rooms."""

    def __init__(self) -> None:
        self._rooms: dict[UUID, None] = {}
        self._wake = asyncio.Event()

    def add(self, room: UUID) -> None:
        """Mark a room."""
        self._rooms[room] = None
        self._wake.set()

    async def take(self) -> list[UUID]:
        """Wait for marked rooms; take up to TOGETHER of them, the longest waiting first."""
        while not self._rooms:
            self._wake.clear()
            await self._wake.wait()
        taken = list(islice(self._rooms, TOGETHER))
        for room in taken:
            del self._rooms[room]
        return taken


class Worker:
    """Runs the loops until cancelled."""

    def __init__(self, store: LiveStore, projector: Projector, clock: Clock) -> None:
        self._store = store
        self._projector = projector
        self._clock = clock
        self._absence = AbsenceWatch(store, clock)
        self._dirty = DirtyRooms()
        self._behind_since: dict[UUID, float] = {}
        self._rules_version: int | None = None  # None: rooms may show what older rules said
        self._on_time = asyncio.Event()

    async def run(self) -> None:
        """Run all loops; a bug in one ends them all, so that no half of a worker lives on."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._forever(self._listen), name="listen")
            group.create_task(self._forever(self._sweep), name="sweep")
            group.create_task(self._forever(self._tick), name="tick")
            group.create_task(self._forever(self._release), name="release")
            group.create_task(self._forever(self._watch), name="watch")
            group.create_task(self._forever(self._review), name="review")
            for n in range(PROJECTIONS_AT_ONCE):
                group.create_task(self._forever(self._drain), name=f"drain-{n}")

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat a step. A store that is away is logged and tried again after a second."""
        while True:
            try:
                await step()
            except STORE_ERRORS as exc:
                log.warning(
                    "worker_waits_for_store",
                    step=getattr(step, "__name__", ""),
                    error=exc,
                )
                await asyncio.sleep(1)

    async def _listen(self) -> None:
        """Mark the rooms that commits name, until the connection is lost."""
        connection = await psycopg.AsyncConnection.connect(
            settings.DATABASE_URL, autocommit=True, connect_timeout=3
        )
        async with connection:
            await connection.execute(f"LISTEN {ROOM_CHANGED_CHANNEL}")
            async for notice in connection.notifies():
                self._dirty.add(UUID(notice.payload))

    async def _sweep(self) -> None:
        """Mark what the store is behind on, drop what is gone, and renew the lease."""
        await self._compare_clocks()
        # The store is read first: a room that is made and projected between the reads is then
        # simply known, and a stored version above the true one can only be a restored database.
        stored = await self._store.schedule_versions()
        truth = await in_thread(schedule_versions)
        behind = {room for room, version in truth.items() if stored.get(room, 0) < version}
        for room in behind | await self._by_other_rules(truth):
            self._dirty.add(room)
        ahead = {room for room, version in truth.items() if stored.get(room, 0) > version}
        if unfounded := (stored.keys() - truth.keys()) | ahead:
            await self._store.remove(unfounded)
        if await self._is_keeping_up(behind) and self._on_time.is_set():
            await self._store.renew_lease()
        await asyncio.sleep(SWEEP_S)

    async def _by_other_rules(self, rooms: Iterable[UUID]) -> set[UUID]:
        """Return the rooms once whenever a rule has changed, by whatever way, and at the start.

        The commands that change a rule mark the rooms that show it; this finds the others.
        """
        version = await in_thread(rules_version)
        if version == self._rules_version:
            return set()
        self._rules_version = version
        return set(rooms)

    async def _is_keeping_up(self, behind: set[UUID]) -> bool:
        """Say whether the screens may be believed: no commit and no instant is overdue for long."""
        waited_s = max(await self._commits_waited_s(behind), await self._instants_waited_s())
        metrics.projector_lag_seconds.set(waited_s)
        if waited_s > MAX_LAG_S:
            log.warning("worker_behind", rooms=len(behind), waited_s=round(waited_s, 1))
        return waited_s <= MAX_LAG_S

    async def _compare_clocks(self) -> None:
        """Judge nothing while this machine's clock is off: what is free depends on it.

        Another worker, whose clock is right, may be at work beside this one.
        """
        skew_s = await self._store.clock_skew_s(self._clock.now())
        if abs(skew_s) <= MAX_SKEW_S:
            self._on_time.set()
        else:
            self._on_time.clear()
            log.error("worker_clock_off", skew_s=round(skew_s, 1))

    async def _commits_waited_s(self, behind: set[UUID]) -> float:
        """Return how long the oldest commit has waited that no projection has brought in yet.

        Postgres knows the age of a room's last commit only: a room that changes all the time and
        is never projected has waited since this worker first saw it behind.
        """
        if not behind:
            self._behind_since = {}
            return 0.0
        now = asyncio.get_running_loop().time()
        self._behind_since = {room: self._behind_since.get(room, now) for room in behind}
        seen_s = now - min(self._behind_since.values())
        ages_s = await in_thread(schedule_ages_s, behind)
        return max(seen_s, *ages_s.values(), 0.0)

    async def _instants_waited_s(self) -> float:
        """Return how long ago the first instant was that nobody has served yet."""
        due = await self._store.next_due()
        return metrics.seconds_since(due, self._clock.now()) if due else 0.0

    async def _tick(self) -> None:
        """Mark what time has overtaken, and sleep until the next instant that matters."""
        await self._on_time.wait()
        for room in await self._store.due(self._clock.now()):
            self._dirty.add(room)
        await asyncio.sleep(self._until(await self._store.next_due()))

    async def _release(self) -> None:
        """Settle no-shows and holds. Their slots are free already; this makes it a fact."""
        await self._on_time.wait()
        for room in await in_thread(rooms_with_something_due, now=self._clock.now()):
            try:
                await in_thread(expire_due_bookings, room=room, clock=self._clock)
            except (NotFoundError, *STORE_ERRORS) as exc:
                # Gone, or held by a long transaction: the others must not wait for it.
                log.warning("release_postponed", room=str(room), error=exc)
        await asyncio.sleep(SWEEP_S)

    async def _watch(self) -> None:
        """End the bookings whose people have left, where the room's policy says so."""
        await self._on_time.wait()
        await self._absence.end_abandoned()
        await asyncio.sleep(WATCH_S)

    async def _review(self) -> None:
        """Warn the series to which nobody comes, and give their dates back after the notice."""
        await self._on_time.wait()
        for series in await in_thread(series_to_review, now=self._clock.now()):
            found = await in_thread(review_no_shows, series_id=series, clock=self._clock)
            log.info("series_reviewed", series=str(series), found=found.value)
        await asyncio.sleep(REVIEW_S)

    def _until(self, due: datetime | None) -> float:
        wait = (due - self._clock.now()) if due else timedelta(seconds=TICK_MAX_S)
        return min(max(wait.total_seconds(), TICK_MIN_S), TICK_MAX_S)

    async def _drain(self) -> None:
        """Project what is marked. A room that cannot be judged must not stop the others."""
        rooms = await self._dirty.take()
        await self._on_time.wait()
        if not await self._project(rooms) and len(rooms) > 1:
            for room in rooms:
                await self._project([room])

    async def _project(self, rooms: list[UUID]) -> bool:
        """Project some rooms; say whether all of them could be judged."""
        try:
            await self._projector.project_all(rooms)
        except STORE_ERRORS:
            metrics.projections_total.labels("failed").inc(len(rooms))
            for room in rooms:  # a change of rules leaves no version behind for the sweep to see
                self._dirty.add(room)
            raise
        except Exception:  # logged whole; the sweep tries again every second
            metrics.projections_total.labels("failed").inc(len(rooms))
            log.exception("projection_failed", rooms=[str(room) for room in rooms])
            return False
        return True

"""The worker keeps every live state up to date. Any number of workers may run at the same time.

`listen` receives NOTIFY from Postgres (the fast path), `sweep` finds changes without NOTIFY (the
safe path), `tick` finds rooms that change by time, `release` stores the end of no-shows and expired
holds, `watch` ends abandoned bookings, `review` warns about series without attendance, and `drain`
projects the marked rooms.
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

# Seconds between two runs of a loop.
SWEEP_S = 1.0
WATCH_S = 5.0
REVIEW_S = 300.0
TICK_MAX_S = 0.5  # the most that a due state written by another worker is noticed late
TICK_MIN_S = 0.02
MAX_LAG_S = 3.0  # a worker that is further behind does not renew the lease
PROJECTIONS_AT_ONCE = 4  # tasks of `drain`
ROOMS_PER_PROJECTION = 50  # each store is read once for all of them
STORE_ERRORS = (UnavailableError, OperationalError, InterfaceError, psycopg.Error, OSError)


class DirtyRooms:
    """The queue of rooms to project. Each room is queued at most once, so the queue is bounded."""

    def __init__(self) -> None:
        self._rooms: dict[UUID, None] = {}
        self._wake = asyncio.Event()

    def add(self, room: UUID) -> None:
        """Mark a room for projection."""
        self._rooms[room] = None
        self._wake.set()

    async def take(self) -> list[UUID]:
        """Wait for marked rooms; remove and return the ROOMS_PER_PROJECTION oldest."""
        while not self._rooms:
            self._wake.clear()
            await self._wake.wait()
        taken = list(islice(self._rooms, ROOMS_PER_PROJECTION))
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
        self._rules_version: int | None = None  # None: project all rooms once
        self._on_time = asyncio.Event()

    async def run(self) -> None:
        """Run all loops. A bug in one loop ends all of them, so no worker runs incompletely."""
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
        """Repeat a step. If a store is away, log a warning and try again after a second."""
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
        """Mark the rooms named by NOTIFY, until the connection is lost."""
        connection = await psycopg.AsyncConnection.connect(
            settings.DATABASE_URL, autocommit=True, connect_timeout=3
        )
        async with connection:
            await connection.execute(f"LISTEN {ROOM_CHANGED_CHANNEL}")
            async for notice in connection.notifies():
                self._dirty.add(UUID(notice.payload))

    async def _sweep(self) -> None:
        """Mark outdated states, delete states of rooms not in use, and renew the lease."""
        await self._compare_clocks()
        # The store is read before Postgres: a room that is created and projected in between is then
        # not deleted, and a stored version above the true one means that Postgres was restored.
        stored = await self._store.schedule_versions()
        truth = await in_thread(schedule_versions)
        behind = {room for room, version in truth.items() if stored.get(room, 0) < version}
        for room in behind | await self._after_policy_change(truth):
            self._dirty.add(room)
        ahead = {room for room, version in truth.items() if stored.get(room, 0) > version}
        if unfounded := (stored.keys() - truth.keys()) | ahead:
            await self._store.remove(unfounded)
        if await self._is_keeping_up(behind) and self._on_time.is_set():
            await self._store.renew_lease()
        await asyncio.sleep(SWEEP_S)

    async def _after_policy_change(self, rooms: Iterable[UUID]) -> set[UUID]:
        """Return all rooms at the start and once after each change of a policy, else none.

        The commands that change a policy mark their rooms; this covers all other ways of a change.
        """
        version = await in_thread(rules_version)
        if version == self._rules_version:
            return set()
        self._rules_version = version
        return set(rooms)

    async def _is_keeping_up(self, behind: set[UUID]) -> bool:
        """Return whether no commit and no change by time has waited longer than MAX_LAG_S."""
        waited_s = max(await self._commits_waited_s(behind), await self._instants_waited_s())
        metrics.projector_lag_seconds.set(waited_s)
        if waited_s > MAX_LAG_S:
            log.warning("worker_behind", rooms=len(behind), waited_s=round(waited_s, 1))
        return waited_s <= MAX_LAG_S

    async def _compare_clocks(self) -> None:
        """Stop the projection while the clock of this machine is wrong: every status depends on it.

        Other workers, whose clocks are right, continue.
        """
        skew_s = await self._store.clock_skew_s(self._clock.now())
        if abs(skew_s) <= MAX_SKEW_S:
            self._on_time.set()
        else:
            self._on_time.clear()
            log.error("worker_clock_off", skew_s=round(skew_s, 1))

    async def _commits_waited_s(self, behind: set[UUID]) -> float:
        """Return for how many seconds the oldest unprojected commit has waited.

        Postgres has only the instant of the last commit of a room. For a room that changes all the
        time and is never projected, the wait counts from when this worker first saw it behind.
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
        """Return for how many seconds the oldest due `next_change_at` has waited."""
        due = await self._store.next_due()
        return metrics.seconds_since(due, self._clock.now()) if due else 0.0

    async def _tick(self) -> None:
        """Mark the rooms that are due, and sleep until the next instant."""
        await self._on_time.wait()
        for room in await self._store.due(self._clock.now()):
            self._dirty.add(room)
        await asyncio.sleep(self._until(await self._store.next_due()))

    async def _release(self) -> None:
        """Store the end of lapsed bookings. Their slots count as free already."""
        await self._on_time.wait()
        for room in await in_thread(rooms_with_something_due, now=self._clock.now()):
            try:
                await in_thread(expire_due_bookings, room=room, clock=self._clock)
            except (NotFoundError, *STORE_ERRORS) as exc:
                # The room is gone, or a long transaction locks it: other rooms must not wait.
                log.warning("release_postponed", room=str(room), error=exc)
        await asyncio.sleep(SWEEP_S)

    async def _watch(self) -> None:
        """End abandoned bookings in rooms whose policy says so."""
        await self._on_time.wait()
        await self._absence.end_abandoned()
        await asyncio.sleep(WATCH_S)

    async def _review(self) -> None:
        """Warn about series without attendance, and cancel their dates after the notice."""
        await self._on_time.wait()
        for series in await in_thread(series_to_review, now=self._clock.now()):
            found = await in_thread(review_no_shows, series_id=series, clock=self._clock)
            log.info("series_reviewed", series=str(series), found=found.value)
        await asyncio.sleep(REVIEW_S)

    def _until(self, due: datetime | None) -> float:
        wait = (due - self._clock.now()) if due else timedelta(seconds=TICK_MAX_S)
        return min(max(wait.total_seconds(), TICK_MIN_S), TICK_MAX_S)

    async def _drain(self) -> None:
        """Project marked rooms; after a bug, each room alone, so that one does not stop others."""
        rooms = await self._dirty.take()
        await self._on_time.wait()
        if not await self._project(rooms) and len(rooms) > 1:
            for room in rooms:
                await self._project([room])

    async def _project(self, rooms: list[UUID]) -> bool:
        """Project some rooms; return False if a bug prevented it. Raises STORE_ERRORS."""
        try:
            await self._projector.project_all(rooms)
        except STORE_ERRORS:
            metrics.projections_total.labels("failed").inc(len(rooms))
            for room in rooms:  # after a policy change the sweep sees no newer version
                self._dirty.add(room)
            raise
        except Exception:  # logged with its traceback; the sweep tries again
            metrics.projections_total.labels("failed").inc(len(rooms))
            log.exception("projection_failed", rooms=[str(room) for room in rooms])
            return False
        return True

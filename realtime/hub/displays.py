"""The freshness of the displays of this process, saved in the store for the page `/displays`.

Bounded: MAX_CONNECTIONS connections with the newest LAGS_KEPT measurements each. A report is only a
claim of the display: all reports are shown, but only those of signed-in pages count for the alert.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from weakref import WeakKeyDictionary

import structlog

from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock
from meeting_rooms.kernel.errors import UnavailableError
from realtime import metrics
from realtime.state.display_freshness import MAX_LAG_MS, MAX_STALE_S, Display, percentile
from realtime.state.live_state import Audience
from realtime.store.live_store import LiveStore, shared_store
from realtime.store.mongo_link import DISPLAYS_AT_ONCE

log = structlog.get_logger(__name__)
MAX_CONNECTIONS = 10_000  # the default of settings.MAX_CONNECTIONS
LAGS_KEPT = 100  # measurements per connection
FLUSH_S = 15.0  # as often as a display reports
_TIMED = {
    Audience.PUBLIC: metrics.commit_to_public_screen_seconds,
    Audience.STAFF: metrics.commit_to_screen_seconds,
}


@dataclass(slots=True)
class _Connection:
    """The data of one connection. A connection that has reported is a display."""

    audience: Audience
    path: str
    since: datetime
    display: str = ""  # fixed by the first report, so one connection is one display
    topic: str = ""
    last_seen: datetime | None = None
    stale_s: float = 0.0
    lags_ms: deque[int] = field(default_factory=lambda: deque(maxlen=LAGS_KEPT))
    is_reported: bool = True  # whether the store has the last report

    def as_display(self, last_seen: datetime) -> Display:
        lags = list(self.lags_ms)
        return Display(
            id=self.display,
            topic=self.topic,
            audience=self.audience,
            path=self.path,
            since=self.since,
            last_seen=last_seen,
            p50_ms=percentile(lags, 0.5),
            p95_ms=percentile(lags, 0.95),
            stale_s=self.stale_s,
        )


class DisplayLog:
    """The displays of one process. The methods `note_…` never wait."""

    def __init__(self, store: LiveStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._connections: dict[Hashable, _Connection] = {}
        self._left: dict[str, Display] = {}  # closed before their last report was saved

    def note_connected(self, connection: Hashable, *, audience: Audience, path: str) -> None:
        """Record a new connection; beyond MAX_CONNECTIONS only count it."""
        if len(self._connections) >= MAX_CONNECTIONS:
            metrics.displays_unlogged_total.inc()
            return
        self._connections[connection] = _Connection(audience, path, self._clock.now())

    def note_seen(
        self,
        connection: Hashable,
        *,
        audience: Audience,
        display: str,
        lags_ms: Sequence[int],
        topics: Collection[str],
        stale_s: float | None = None,
    ) -> None:
        """Record a display's report: the lags of painted changes, and for how long it is stale.

        Shapes: the members of the frame `seen`, and the topics and audience of the connection.
        """
        lags = [min(max(lag, 0), MAX_LAG_MS) for lag in lags_ms]
        for lag in lags:
            _TIMED[audience].observe(lag / 1000)
        known = self._connections.get(connection)
        if known is None:
            return
        known.display = known.display or display
        known.topic = min(topics, default=known.topic)
        known.last_seen = self._clock.now()
        known.stale_s = min(stale_s or 0.0, MAX_STALE_S)
        known.lags_ms.extend(lags)
        known.is_reported = False

    def note_closed(self, connection: Hashable) -> None:
        """Remove a connection, but keep its last report until the store has it."""
        gone = self._connections.pop(connection, None)
        if gone and gone.last_seen and not gone.is_reported:
            left = gone.as_display(gone.last_seen)
            self._keep_left({left.key: left})

    async def flush(self) -> None:
        """Save all unsaved reports. Raises UnavailableError if the store does not answer.

        Reports that arrive during the call, and reports that could not be saved, are saved by the
        next call; of closed connections only the newest MAX_CONNECTIONS.
        """
        left, self._left = self._left, {}
        try:
            await self._store.put_displays([*left.values()])
        except UnavailableError:
            newer, self._left = self._left, left
            self._keep_left(newer)
            raise
        unsaved = [c for c in self._connections.values() if not c.is_reported]
        for first in range(0, len(unsaved), DISPLAYS_AT_ONCE):
            await self._save(unsaved[first : first + DISPLAYS_AT_ONCE])

    async def _save(self, connections: Sequence[_Connection]) -> None:
        """Save some reports: sorting the lags of all displays at once blocks the event loop."""
        for connection in connections:
            connection.is_reported = True
        try:
            seen = ((c, c.last_seen) for c in connections)
            await self._store.put_displays([c.as_display(at) for c, at in seen if at])
        except UnavailableError:
            for connection in connections:
                connection.is_reported = False
            raise

    def _keep_left(self, newer: dict[str, Display]) -> None:
        self._left |= newer
        while len(self._left) > MAX_CONNECTIONS:
            del self._left[next(iter(self._left))]

    async def run(self) -> None:
        """Flush every FLUSH_S until cancelled. If the store is away, the newest reports wait."""
        while True:
            await asyncio.sleep(FLUSH_S)
            try:
                await self.flush()
            except UnavailableError as exc:
                log.warning("displays_not_saved", error=exc)


_logs: WeakKeyDictionary[asyncio.AbstractEventLoop, DisplayLog] = WeakKeyDictionary()


def shared_displays() -> DisplayLog:
    """Return the log of the running event loop, created on first use. The caller must `run` it."""
    loop = asyncio.get_running_loop()
    if loop not in _logs:
        _logs[loop] = DisplayLog(shared_store(), SYSTEM_CLOCK)
    return _logs[loop]

"""How fresh one display is: what it measured itself, and since when it is silent. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any, Self

from realtime.state.live_state import Audience, Document

# A display reports every 15 s and each process writes every 15 s; the rest is for the network.
SILENT_AFTER = timedelta(seconds=40)
MAX_LAG_MS = 3_600_000  # an hour; a greater lag is a clock that was set
MAX_STALE_S = 366 * 86_400.0  # a year; no display reports after a longer time on its own


class Freshness(StrEnum):
    """What is known of a display, worst first."""

    SILENT = "silent"  # no proof for SILENT_AFTER: off, cut off, or its process is gone
    STALE = "stale"  # connected, and says itself that it does not show live rooms
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Display:
    """One screen's last report. Lags are from the change becoming a fact to its being painted."""

    id: str  # the browser's own random name
    topic: str  # what it follows; "" before it follows anything
    audience: Audience
    path: str  # how its frames are sent
    since: datetime  # connected
    last_seen: datetime  # the last report: proof that the page runs
    p50_ms: int | None  # over its newest changes; None before there was any
    p95_ms: int | None
    stale_s: float  # how long it has not been live, by its own account; 0 while it is

    @classmethod
    def from_document(cls, doc: Document) -> Self:
        """Read what `dataclasses.asdict` wrote. The codec must give aware datetimes.

        Raises KeyError, TypeError or ValueError for anything that no display of this release wrote.
        """
        known = {field.name: doc[field.name] for field in fields(cls)}
        texts, instants = ("id", "topic", "path"), ("since", "last_seen")
        _require_kind(known, texts, str)
        _require_kind(known, instants, datetime)
        _require_kind(known, ("stale_s",), (int, float))
        _require_kind(known, ("p50_ms", "p95_ms"), (int, type(None)))
        lags = (known["p50_ms"] or 0, known["p95_ms"] or 0)
        if not (0 <= min(lags) <= max(lags) <= MAX_LAG_MS and 0 <= known["stale_s"] <= MAX_STALE_S):
            raise ValueError("A number is out of bounds.")
        return cls(**{**known, "audience": Audience(doc["audience"])})

    @property
    def key(self) -> str:
        """Return what tells displays apart.

        Two windows of one browser share its name. A public page may claim any name, so the audience
        is a part: its report never replaces that of a signed-in page.
        """
        return f"{self.audience} {self.id} {self.topic}"

    def freshness(self, now: datetime) -> Freshness:
        """Say whether the display may be believed to show what is."""
        if now - self.last_seen > SILENT_AFTER:
            return Freshness.SILENT
        return Freshness.STALE if self.stale_s > 0 else Freshness.LIVE


def _require_kind(
    known: dict[str, Any], names: Sequence[str], kind: type | tuple[type, ...]
) -> None:
    """Raise TypeError for a member of another type."""
    for name in names:
        if not isinstance(known[name], kind):
            raise TypeError(f"{name} is a {type(known[name]).__name__}.")


def percentile(values: Sequence[int], share: float) -> int | None:
    """Return the nearest-rank percentile (`share` of 0 to 1); None of nothing."""
    if not values:
        return None
    rank = max(ceil(len(values) * share), 1)
    return sorted(values)[rank - 1]


def worst_first(displays: Sequence[Display], now: datetime) -> list[Display]:
    """Sort: silent ones (the latest to fall silent first), stale ones, then the slowest."""
    order = list(Freshness)

    def badness(display: Display) -> tuple[Any, ...]:
        state = display.freshness(now)
        silent_s = (now - display.last_seen).total_seconds() if state is Freshness.SILENT else 0.0
        return order.index(state), silent_s, -display.stale_s, -(display.p95_ms or 0), display.key

    return sorted(displays, key=badness)

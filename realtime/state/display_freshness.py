"""The freshness of a display: its own measurements and the age of its last report. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any, Self

from realtime.state.live_state import Audience, Document

# A display reports every 15 s and each process saves every 15 s; 10 s are for the network.
SILENT_AFTER = timedelta(seconds=40)
MAX_LAG_MS = 3_600_000  # an hour; a greater lag means that a clock was set
MAX_STALE_S = 366 * 86_400.0  # a year; a longer value is not credible


class Freshness(StrEnum):
    """The freshness of a display, worst first."""

    SILENT = "silent"  # no report for SILENT_AFTER: display off, disconnected, or web process gone
    STALE = "stale"  # connected, but reports that its rooms are not live
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Display:
    """The last report of one display. Lags are from the instant of a change to its painting."""

    id: str  # random name, chosen by the browser
    topic: str  # the followed topic; "" if none
    audience: Audience
    path: str  # name of its transport
    since: datetime  # instant of the connection
    last_seen: datetime  # instant of the last report
    p50_ms: int | None  # over the newest changes; None before the first
    p95_ms: int | None
    stale_s: float  # for how long its rooms have not been live, as it reports; 0: live

    @classmethod
    def from_document(cls, doc: Document) -> Self:
        """Return the display of a document of `dataclasses.asdict`, with aware datetimes.

        Raises KeyError, TypeError or ValueError for a document that this release cannot have
        written.
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
        """Return the identity of the display: audience, name and topic.

        Windows of one browser share its name, so the topic is part of the key. A public page may
        use any name, so the audience is part of the key: a public report never replaces the report
        of a signed-in page.
        """
        return f"{self.audience} {self.id} {self.topic}"

    def freshness(self, now: datetime) -> Freshness:
        """Return the freshness at `now`."""
        if now - self.last_seen > SILENT_AFTER:
            return Freshness.SILENT
        return Freshness.STALE if self.stale_s > 0 else Freshness.LIVE


def _require_kind(
    known: dict[str, Any], names: Sequence[str], kind: type | tuple[type, ...]
) -> None:
    """Raise TypeError if a named member is not of this type."""
    for name in names:
        if not isinstance(known[name], kind):
            raise TypeError(f"{name} is a {type(known[name]).__name__}.")


def percentile(values: Sequence[int], share: float) -> int | None:
    """Return the nearest-rank percentile for a `share` from 0 to 1; None without values."""
    if not values:
        return None
    rank = max(ceil(len(values) * share), 1)
    return sorted(values)[rank - 1]


def worst_first(displays: Sequence[Display], now: datetime) -> list[Display]:
    """Sort displays: silent ones (latest report first), stale ones, then by greatest lag."""
    order = list(Freshness)

    def badness(display: Display) -> tuple[Any, ...]:
        state = display.freshness(now)
        silent_s = (now - display.last_seen).total_seconds() if state is Freshness.SILENT else 0.0
        return order.index(state), silent_s, -display.stale_s, -(display.p95_ms or 0), display.key

    return sorted(displays, key=badness)

"""Prometheus metrics of the live state. Each process keeps its own numbers.

All times are in seconds. Label values come from the fixed sets below or from code, never from user
input or addresses. So the number of series is bounded and no label holds private data.
docs/metrics.md describes each metric and how to react to it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)

NAMESPACE = "meeting_rooms"
SEND_PATHS = ("direct", "asgi")  # names of the two transports
REFUSALS = ("bad_token", "foreign_origin", "too_many", "too_many_from_address")
RESYNC_CAUSES = ("client", "layer")
OUTCOMES = ("changed", "unchanged", "lost_race", "gone", "failed")
CLOSE_CODES = (1000, 1001, 1006, 1011, 1012, 4400, 4401, 4403, 4408, 4429)

# Bucket bounds in seconds: of steps inside one process, and of the way from a fact to a screen.
FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10)
END_TO_END_S = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10, 30)

# The `_created` series would double the number of series; a counter's reset shows a restart too.
disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)


def _counter(
    name: str, description: str, label: str = "", values: tuple[object, ...] = ()
) -> Counter:
    """Return a counter that exports every known label value from the start, with the value 0."""
    counter = Counter(name, description, [label] if label else [], NAMESPACE, registry=REGISTRY)
    for value in values:
        counter.labels(str(value))
    return counter


def _gauge(name: str, description: str) -> Gauge:
    return Gauge(name, description, namespace=NAMESPACE, registry=REGISTRY)


def _histogram(name: str, description: str, buckets: tuple[float, ...]) -> Histogram:
    return Histogram(name, description, namespace=NAMESPACE, registry=REGISTRY, buckets=buckets)


# -- connections ------------------------------------------------------------------------------
live_connections = Gauge(
    "live_connections",
    "Sockets that are open now, by transport.",
    ["path"],
    NAMESPACE,
    registry=REGISTRY,
)
for _path in SEND_PATHS:
    live_connections.labels(_path)
connections_total = _counter("connections_total", "Sockets accepted.")
connections_refused_total = _counter(
    "connections_refused_total", "Handshakes refused, by reason.", "reason", REFUSALS
)
socket_closes_total = _counter(
    "socket_closes_total",
    "Sockets closed by the client or the server, by close code.",
    "code",
    (*CLOSE_CODES, "other"),
)
bad_frames_total = _counter(
    "bad_frames_total", "Frames of clients that the server could not parse."
)
send_path = Info(
    "send_path",
    "The transport (path: direct or asgi) and the event loop of this process.",
    namespace=NAMESPACE,
    registry=REGISTRY,
)

# -- how long a change takes ------------------------------------------------------------------
commit_to_publish_seconds = _histogram(
    "commit_to_publish_seconds",
    "From the instant of a change to its publication in the channel layer.",
    END_TO_END_S,
)
publish_to_send_seconds = _histogram(
    "publish_to_send_seconds",
    "From the publication of a change to its first send to a socket of this process.",
    FAST_S,
)
fan_out_seconds = _histogram(
    "fan_out_seconds",
    "From the arrival of a change in this process to its last send to a socket.",
    FAST_S,
)
commit_to_screen_seconds = _histogram(
    "commit_to_screen_seconds",
    "From the instant of a change to its painting, as reported by signed-in pages.",
    END_TO_END_S,
)
commit_to_public_screen_seconds = _histogram(
    "commit_to_public_screen_seconds",
    "The same as reported by pages without sign-in. Any client can report: use in no alert.",
    END_TO_END_S,
)

# -- lost changes and repairs -----------------------------------------------------------------
version_gaps_total = _counter(
    "version_gaps_total", "Changes that arrived through the layer while an earlier one was missing."
)
epoch_changes_total = _counter(
    "epoch_changes_total", "Changes that arrived with an epoch that the mirror did not know."
)
resyncs_total = _counter(
    "resyncs_total",
    "Resyncs: a client subscribed again, or the layer link was lost.",
    "cause",
    RESYNC_CAUSES,
)
rooms_healed_total = _counter(
    "rooms_healed_total", "Rooms whose newest state came from the store, not through the layer."
)
frames_conflated_total = _counter(
    "frames_conflated_total", "Queued frames that a newer frame of the same room replaced."
)
publishes_dropped_total = _counter(
    "publishes_dropped_total", "Changes that the layer did not accept; hubs read the store instead."
)
changes_unreadable_total = _counter(
    "changes_unreadable_total", "Messages in the layer that are not valid changes."
)

# -- the projector ----------------------------------------------------------------------------
projections_total = _counter(
    "projections_total", "Attempts to bring a room's state up to date.", "outcome", OUTCOMES
)
projector_lag_seconds = _gauge(
    "projector_lag_seconds", "How long the oldest unprojected commit or instant has waited."
)
ticker_lateness_seconds = _histogram(
    "ticker_lateness_seconds",
    "How long after its scheduled instant a change by time was written.",
    END_TO_END_S,
)

# -- state of this process --------------------------------------------------------------------
is_vouching = _gauge(
    "is_vouching", "1 while this process sends heartbeats, so its screens are live."
)
mirror_rooms = _gauge("mirror_rooms", "Room states in the mirror of this process.")
displays_unlogged_total = _counter(
    "displays_unlogged_total", "Connections beyond the maximum whose freshness is recorded."
)


def count_close(code: int | None) -> None:
    """Count a closed socket. A client may send any code, so unknown codes count as `other`."""
    label = str(code) if code in CLOSE_CODES else "other"
    socket_closes_total.labels(label).inc()


def seconds_since(then: datetime, now: datetime) -> float:
    """Return the seconds from `then` to `now`, at least 0: clocks of two machines may differ."""
    return max((now - then).total_seconds(), 0.0)


@contextmanager
def metrics_server(address: str, port: int) -> Iterator[int]:
    """Serve the metrics at http://address:port/metrics from a thread, for a process without HTTP.

    Yields the port. Every client that reaches the address may read. Raises OSError if the port is
    in use. Guarantees: on exit the port is closed and the thread has ended.
    """
    server, thread = start_http_server(port, address, REGISTRY)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

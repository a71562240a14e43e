"""What the live side counts and times, for Prometheus. Each process keeps its own numbers.

All times are seconds. Label values come from the fixed sets below or from code, never from what
people typed or where they are, so the number of series is bounded and nothing private is in them.
What each metric tells and what to do about it: docs/metrics.md.
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
SEND_PATHS = ("direct", "asgi")  # past the ASGI queue, or through it
REFUSALS = ("bad_token", "foreign_origin", "too_many", "too_many_from_address")
RESYNC_CAUSES = ("client", "layer")
OUTCOMES = ("changed", "unchanged", "outrun", "gone", "failed")
CLOSE_CODES = (1000, 1001, 1006, 1011, 1012, 4400, 4401, 4403, 4408, 4429)

FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10)
END_TO_END_S = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10, 30)

# They double the series, and a restart shows as a counter's reset anyway.
disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)


def _counter(name: str, says: str, label: str = "", values: tuple[object, ...] = ()) -> Counter:
    """Return a counter whose every known label value is there from the start, at zero."""
    made = Counter(name, says, [label] if label else [], NAMESPACE, registry=REGISTRY)
    for value in values:
        made.labels(str(value))
    return made


def _gauge(name: str, says: str) -> Gauge:
    return Gauge(name, says, namespace=NAMESPACE, registry=REGISTRY)


def _histogram(name: str, says: str, buckets: tuple[float, ...]) -> Histogram:
    return Histogram(name, says, namespace=NAMESPACE, registry=REGISTRY, buckets=buckets)


# -- connections ------------------------------------------------------------------------------
live_connections = Gauge(
    "live_connections",
    "Sockets that are open now, by how their frames are sent.",
    ["path"],
    NAMESPACE,
    registry=REGISTRY,
)
for _path in SEND_PATHS:
    live_connections.labels(_path)
connections_total = _counter("connections_total", "Sockets accepted.")
connections_refused_total = _counter(
    "connections_refused_total", "Handshakes refused, by why.", "reason", REFUSALS
)
socket_closes_total = _counter(
    "socket_closes_total", "Sockets closed by either side.", "code", (*CLOSE_CODES, "other")
)
bad_frames_total = _counter("bad_frames_total", "Frames from clients that could not be read.")
send_path = Info(
    "send_path",
    "How this process sends (path: direct or asgi) and on which event loop.",
    namespace=NAMESPACE,
    registry=REGISTRY,
)

# -- how long a change takes ------------------------------------------------------------------
commit_to_publish_seconds = _histogram(
    "commit_to_publish_seconds",
    "From the instant a change became a fact to its being in the channel layer.",
    END_TO_END_S,
)
publish_to_send_seconds = _histogram(
    "publish_to_send_seconds",
    "From the layer taking a change to the first socket of this process being handed it.",
    FAST_S,
)
fan_out_seconds = _histogram(
    "fan_out_seconds",
    "From a change reaching this process to the last of its sockets being handed it.",
    FAST_S,
)
commit_to_screen_seconds = _histogram(
    "commit_to_screen_seconds",
    "From the instant a change became a fact to a signed-in page having painted it, as it claims.",
    END_TO_END_S,
)
commit_to_public_screen_seconds = _histogram(
    "commit_to_public_screen_seconds",
    "The same as claimed by pages without a sign-in, which anybody can open. For no alert.",
    END_TO_END_S,
)

# -- what was lost and mended -----------------------------------------------------------------
version_gaps_total = _counter(
    "version_gaps_total", "Changes that came through the layer without their predecessor."
)
epoch_changes_total = _counter(
    "epoch_changes_total", "Changes of an epoch that the mirror did not know."
)
resyncs_total = _counter(
    "resyncs_total", "Topics read or sent again whole, by why.", "cause", RESYNC_CAUSES
)
rooms_healed_total = _counter(
    "rooms_healed_total", "Rooms that the store had newer than the layer had told."
)
frames_conflated_total = _counter(
    "frames_conflated_total", "Frames that a newer one of the same room replaced before sending."
)
publishes_dropped_total = _counter(
    "publishes_dropped_total", "Changes that the layer did not take; hubs heal them from the store."
)
changes_unreadable_total = _counter(
    "changes_unreadable_total", "Messages in the layer that are not what a publisher sends."
)

# -- the projector ----------------------------------------------------------------------------
projections_total = _counter(
    "projections_total", "Attempts to bring a room's state up to date.", "outcome", OUTCOMES
)
projector_lag_seconds = _gauge(
    "projector_lag_seconds", "How long the oldest commit or instant has waited to be projected."
)
ticker_lateness_seconds = _histogram(
    "ticker_lateness_seconds",
    "How long after an instant at which a room changes by itself the change was written.",
    END_TO_END_S,
)

# -- what this process claims -----------------------------------------------------------------
is_vouching = _gauge("is_vouching", "1 while this process tells its screens that they are live.")
mirror_rooms = _gauge("mirror_rooms", "Room states that this process holds.")
displays_unlogged_total = _counter(
    "displays_unlogged_total", "Connections whose freshness was not kept: too many at once."
)


def count_close(code: int | None) -> None:
    """Count the end of a socket. A client may send any code, so unknown ones are counted as one."""
    label = str(code) if code in CLOSE_CODES else "other"
    socket_closes_total.labels(label).inc()


def seconds_since(then: datetime, now: datetime) -> float:
    """Return the age of an instant, never negative: two machines' clocks may differ by a little."""
    return max((now - then).total_seconds(), 0.0)


@contextmanager
def metrics_server(address: str, port: int) -> Iterator[int]:
    """Serve the metrics at http://address:port/metrics from a thread, for a process without HTTP.

    Yields the port. Everybody who reaches the address may read. Raises OSError where the port is
    taken. Guarantees: on the way out the port is closed and the thread has ended.
    """
    server, thread = start_http_server(port, address, REGISTRY)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""Instruments of the live engine."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()


def _counter(name, labels=()):
    return Counter("meeting_rooms_" + name, name, labels, registry=REGISTRY)


def _gauge(name, labels=()):
    return Gauge("meeting_rooms_" + name, name, labels, registry=REGISTRY)


def _hist(name):
    return Histogram("meeting_rooms_" + name, name, registry=REGISTRY)


live_connections = _gauge("live_connections", ["path"])
connections_total = _counter("connections")
connections_refused_total = _counter("connections_refused", ["reason"])
socket_closes_total = _counter("socket_closes", ["code"])
publish_to_send_seconds = _hist("publish_to_send_seconds")
commit_to_screen_seconds = _hist("commit_to_screen_seconds")
version_gaps_total = _counter("version_gaps")
epoch_changes_total = _counter("epoch_changes")
resyncs_total = _counter("resyncs", ["cause"])
rooms_healed_total = _counter("rooms_healed")
frames_conflated_total = _counter("frames_conflated")
publishes_dropped_total = _counter("publishes_dropped")
changes_unreadable_total = _counter("changes_unreadable")
bad_frames_total = _counter("bad_frames")
fan_out_seconds = _hist("fan_out_seconds")
is_vouching = _gauge("is_vouching")
mirror_rooms = _gauge("mirror_rooms")

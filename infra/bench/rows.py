"""All rows of the benchmark and their goals. Pure."""

from infra.bench.goals import Row, at_least, at_most

# By measurement: one run of servers measures all rows of a group.
ROWS: dict[str, tuple[Row, ...]] = {
    "fanout": (
        Row("vs-naive", "Fan-out vs naive Channels: times cheaper", at_least(20, "×")),
        Row("plain-vs-naive", "Plain ASGI send vs naive: times cheaper", at_least(4, "×")),
        Row("vs-broadcast", "Fan-out vs websockets.broadcast, uvloop", at_most(1.0, "×")),
        Row("vs-broadcast-asyncio", "The same on asyncio", at_most(1.3, "×")),
        Row("vs-socketio", "Fan-out vs Socket.IO on node", at_most(0.7, "×")),
        Row("vs-ws", "Fan-out vs node ws", at_most(1.2, "×")),
        Row("vs-floor", "Fan-out vs a C loop of send()", at_most(2.5, "×")),
        Row("vs-naive-few", "100 clients: vs naive Channels, times cheaper", at_least(9, "×")),
        Row("vs-broadcast-few", "100 clients: vs websockets.broadcast, uvloop", at_most(1.4, "×")),
        Row("vs-ws-few", "100 clients: vs node ws", at_most(1.2, "×")),
    ),
    "burst": (
        Row("burst", "Burst of 16 rooms vs websockets.broadcast: times cheaper", at_least(5, "×")),
    ),
    "latency": (
        Row("latency", "p99 at 1,000 clients, 8 updates/s, vs websockets", at_most(1.2, "×")),
        Row("latency-many", "p99 at 5,000 clients, 2 updates/s, vs websockets", at_most(1.3, "×")),
    ),
    "stalled": (
        Row("stalled-memory", "50 of 60 clients stalled, 20,000 updates", at_most(20, "MB")),
        Row("stalled-slope", "The same, second half, per 1,000 updates", at_most(0.1, "MB")),
        Row("stalled-final", "A client that resumes gets the final states", at_least(1, "of 1")),
    ),
    "herd": (
        Row("herd", "1,000 clients at once, all current, vs websockets", at_most(5, "×")),
        Row("herd-failed", "The same: refused or lost", at_most(0, "clients")),
    ),
    "processes": (
        Row("two-processes", "Two web processes vs one, CPU per message", at_most(1.15, "×")),
    ),
    "connection": (
        Row("connection-memory", "Memory per connection", at_most(33, "KB")),
        Row("connection-cpu", "CPU per connection vs naive Channels", at_most(0.2, "×")),
    ),
    "booking": (
        Row("booking-cpu", "Booking command vs raw insert, Python CPU", at_most(3, "×")),
    ),
    "contest": (
        Row("deadlocks", "Deadlocks in 1,000 rounds of 32 contenders", at_most(0, "")),
        Row("one-winner", "Rounds without exactly one winner", at_most(0, "")),
    ),
    "losers": (
        Row("race-loser", "CPU of a lost race vs a slot already taken", at_most(1.2, "×")),
    ),
    "board": (
        Row("board", "Board page vs Django template: times cheaper", at_least(8, "×")),
    ),
    "day_view": (
        Row("day-view", "A day of 500 rooms vs one query and orjson", at_most(3.8, "×")),
    ),
    "growth": (
        Row("growth", "Cost of a change, 5,000 rooms vs 50", at_most(1.2, "×")),
    ),
    "commit": (
        Row("commit-p50", "Commit to screen vs NOTIFY and a relay, p50", at_most(6, "×")),
        Row("commit-p99", "The same, p99", at_most(6, "×")),
    ),
}  # fmt: skip
TABLE = "table"  # the name for --rows of the table without goals


def all_keys() -> list[str]:
    """Return all names for `--rows`."""
    return [row.key for rows in ROWS.values() for row in rows] + [TABLE]

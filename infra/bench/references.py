"""Reference servers of single rows: each does only the necessary work of its row."""

import sys
from pathlib import Path

from infra.bench.contenders import Contender, daphne, require_uvloop
from infra.bench.feeds import group_feed, text_feed
from infra.bench.load import Dialect
from infra.bench.stage import Stage

SNAPSHOT_FILE = "snapshot.json"  # in the folder of the run
RELAY_CHANNEL = "bench_relay"  # of LISTEN and NOTIFY


def snapshot_file(stage: Stage) -> Path:
    """Return the path of the text that `SNAPSHOTS` sends."""
    return stage.folder / SNAPSHOT_FILE


def _peer(name: str, port: int, *words: str) -> list[str]:
    require_uvloop()
    return [sys.executable, "-m", f"infra.bench.peers.{name}", str(port), *words]


def _joined(_stage: Stage, port: int) -> list[str]:
    return daphne("infra.bench.peers.joined:application", port)


def _raw_day(_stage: Stage, port: int) -> list[str]:
    return daphne("infra.bench.peers.raw_day:application", port)


def _snapshots(stage: Stage, port: int) -> list[str]:
    return _peer("snapshots", port, str(snapshot_file(stage)))


def _relay(_stage: Stage, port: int) -> list[str]:
    return _peer("relay", port, RELAY_CHANNEL)


JOINED = Contender("naive Channels", _joined, lambda _, estate: group_feed(estate), Dialect.LIVE)
RAW_DAY = Contender("one query and orjson", _raw_day, text_feed)
SNAPSHOTS = Contender("websockets on uvloop", _snapshots, text_feed, Dialect.LIVE)
RELAY = Contender("NOTIFY relay", _relay, text_feed, Dialect.LIVE)

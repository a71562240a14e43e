"""Metrics made visible to the driver."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from prometheus_client import generate_latest

from realtime import metrics

TELL_S = 0.2


def tell_counts(path: str) -> None:
    """Write this process's metrics to a file repeatedly, for the driver to read."""

    def tell() -> None:
        new = Path(path).with_suffix(".new")
        while True:
            new.write_bytes(generate_latest(metrics.REGISTRY))
            new.replace(path)
            time.sleep(TELL_S)

    threading.Thread(target=tell, daemon=True).start()


PATCHES: dict[str, Callable[..., None]] = {one.__name__: one for one in (tell_counts,)}

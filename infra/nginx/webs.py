"""Web processes that are killed, replaced and asked how many sockets they hold."""

import signal
from pathlib import Path
from uuid import uuid4

import psutil

from infra.bench.children import Child
from infra.bench.stage import Stage

PRODUCTION = {"HTTPS": "1", "BEHIND_PROXY": "1", "DRAIN_SPREAD_S": "2", "LOG_LEVEL": "WARNING"}


class Web(Child):
    """One web process as it runs behind a proxy."""

    def __init__(self, stage: Stage, port: int) -> None:
        log: Path = stage.folder / f"web-{uuid4()}.log"
        command = stage.manage("serve", "--port", str(port))
        super().__init__(f"web process {port}", command, stage.environment | PRODUCTION, log)
        self.port = port

    @property
    def sockets(self) -> int:
        """How many connections it holds."""
        held = self._process.net_connections("tcp")
        return sum(
            one.status == psutil.CONN_ESTABLISHED and one.laddr.port == self.port for one in held
        )

    def kill(self) -> None:
        """End it as a crash does."""
        self._popen.kill()
        self._popen.wait()

    def drain(self) -> None:
        """Ask it to end as a new release does."""
        self._popen.send_signal(signal.SIGTERM)

    @property
    def has_ended(self) -> bool:
        """Whether it is gone."""
        return self._popen.poll() is not None

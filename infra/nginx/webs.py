"""Web processes that a test can kill, replace, and whose sockets it can count."""

import signal
from pathlib import Path
from uuid import uuid4

import psutil

from infra.bench.children import Child
from infra.bench.stage import Stage

PRODUCTION = {"HTTPS": "1", "BEHIND_PROXY": "1", "DRAIN_SPREAD_S": "2", "LOG_LEVEL": "WARNING"}


class Web(Child):
    """One web process with the settings for a proxy."""

    def __init__(self, stage: Stage, port: int) -> None:
        log: Path = stage.folder / f"web-{uuid4()}.log"
        command = stage.manage("serve", "--port", str(port))
        super().__init__(f"web process {port}", command, stage.environment | PRODUCTION, log)
        self.port = port

    @property
    def sockets(self) -> int:
        """The number of open connections of clients."""
        held = self._process.net_connections("tcp")
        return sum(
            one.status == psutil.CONN_ESTABLISHED and one.laddr.port == self.port for one in held
        )

    def kill(self) -> None:
        """Kill the process, like a crash."""
        self._popen.kill()
        self._popen.wait()

    def drain(self) -> None:
        """Send SIGTERM, like the deployment of a new release."""
        self._popen.send_signal(signal.SIGTERM)

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self._popen.poll() is not None

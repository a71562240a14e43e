"""The stores of a run: started here, and killed, frozen, wiped and started again on purpose."""

import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from meeting_rooms.dev import servers
from meeting_rooms.dev.servers import ENVIRONMENT, ServiceName
from meeting_rooms.dev.servers.record import read_servers

POSTGRES, MONGODB, REDIS = ServiceName.POSTGRES, ServiceName.MONGODB, ServiceName.REDIS


class Servers:
    """Postgres, MongoDB and Redis of one data folder. Signals go to these servers only."""

    def __init__(self, data_dir: Path, *, given: Mapping[ServiceName, str] | None = None) -> None:
        """Use the given servers, by default those that the environment names."""
        self._data_dir = data_dir
        named = {n: url for n in ServiceName if (url := os.environ.get(ENVIRONMENT[n]))}
        self._given = named if given is None else dict(given)
        self.urls: dict[ServiceName, str] = {}

    def start(self) -> None:
        """Start the servers that do not run, on their last ports. Harmless when repeated."""
        wanted = [name for name in ServiceName if name not in self._given]
        started = servers.start(self._data_dir, wanted=wanted, owner_pid=os.getpid(), report=_quiet)
        self.urls = {**self._given, **started.urls}

    def start_again(self) -> None:
        """Repair every store that a row has left broken."""
        for name in ServiceName:
            self.thaw(name)
        self.start()

    def stop(self) -> None:
        """Stop all servers, frozen ones too, without care for their data."""
        for name in ServiceName:
            self._kill(self._tree(name))
        servers.stop(self._data_dir, report=_quiet)
        shutil.rmtree(self._data_dir, ignore_errors=True)

    def kill(self, name: ServiceName) -> None:
        """Kill a server and its children by SIGKILL. Raises LookupError if not owned."""
        self._kill(self._own(name))

    def freeze(self, name: ServiceName) -> None:
        """Freeze a server and its children by SIGSTOP. Raises LookupError if not owned."""
        self._own(name)
        self._signal(name, signal.SIGSTOP)

    def thaw(self, name: ServiceName) -> None:
        """Let a frozen server continue. Harmless for a running one."""
        self._signal(name, signal.SIGCONT)

    def wipe(self, name: ServiceName) -> None:
        """Delete the files of a stopped server."""
        folder = Path(read_servers(self._data_dir)[name].folder)
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _signal(self, name: ServiceName, number: signal.Signals) -> None:
        for process in self._tree(name):
            with suppress(psutil.NoSuchProcess):  # a child of Postgres has just ended
                process.send_signal(number)

    def _kill(self, processes: list[psutil.Process]) -> None:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=10)

    def _own(self, name: ServiceName) -> list[psutil.Process]:
        if not (processes := self._tree(name)):
            raise LookupError(f"no {name.value} of ours runs here: nothing was broken")
        return processes

    def _tree(self, name: ServiceName) -> list[psutil.Process]:
        server = read_servers(self._data_dir).get(name)
        if server is None or server.process is None:
            return []
        try:
            parent = psutil.Process(server.process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def _quiet(_line: str) -> None:
    """Ignore progress lines: a failing start raises with the server's own message."""

"""Restarts the embedded servers that die while `manage.py run` uses them."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection
from pathlib import Path

from meeting_rooms.dev import servers
from meeting_rooms.dev.servers import EmbeddedServerError, ServiceName, ServiceState
from meeting_rooms.dev.servers.folders import log_file
from meeting_rooms.dev.servers.names import ENVIRONMENT, TITLES
from meeting_rooms.dev.supervisor import RESTARTS_AT_MOST, RESTARTS_PERIOD_S, RestartBudget
from meeting_rooms.local_stores import recorded_urls

LOOK_S = 1.0  # between two checks of the servers


class StoreGuard:
    """Watches the servers of one data folder for the process `owner_pid`.

    `owned` are the servers that this process started. The guard restarts an owned server that dies,
    at most RESTARTS_AT_MOST times in RESTARTS_PERIOD_S. For any other server, and for a server that
    another command has stopped, the guard reports once what to do.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        owned: Collection[ServiceName],
        urls: dict[ServiceName, str],
        owner_pid: int,
        report: Callable[[str], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._data_dir = data_dir
        self._owned = owned
        self._urls = dict(urls)
        self._owner_pid = owner_pid
        self._report = report
        self._monotonic = monotonic
        self._budgets = defaultdict[ServiceName, RestartBudget](lambda: RestartBudget(monotonic))
        self._given_up: set[ServiceName] = set()
        # After a failed start a server counts as stopped, although no other command stopped it.
        self._failed: set[ServiceName] = set()
        self._look_at = monotonic()

    def watch(self) -> dict[str, str]:
        """Check the servers if LOOK_S have passed; return the variables whose URL has changed."""
        if self._monotonic() < self._look_at:
            return {}
        self._look_at = self._monotonic() + LOOK_S
        for server in servers.status(self._data_dir):
            if server.name not in self._urls:
                continue
            if server.state is ServiceState.RUNNING:
                self._given_up.discard(server.name)
            elif server.name not in self._given_up:
                self._revive(server.name, server.state)
        return self._changed()

    def _revive(self, name: ServiceName, state: ServiceState) -> None:
        advice = self._advice(name, state)
        if advice:
            self._given_up.add(name)
            self._report(advice)
            return
        self._report(f"{TITLES[name]} has ended unexpectedly; starting it again.")
        try:
            servers.start(
                self._data_dir, wanted=[name], owner_pid=self._owner_pid, report=self._report
            )
            self._failed.discard(name)
        except (EmbeddedServerError, OSError) as exc:
            self._failed.add(name)
            self._report(f"{TITLES[name]} could not be started: {exc}")

    def _advice(self, name: ServiceName, state: ServiceState) -> str | None:
        """Return the sentence for the user; None if the guard itself restarts the server."""
        title = TITLES[name]
        start = "start it again with: .venv/bin/python manage.py services start"
        if state is ServiceState.STOPPED and name not in self._failed:
            return f"{title} was stopped by another command; {start}"
        if name not in self._owned:
            return f"{title} has ended, and was not started by this command; {start}"
        if not self._budgets[name].spend():
            return (
                f"{title} has ended more than {RESTARTS_AT_MOST} times within "
                f"{RESTARTS_PERIOD_S:.0f} s and is not started again. Read "
                f"{log_file(self._data_dir, name)}, then {start}"
            )
        return None

    def _changed(self) -> dict[str, str]:
        found = {ServiceName(name): url for name, url in recorded_urls(self._data_dir).items()}
        changed = {n: u for n, u in found.items() if n in self._urls and u != self._urls[n]}
        self._urls |= changed
        return {ENVIRONMENT[name]: url for name, url in changed.items()}

"""Start and stop the servers of a data folder, safely also if other processes do the same."""

import secrets
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from meeting_rooms.dev.servers.binaries import Locator, locate_package
from meeting_rooms.dev.servers.engine import Engine, Report
from meeting_rooms.dev.servers.errors import EmbeddedServerError
from meeting_rooms.dev.servers.folders import log_file, make_data_dir
from meeting_rooms.dev.servers.launch import await_end, end, launch, request_end, watch_over
from meeting_rooms.dev.servers.lock import exclusive
from meeting_rooms.dev.servers.mongodb import MongoEngine
from meeting_rooms.dev.servers.names import TITLES, ServiceName
from meeting_rooms.dev.servers.ports import pick_ports
from meeting_rooms.dev.servers.postgres import PostgresEngine
from meeting_rooms.dev.servers.processes import (
    ProcessIdentity,
    identify,
    is_alive,
    is_server_alive,
)
from meeting_rooms.dev.servers.record import (
    ServerRecord,
    Servers,
    has_record,
    read_servers,
    write_servers,
)
from meeting_rooms.dev.servers.redis_server import RedisEngine
from meeting_rooms.dev.servers.watch import (
    ServerExitedError,
    ServerNotReadyError,
    StartAbandonedError,
)

ENGINES: Mapping[ServiceName, Callable[[Path, Report, Locator], Engine]] = {
    ServiceName.POSTGRES: PostgresEngine,
    ServiceName.MONGODB: MongoEngine,
    ServiceName.REDIS: RedisEngine,
}
SECRET_BYTES = 24  # of a server's password


@dataclass(frozen=True, slots=True)
class Started:
    """The URLs of all wanted servers, and the servers that the caller has to stop (`started`)."""

    urls: dict[ServiceName, str]
    started: frozenset[ServiceName]


def start(
    data_dir: Path,
    *,
    wanted: Collection[ServiceName],
    owner_pid: int | None,
    report: Report,
    locate: Locator = locate_package,
) -> Started:
    """Start the wanted servers of `data_dir` that do not run yet, in parallel.

    The process `owner_pid` owns the servers; without an owner they run until `stop` is called. A
    server that already runs is used unchanged and is not in `started`, unless its owner is dead:
    then the server gets the new owner. `report` is called from several threads.
    Raises EmbeddedServerError if a server cannot be started. Guarantees: after an error, no server
    that this call has started runs.
    """
    owner = _owner(owner_pid)
    data_dir = make_data_dir(data_dir)
    with exclusive(data_dir):
        ledger = _Ledger(data_dir)
        running, taken_over = _claim_running(ledger, wanted, owner, report)
        missing = [name for name in ServiceName if name in wanted and name not in running]
        _add_records(ledger, missing, owner)
        launched = _bring_up(_Start(ledger, owner, report, locate), running, missing)
        return Started(
            urls={name: ledger.servers[name].url for name in ServiceName if name in wanted},
            started=frozenset(taken_over | launched),
        )


def stop(
    data_dir: Path, *, names: Collection[ServiceName] | None = None, report: Report
) -> list[ServiceName]:
    """Stop the recorded servers of `data_dir`, or only `names`; return those that were running.

    Signals all servers first, then waits for each. Guarantees: no other process gets a signal.
    """
    data_dir = data_dir.resolve()
    if not has_record(data_dir):
        return []
    with exclusive(data_dir):
        return stop_locked(data_dir, names=names, report=report)


def stop_locked(
    data_dir: Path, *, names: Collection[ServiceName] | None, report: Report
) -> list[ServiceName]:
    """Do the work of `stop`; the caller holds the lock of `data_dir`."""
    ledger = _Ledger(data_dir)
    chosen = {
        name: server
        for name, server in ledger.servers.items()
        if server.process is not None and (names is None or name in names)
    }
    asked = [name for name, server in chosen.items() if request_end(name, server)]
    for name, server in chosen.items():
        if name in asked and server.process is not None:
            await_end(name, server.process, report)
            report(f"{TITLES[name]} has stopped.")
        ledger.save(name, server.stopped())
    return asked


class _Ledger:
    """The record of a locked data folder; the threads that start its servers save it to disk."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.servers: Servers = read_servers(data_dir)
        self._write = threading.Lock()

    def save(self, name: ServiceName, server: ServerRecord) -> None:
        with self._write:
            self.servers[name] = server
            write_servers(self.data_dir, self.servers)


def _owner(owner_pid: int | None) -> ProcessIdentity | None:
    if owner_pid is None:
        return None
    owner = identify(owner_pid)
    if owner is None:
        raise EmbeddedServerError(
            f"The servers cannot belong to process {owner_pid}: there is no such process."
        )
    return owner


def _claim_running(
    ledger: _Ledger,
    wanted: Collection[ServiceName],
    owner: ProcessIdentity | None,
    report: Report,
) -> tuple[set[ServiceName], set[ServiceName]]:
    """Return the wanted servers that run, and those of them whose owner is dead."""
    kept: set[ServiceName] = set()
    taken_over: set[ServiceName] = set()
    for name, server in ledger.servers.items():
        if name not in wanted or not _is_running(server):
            continue
        if not server.is_ready:
            # The process that started this server was killed meanwhile, so its state is unknown.
            end(name, server, report)
            continue
        kept.add(name)
        if server.owner is not None and not is_alive(server.owner):
            taken_over.add(name)
            ledger.save(name, replace(server, owner=owner))
            report(f"{TITLES[name]} still runs on port {server.port}: taken over.")
        else:
            report(f"{TITLES[name]} already runs on port {server.port}.")
    return kept, taken_over


def _is_running(server: ServerRecord) -> bool:
    return server.process is not None and is_server_alive(server.process, Path(server.folder))


def _add_records(
    ledger: _Ledger, names: Collection[ServiceName], owner: ProcessIdentity | None
) -> None:
    preferred = {name: server.port for name, server in ledger.servers.items()}
    for name, port in pick_ports(names, preferred).items():
        known = ledger.servers.get(name) or ServerRecord(
            port=port, secret=secrets.token_hex(SECRET_BYTES), folder=""
        )
        ledger.servers[name] = replace(known.stopped(), port=port, owner=owner)


@dataclass(frozen=True, slots=True)
class _Start:
    """The data that one call of `start` shares with its threads."""

    ledger: _Ledger
    owner: ProcessIdentity | None
    report: Report
    locate: Locator
    abandoned: threading.Event = field(default_factory=threading.Event)
    # The servers to stop again if another server fails.
    launched: set[ServiceName] = field(default_factory=set)

    def confirm(self, name: ServiceName) -> bool:
        """Check a running server; restart a server that is about to end, and return whether it was.

        A running process may be stopping already, if its owner was killed while it stopped the
        server.
        """
        engine = ENGINES[name](self.ledger.data_dir, self.report, self.locate)
        server = self.ledger.servers[name]
        try:
            engine.complete(server, watch_over(server, self.abandoned))
        except (ServerExitedError, ServerNotReadyError) as exc:
            self.report(f"{TITLES[name]} does not answer ({exc}): starting it again.")
            end(name, server, self.report)
            self.ledger.save(name, replace(server.stopped(), owner=self.owner))
            return self.launch(name)
        return False

    def launch(self, name: ServiceName) -> bool:
        """Start a server that does not run; return True."""
        self.launched.add(name)
        engine = ENGINES[name](self.ledger.data_dir, self.report, self.locate)
        launch(
            engine,
            replace(self.ledger.servers[name], folder=str(engine.folder)),
            log=log_file(self.ledger.data_dir, name),
            save=lambda server: self.ledger.save(name, server),
            report=self.report,
            abandoned=self.abandoned,
        )
        return True


def _bring_up(
    call: _Start, running: Collection[ServiceName], missing: Collection[ServiceName]
) -> set[ServiceName]:
    """Check the running servers and start the missing ones in parallel; return the started ones."""
    if not running and not missing:
        return set()
    with _undone_on_error(call):
        with ThreadPoolExecutor(thread_name_prefix="embedded") as pool:
            steps = {name: pool.submit(call.confirm, name) for name in running}
            steps |= {name: pool.submit(call.launch, name) for name in missing}
            try:
                wait(steps.values(), return_when=FIRST_EXCEPTION)
            finally:
                # After an error or Ctrl-C, this stops the other threads. Otherwise all have ended.
                call.abandoned.set()
        _raise_failures(steps.values())
        return {name for name, step in steps.items() if step.result()}


@contextmanager
def _undone_on_error(call: _Start) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for name in call.launched:
            server = call.ledger.servers[name]
            end(name, server, call.report)
            call.ledger.save(name, server.stopped())
        raise


def _raise_failures(steps: Collection[Future[bool]]) -> None:
    errors = [error for step in steps if (error := step.exception())]
    causes = [error for error in errors if not isinstance(error, StartAbandonedError)]
    for cause in causes:
        if not isinstance(cause, EmbeddedServerError):
            raise cause
    if causes:
        raise EmbeddedServerError("\n\n".join(str(cause) for cause in causes))

"""Starts one server from its record until its URL works, and stops one server again."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from meeting_rooms.dev.servers.engine import STOP_SIGNALS, Engine, Report
from meeting_rooms.dev.servers.errors import EmbeddedServerError, read_log, start_failed
from meeting_rooms.dev.servers.names import ServiceName
from meeting_rooms.dev.servers.ports import TAKEN, pick_ports
from meeting_rooms.dev.servers.processes import (
    ProcessIdentity,
    ask_to_end,
    identify,
    is_server_alive,
    spawn,
    wait_or_kill,
)
from meeting_rooms.dev.servers.record import ServerRecord
from meeting_rooms.dev.servers.watch import ServerExitedError, ServerNotReadyError, Watch

START_ATTEMPTS = 4  # each with another port, if another program takes the port before the server
STOP_TIMEOUTS_S = {  # then the server is killed
    ServiceName.POSTGRES: 20.0,
    ServiceName.MONGODB: 20.0,
    ServiceName.REDIS: 10.0,
}

# Stores the record of one server; called before the next step begins.
Save = Callable[[ServerRecord], None]


def launch(
    engine: Engine,
    server: ServerRecord,
    *,
    log: Path,
    save: Save,
    report: Report,
    abandoned: threading.Event,
) -> ServerRecord:
    """Start the server, wait until it is ready, and return its record.

    Raises EmbeddedServerError with the end of the log if the server does not become ready,
    StartAbandonedError if `abandoned` is set. Guarantees: after an error no process is left.
    """
    report(f"Starting {engine.title} …")
    began = time.monotonic()
    for attempts_left in reversed(range(START_ATTEMPTS)):
        try:
            server = _attempt(
                engine, server, log=log, save=save, report=report, abandoned=abandoned
            )
            break
        except (ServerExitedError, ServerNotReadyError) as exc:
            if not attempts_left or TAKEN not in read_log(log):
                raise start_failed(engine.name, str(exc), log) from exc
            server = replace(server, port=pick_ports([engine.name], {})[engine.name])
            report(f"{engine.title} could not use its port; trying {server.port} …")
    took_ms = (time.monotonic() - began) * 1000
    report(f"{engine.title} is ready on port {server.port} ({took_ms:.0f} ms).")
    return server


def watch_over(server: ServerRecord, abandoned: threading.Event) -> Watch:
    """Return a watch that notices the end of the recorded process."""
    process, folder = server.process, Path(server.folder)
    return Watch(lambda: process is not None and is_server_alive(process, folder), abandoned)


def end(name: ServiceName, server: ServerRecord, report: Report) -> bool:
    """Stop one recorded server and wait for its end; return whether it was running."""
    if not request_end(name, server) or server.process is None:
        return False
    await_end(name, server.process, report)
    return True


def request_end(name: ServiceName, server: ServerRecord) -> bool:
    """Ask one recorded server to stop; return whether it was running."""
    return server.process is not None and ask_to_end(
        server.process, Path(server.folder), STOP_SIGNALS[name]
    )


def await_end(name: ServiceName, process: ProcessIdentity, report: Report) -> None:
    """Wait for a server that was asked to stop; kill a server that does not stop, and report it."""
    timeout_s = STOP_TIMEOUTS_S[name]
    if wait_or_kill(process, timeout_s=timeout_s):
        report(f"{name} (process {process.pid}) did not stop within {timeout_s:.0f} s: killed.")


def _attempt(
    engine: Engine,
    server: ServerRecord,
    *,
    log: Path,
    save: Save,
    report: Report,
    abandoned: threading.Event,
) -> ServerRecord:
    server = replace(server, url=engine.url(server))
    save(server)
    try:
        engine.prepare(server)
        server = _spawn(engine, server, log)
        save(server)
        watch = watch_over(server, abandoned)
        server = replace(
            server,
            version=engine.complete(server, watch),
            is_prepared=True,
            is_ready=True,
            known_port=server.port,
        )
        save(server)
    except BaseException:
        # After any error, Ctrl-C included: otherwise the server would run until the next `stop`.
        end(engine.name, server, report)
        save(server.stopped())
        raise
    finally:
        engine.tidy()
    return server


def _spawn(engine: Engine, server: ServerRecord, log: Path) -> ServerRecord:
    if log.exists():
        log.replace(log.with_suffix(".log.previous"))
    try:
        with log.open("wb") as file:
            log.chmod(0o600)
            argv = engine.command(server)
            child = spawn(argv, folder=engine.folder, log=file, account=engine.account)
    except OSError as exc:
        raise EmbeddedServerError(f"{engine.title} cannot be started: {exc}") from exc
    process = identify(child.pid)
    if process is None:
        raise ServerExitedError("the server process ended at once")
    return replace(server, process=process)

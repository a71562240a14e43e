"""`manage.py run`: the servers and all processes on one machine, for a demo or for development."""

import errno
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import environ
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from meeting_rooms.dev import servers
from meeting_rooms.dev.demo.accounts import DEMO_ACCOUNTS, DEMO_PASSWORD
from meeting_rooms.dev.run_log import RunLog
from meeting_rooms.dev.servers import ENVIRONMENT, EmbeddedServerError, ServiceName, Started
from meeting_rooms.dev.store_guard import StoreGuard
from meeting_rooms.dev.supervisor import MANAGE, Child, Supervisor, TooManyRestartsError
from meeting_rooms.kernel.product import PRODUCT_NAME
from meeting_rooms.secret_key import ensure_secret_key

FIRST_PORT, PORTS_TRIED = 8000, 20  # the first port, and how many are tried from there
LAST_PORT = 65_535
ANSWER_TIMEOUT_S = 90.0  # enough for a slow machine; a process that ends is noticed at once

# Settings for a demo on one machine. A value in the environment wins.
LOCAL_DEFAULTS = {
    "DEMO": "1",
    "HTTPS": "0",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
    "LOG_JSON": "0",
    "LOG_LEVEL": "WARNING",
    "DRAIN_NOTICE_S": "0",  # one process has no load balancer
    "DRAIN_SPREAD_S": "0",
}


class Command(BaseCommand):
    """Starts servers, web process, worker and simulator, and stops the ones that it started."""

    help = (
        "Starts everything on this machine: the embedded servers (where no URL is set), the "
        "migrations, demo data on an empty database, a web process, a worker, a simulator. "
        "Ctrl-C stops everything that this command started, and nothing else."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `--port` and `--no-demo`."""
        parser.add_argument(
            "--port", type=int, help="Port (default: the first free one from 8000)."
        )
        parser.add_argument(
            "--no-demo", action="store_true", help="No demo data, no demo accounts, no simulator."
        )

    def handle(self, *_args: Any, port: int | None, no_demo: bool, **_options: Any) -> None:
        """Start everything, print the address, watch the processes, stop on a signal."""
        port = port_to_use(port, self._say)
        ensure_secret_key(settings.DATA_DIR)
        environment = {**LOCAL_DEFAULTS, **os.environ}
        if no_demo:
            environment["DEMO"] = "0"
        wanted = [name for name in ServiceName if not os.environ.get(ENVIRONMENT[name])]
        started: frozenset[ServiceName] = frozenset()
        try:
            services = servers.start(
                settings.DATA_DIR, wanted=wanted, owner_pid=os.getpid(), report=self._say
            )
            started = services.started
            environment |= {ENVIRONMENT[name]: url for name, url in services.urls.items()}
            log = RunLog(settings.DATA_DIR)
            self._prepare(environment, log)
            self._serve(environment, port, services, log)
        except EmbeddedServerError as exc:
            raise CommandError(str(exc)) from exc
        except KeyboardInterrupt:
            self._say("Interrupted.")
        finally:
            if started:
                servers.stop(settings.DATA_DIR, names=started, report=self._say)

    def _prepare(self, environment: dict[str, str], log: RunLog) -> None:
        """Run `prepare`: print its steps to the terminal, write its logs to the file.

        Raises CommandError if the stores could not be prepared.
        """
        with log.path.open("ab") as errors:
            done = subprocess.run(  # noqa: S603 - our own command line
                [sys.executable, str(MANAGE), "prepare"],
                env=environment,
                stderr=errors,
                check=False,
            )
        if done.returncode:
            raise CommandError(log.explain("The stores could not be prepared."))

    def _serve(
        self, environment: dict[str, str], port: int, services: Started, log: RunLog
    ) -> None:
        children = [
            Child("worker", ["worker"]),
            Child("web", ["serve", "--port", str(port)]),
        ]
        if environment["DEMO"].strip().lower() in environ.Env.BOOLEAN_TRUE_STRINGS:
            children.append(Child("simulator", ["simulate"]))
        guard = StoreGuard(
            settings.DATA_DIR,
            owned=services.started,
            urls=services.urls,
            owner_pid=os.getpid(),
            report=self._say,
        )
        supervisor = Supervisor(
            children, environment, log=log.path, report=self._say, watch_stores=guard.watch
        )
        try:
            supervisor.start()
            self._welcome(supervisor, port, log, is_demo=len(children) > 2)
            supervisor.watch()
        except TooManyRestartsError as exc:
            raise CommandError(log.explain(str(exc))) from exc
        finally:
            self._say("Stopping…")
            supervisor.stop()

    def _welcome(self, supervisor: Supervisor, port: int, log: RunLog, *, is_demo: bool) -> None:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while not _answers(f"{address}/readyz"):
            if supervisor.is_stopping:
                return
            if ended := supervisor.ended():
                raise CommandError(log.explain(f"{' and '.join(ended)} ended during the start."))
            if time.monotonic() > deadline:
                sentence = f"{address} did not answer within {ANSWER_TIMEOUT_S:.0f} s."
                raise CommandError(log.explain(sentence))
            time.sleep(0.1)
        self._say(f"\n  {PRODUCT_NAME} is live:  {self.style.SUCCESS(address)}")
        if is_demo:
            self._say(f"  A lobby board:          {address}/board/harbour-house")
            self._say("  Demo data and a simulator are running. Demo accounts:")
            for account in DEMO_ACCOUNTS:
                self._say(f"    {account.email:24} {account.role:6} password: {DEMO_PASSWORD}")
        self._say(f"  Logs:                   {log.path}")
        self._say("  Ctrl-C stops everything.\n")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def port_to_use(wanted: int | None, report: Callable[[str], None]) -> int:
    """Return the wanted port, or the first free one from FIRST_PORT if none is wanted.

    Reports if FIRST_PORT is taken. Raises CommandError if the wanted port, or every port, is taken;
    the sentence names a free port.
    """
    if wanted is None:
        port = _next_free(FIRST_PORT)
        if port != FIRST_PORT:
            report(f"Port {FIRST_PORT} is taken. Meeting Rooms uses the next free port: {port}.")
        return port
    if not 0 < wanted <= LAST_PORT:
        raise CommandError(f"{wanted} is not a port: choose one from 1 to {LAST_PORT}.")
    if not _is_free(wanted):
        port = _next_free(wanted + 1 if wanted < LAST_PORT else FIRST_PORT)
        raise CommandError(
            f'Port {wanted} is taken. The next free port is {port}: make run ARGS="--port {port}"'
        )
    return wanted


def _next_free(first: int) -> int:
    ports = range(first, min(first + PORTS_TRIED, LAST_PORT + 1))
    for port in ports:
        if _is_free(port):
            return port
    raise CommandError(
        f"Ports {first} to {ports.stop - 1} are taken. Choose another one with --port."
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as exc:
            if exc.errno == errno.EADDRINUSE:
                return False
            raise CommandError(f"Port {port} cannot be used: {exc.strerror}.") from exc
    return True


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - loopback, http
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False

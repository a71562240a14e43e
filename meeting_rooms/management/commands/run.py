"""`manage.py run`: everything on one machine, for a look or for development."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

import environ
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from meeting_rooms.dev import servers
from meeting_rooms.dev.demo.accounts import DEMO_ACCOUNTS, DEMO_PASSWORD
from meeting_rooms.dev.servers import ENVIRONMENT, EmbeddedServerError, ServiceName
from meeting_rooms.dev.supervisor import MANAGE, Child, Supervisor
from meeting_rooms.kernel.product import PRODUCT_NAME
from meeting_rooms.secret_key import ensure_secret_key

FIRST_PORT, PORTS_TRIED = 8000, 20
ANSWER_TIMEOUT_S = 30.0

# What a demo on one machine relaxes; each stays as it is where the environment says otherwise.
LOCAL_DEFAULTS = {
    "DEMO": "1",
    "HTTPS": "0",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
    "LOG_JSON": "0",
    "LOG_LEVEL": "WARNING",
    "DRAIN_NOTICE_S": "0",  # nobody balances load over a single process
    "DRAIN_SPREAD_S": "0",
}


class Command(BaseCommand):
    """Starts servers, web, worker and simulator, and stops what it started."""

    help = (
        "Starts everything on this machine: the embedded servers (where no URL is set), the "
        "migrations, demo data on an empty database, a web process, a worker, a simulator. "
        "Ctrl-C stops exactly what was started."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the port and the empty start."""
        parser.add_argument(
            "--port", type=int, help="Port (default: the first free one from 8000)."
        )
        parser.add_argument(
            "--no-demo", action="store_true", help="No demo data, no demo accounts, no simulator."
        )

    def handle(self, *_args: Any, port: int | None, no_demo: bool, **_options: Any) -> None:
        """Start, print the address, watch, stop."""
        ensure_secret_key(settings.DATA_DIR)
        environment = {**LOCAL_DEFAULTS, **os.environ}
        if no_demo:
            environment["DEMO"] = "0"
        wanted = [name for name in ServiceName if not os.environ.get(ENVIRONMENT[name])]
        port = port or _free_port()
        started: frozenset[ServiceName] = frozenset()
        try:
            services = servers.start(
                settings.DATA_DIR, wanted=wanted, owner_pid=os.getpid(), report=self._say
            )
            started = services.started
            environment |= {ENVIRONMENT[name]: url for name, url in services.urls.items()}
            self._prepare(environment)
            self._serve(environment, port)
        except EmbeddedServerError as exc:
            raise CommandError(str(exc)) from exc
        except KeyboardInterrupt:
            self._say("Interrupted.")
        finally:
            if started:
                servers.stop(settings.DATA_DIR, names=started, report=self._say)

    def _prepare(self, environment: dict[str, str]) -> None:
        done = subprocess.run(  # noqa: S603 - our own command line
            [sys.executable, str(MANAGE), "prepare"], env=environment, check=False
        )
        if done.returncode:
            raise CommandError("The stores could not be prepared; the reason stands above.")

    def _serve(self, environment: dict[str, str], port: int) -> None:
        children = [
            Child("worker", ["worker"]),
            Child("web", ["serve", "--port", str(port)]),
        ]
        if environment["DEMO"].strip().lower() in environ.Env.BOOLEAN_TRUE_STRINGS:
            children.append(Child("simulator", ["simulate"]))
        supervisor = Supervisor(children, environment, self._say)
        try:
            supervisor.start()
            self._welcome(supervisor, port, is_demo=len(children) > 2)
            supervisor.watch()
        finally:
            self._say("Stopping…")
            supervisor.stop()

    def _welcome(self, supervisor: Supervisor, port: int, *, is_demo: bool) -> None:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while not _answers(f"{address}/readyz"):
            if supervisor.is_stopping:
                return
            if time.monotonic() > deadline:
                raise CommandError(f"{address} did not answer in {ANSWER_TIMEOUT_S:.0f} s.")
            time.sleep(0.1)
        self._say(f"\n  {PRODUCT_NAME} is live:  {self.style.SUCCESS(address)}")
        if is_demo:
            self._say(f"  A lobby board:          {address}/board/harbour-house")
            self._say("  Demo data and a simulator are running. Demo accounts:")
            for account in DEMO_ACCOUNTS:
                self._say(f"    {account.email:24} {account.role:6} password: {DEMO_PASSWORD}")
        self._say("  Ctrl-C stops everything.\n")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _free_port() -> int:
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    last = FIRST_PORT + PORTS_TRIED - 1
    raise CommandError(f"Ports {FIRST_PORT} to {last} are all taken. Choose one with --port.")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - loopback, http
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False

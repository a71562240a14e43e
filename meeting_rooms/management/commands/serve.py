"""`manage.py serve`: one web process, Daphne, after the system checks."""

import sys
from typing import Any

from daphne.cli import CommandLineInterface
from django.core.checks import run_checks
from django.core.management.base import BaseCommand, CommandError, CommandParser

from meeting_rooms.checks import STORES

LISTEN_BACKLOG = 4096  # the default of 50 loses handshakes when displays reconnect together
MAX_MESSAGE_BYTES = 65_536  # the live protocol refuses more than 4 KiB by itself, with a reason
PING_INTERVAL_S, PING_TIMEOUT_S = 20, 20


class Command(BaseCommand):
    """Starts Daphne with the limits this project relies on."""

    help = "Serves pages, REST API and sockets. Refuses to start while a system check fails."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare where to listen."""
        parser.add_argument("--host", default="127.0.0.1", help="Address (default 127.0.0.1).")
        parser.add_argument("--port", type=int, default=8000, help="Port (default 8000).")

    def handle(self, *_args: Any, host: str, port: int, **_options: Any) -> None:
        """Check the stores, then serve until SIGINT or SIGTERM."""
        failed = run_checks(tags=[STORES], include_deployment_checks=True)
        if failed:
            raise CommandError("\n".join(f"{m.id}: {m.msg} {m.hint}" for m in failed))
        sys.argv[0] = "daphne"
        CommandLineInterface().run(
            [
                f"--endpoint=tcp:port={port}:interface={host}:backlog={LISTEN_BACKLOG}",
                f"--websocket-max-message-size={MAX_MESSAGE_BYTES}",
                f"--ping-interval={PING_INTERVAL_S}",
                f"--ping-timeout={PING_TIMEOUT_S}",
                "--websocket_timeout=-1",
                "--application-close-timeout=5",
                "--no-server-name",
                "--verbosity=0",  # requests are logged by RequestIdMiddleware, structured
                "meeting_rooms.asgi:application",
            ]
        )

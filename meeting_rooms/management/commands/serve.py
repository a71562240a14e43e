"""`manage.py serve`: one web process, Daphne, after the system checks."""

import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.checks import run_checks
from django.core.management.base import BaseCommand, CommandError, CommandParser

from meeting_rooms.checks import STORES
from meeting_rooms.gc_tuning import collect_seldom
from realtime.server.loop import install_loop
from realtime.socket.connections import shared_connections

LISTEN_BACKLOG = 4096  # the default of 50 loses handshakes when displays reconnect together
MAX_MESSAGE_BYTES = 65_536  # the live protocol refuses more than 4 KiB by itself, with a reason
PING_INTERVAL_S, PING_TIMEOUT_S = 8, 12  # a half-open connection ends within 22 s
REQUEST_TIMEOUT_S = 10.0  # for the running requests to end, after the sockets have been drained


class Command(BaseCommand):
    """Starts Daphne with the limits of this project."""

    help = (
        "Serves pages, REST API and sockets. Refuses to start while a system check fails. "
        "SIGTERM drains: /readyz says 503, sockets are asked to reconnect elsewhere, requests are "
        "finished. SIGINT stops at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the address and the port."""
        parser.add_argument("--host", default="127.0.0.1", help="Address (default 127.0.0.1).")
        parser.add_argument("--port", type=int, default=8000, help="Port (default 8000).")

    def handle(self, *_args: Any, host: str, port: int, **_options: Any) -> None:
        """Check the stores, then serve until SIGINT or SIGTERM.

        Raises CommandError if a system check fails.
        """
        failed = run_checks(tags=[STORES], include_deployment_checks=True)
        if failed:
            raise CommandError("\n".join(f"{m.id}: {m.msg} {m.hint}" for m in failed))
        install_loop(wants_uvloop=settings.UVLOOP)
        from meeting_rooms.asgi import application
        from realtime.server.daphne import LiveServer  # imports the reactor that is installed now

        collect_seldom()
        LiveServer(
            application,
            endpoints=[f"tcp:port={port}:interface={host}:backlog={LISTEN_BACKLOG}"],
            wants_direct=settings.DIRECT_SEND,
            notice=notice,
            drain=drain,
            request_timeout_s=REQUEST_TIMEOUT_S,
            websocket_max_message_size=MAX_MESSAGE_BYTES,
            websocket_max_frame_size=MAX_MESSAGE_BYTES,
            websocket_timeout=-1,  # the registry of connections recycles them
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            application_close_timeout=5,
            server_name="",
            verbosity=0,  # RequestIdMiddleware logs the requests
        ).run()


async def notice(number: int) -> None:
    """Mark this process as not ready, and wait until the load balancer has noticed."""
    shared_connections().is_draining = True
    if number != signal.SIGINT:
        await asyncio.sleep(settings.DRAIN_NOTICE_S)


async def drain(number: int) -> None:
    """Ask the sockets to reconnect elsewhere, over DRAIN_SPREAD_S; at once for SIGINT (Ctrl-C)."""
    is_quick = number == signal.SIGINT
    await shared_connections().drain(0 if is_quick else settings.DRAIN_SPREAD_S)

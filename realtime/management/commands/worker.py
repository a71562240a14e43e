"""`manage.py worker`: keep live states up to date until a signal ends the process."""

from contextlib import ExitStack
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from realtime.layer.publisher import Publisher
from realtime.metrics import metrics_server
from realtime.store.live_store import LiveStore
from realtime.worker.process import run_until_signal
from realtime.worker.projector import Projector
from realtime.worker.worker import Worker


class Command(BaseCommand):
    """Runs one worker. Any number of workers may run."""

    help = (
        "Keep the live states of rooms up to date with bookings, sensors and time, and release "
        "no-shows. Any number of workers may run. Ends on SIGINT or SIGTERM."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--metrics-port",
            type=int,
            default=settings.WORKER_METRICS_PORT,
            help="Serve /metrics on this port. Default: WORKER_METRICS_PORT. 0: serve no metrics.",
        )

    def handle(self, *_args: Any, metrics_port: int, **_options: Any) -> None:
        """Run until SIGINT or SIGTERM. Raises CommandError if the metrics port is not available."""
        with ExitStack() as until_the_end:
            if metrics_port:
                try:
                    server = metrics_server(settings.WORKER_METRICS_ADDRESS, metrics_port)
                    until_the_end.enter_context(server)
                except OSError as exc:
                    raise CommandError(
                        f"Metrics cannot be served on port {metrics_port}: {exc.strerror}. "
                        "Choose a free port; each worker of a machine needs its own port."
                    ) from exc
            run_until_signal("worker", _work)


async def _work(store: LiveStore) -> None:
    projector = Projector(store, Publisher(get_channel_layer()), SYSTEM_CLOCK)
    await Worker(store, projector, SYSTEM_CLOCK).run()

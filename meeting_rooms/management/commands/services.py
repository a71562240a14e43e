"""`manage.py services start|stop|status`: the embedded servers of this checkout."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from meeting_rooms.dev.servers.__main__ import main
from meeting_rooms.secret_key import ensure_secret_key


class Command(BaseCommand):
    """Passes its arguments to `meeting_rooms.dev.servers`, which needs no Django."""

    help = (
        "Starts, stops or shows real Postgres, MongoDB and Redis servers for development. They "
        "come from Python wheels and need neither root nor Docker."
    )
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Run `services …` and exit with its code."""
        if "start" in argv:
            ensure_secret_key(settings.DATA_DIR)
        sys.exit(main(argv[2:], data_dir=settings.DATA_DIR))

    def handle(self, *args: Any, **_options: Any) -> None:
        """Run the command when called from code, as in `call_command("services", "start")`."""
        main(args, data_dir=settings.DATA_DIR)

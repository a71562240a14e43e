"""`manage.py services start|stop|status`: the embedded servers of this checkout."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from meeting_rooms.dev.servers.__main__ import main
from meeting_rooms.secret_key import ensure_secret_key


class Command(BaseCommand):
    """Hands its arguments to the servers' own command line, which needs no Django."""

    help = "Real Postgres, MongoDB and Redis for development, from wheels; no root, no Docker."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Run `services …` and exit with its code."""
        if "start" in argv:
            ensure_secret_key(settings.DATA_DIR)
        sys.exit(main(argv[2:], data_dir=settings.DATA_DIR))

    def handle(self, *args: Any, **_options: Any) -> None:
        """Run when called from code, as `call_command("services", "start")`."""
        main(args, data_dir=settings.DATA_DIR)

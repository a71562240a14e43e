"""`manage.py prepare`: update the stores and static files to this version of the code."""

import asyncio
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from realtime.store.live_store import open_store


class Command(BaseCommand):
    """Migrates Postgres, indexes MongoDB, collects static files. Safe to run before every start."""

    help = "Migrates Postgres, prepares MongoDB, collects static files; demo data if DEMO is on."

    def handle(self, *_args: Any, verbosity: int, **_options: Any) -> None:
        """Run each step and print its name."""
        self._step("Migrating Postgres")
        call_command("migrate", interactive=False, verbosity=max(0, verbosity - 1))
        self._step("Preparing MongoDB")
        asyncio.run(_prepare_live_store())
        self._step("Collecting static files")
        call_command("collectstatic", interactive=False, verbosity=0)
        if settings.DEMO:
            from meeting_rooms.dev.demo.load import load_demo_if_empty  # only a demo needs it

            if load_demo_if_empty(report=self._step):
                self._step("Demo data is in place")

    def _step(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


async def _prepare_live_store() -> None:
    store = open_store()
    try:
        await store.prepare()
    finally:
        await store.close()

"""System checks: what is missing, and what to do. Ids are stable.

The store checks connect, so they run where asked for: `check --deploy` and `serve`.
"""

import asyncio
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from meeting_rooms.health import StoreProbe, probe_stores

STORES = "stores"
MIN_SECRET_KEY_LENGTH = 32
_IDS = {
    "postgres": "meeting_rooms.E010",
    "mongodb": "meeting_rooms.E011",
    "redis": "meeting_rooms.E012",
}
_VARIABLES = {"postgres": "DATABASE_URL", "mongodb": "MONGODB_URL", "redis": "REDIS_URL"}


@register()
def check_secret_key(**_kwargs: Any) -> list[CheckMessage]:
    """Refuse the default key: with it anybody can forge a session."""
    key = settings.SECRET_KEY
    if key != settings.DEFAULT_SECRET_KEY and len(key) >= MIN_SECRET_KEY_LENGTH:
        return []
    return [
        Error(
            "SECRET_KEY is the default or shorter than 32 characters.",
            hint="Set SECRET_KEY to a long random value, or run 'manage.py services start' "
            "to have one made for this checkout.",
            id="meeting_rooms.E001",
        )
    ]


@register()
def check_demo_is_not_production(**_kwargs: Any) -> list[CheckMessage]:
    """Refuse the demo where TLS is on: its accounts have printed passwords."""
    if settings.DEMO and settings.HTTPS:
        return [
            Error(
                "DEMO is on while HTTPS is on.",
                hint="The demo has public passwords. Unset DEMO in production.",
                id="meeting_rooms.E002",
            )
        ]
    return []


@register(STORES, deploy=True)
def check_stores(**_kwargs: Any) -> list[CheckMessage]:
    """Ask each store for a sign of life, within the store time-out."""
    return [_as_error(probe) for probe in asyncio.run(probe_stores()) if not probe.is_ok]


def _as_error(probe: StoreProbe) -> CheckMessage:
    variable = _VARIABLES[probe.name]
    return Error(
        f"{probe.name} does not answer: {probe.problem}",
        hint=f"Set {variable} to a server of yours, or run 'manage.py services start'.",
        id=_IDS[probe.name],
    )

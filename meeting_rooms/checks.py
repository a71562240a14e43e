"""Django system checks of the secret key, the demo and the stores. Ids are stable.

The check of the stores opens connections, so only `check --deploy` and `serve` run this check.
"""

import asyncio
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from meeting_rooms.health import StoreProbe, probe_stores

STORES = "stores"
MIN_SECRET_KEY_LENGTH = 32  # characters
_IDS = {
    "postgres": "meeting_rooms.E010",
    "mongodb": "meeting_rooms.E011",
    "redis": "meeting_rooms.E012",
}
_VARIABLES = {"postgres": "DATABASE_URL", "mongodb": "MONGODB_URL", "redis": "REDIS_URL"}


@register()
def check_secret_key(**_kwargs: Any) -> list[CheckMessage]:
    """Return an error for the default key, which would let anyone forge a session."""
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
    """Return an error for a demo with TLS: the demo accounts have public passwords."""
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
    """Return an error for each store that does not answer within `settings.STORE_TIMEOUT_S`."""
    return [_as_error(probe) for probe in asyncio.run(probe_stores()) if not probe.is_ok]


def _as_error(probe: StoreProbe) -> CheckMessage:
    variable = _VARIABLES[probe.name]
    return Error(
        f"{probe.name} does not answer: {probe.problem}",
        hint=f"Set {variable} to a server of yours, or run 'manage.py services start'.",
        id=_IDS[probe.name],
    )

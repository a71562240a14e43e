"""Who opens a socket: a page of ours (session cookie, exact Origin) or a program (Bearer token).

A browser always sends Origin and cannot send a Bearer header, so each path covers the other's gap.
"""

from typing import Any
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from channels.middleware import BaseMiddleware
from django.conf import settings
from django.http.request import validate_host

from identity.services.authenticate_api_token import authenticate_api_token

DEFAULT_PORTS = {"http": 80, "https": 443}


class HandshakeMiddleware(BaseMiddleware):
    """Refuses a handshake (HTTP 403) from a foreign page or with a token that is not good."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """Let the handshake through, with the token's owner as `scope["user"]`, or close it."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        scheme, _, token = headers.get(b"authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            user = await database_sync_to_async(authenticate_api_token)(secret=token.strip())
            if user is None:
                return await _refuse(receive, send)
            return await self.inner({**scope, "user": user}, receive, send)
        if not is_own_origin(headers.get(b"origin", ""), headers.get(b"host", "")):
            return await _refuse(receive, send)
        return await self.inner(scope, receive, send)


def is_own_origin(origin: str, host: str) -> bool:
    """Say whether a page of this very site (scheme, host and port) opens the socket.

    Behind a proxy the site's own scheme is the proxy's; those origins are in CSRF_TRUSTED_ORIGINS.
    """
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    site = "https" if settings.HTTPS else "http"
    try:
        asked, own = urlsplit(origin), urlsplit(f"{site}://{host}")
        same_port = (asked.port or DEFAULT_PORTS.get(asked.scheme)) == (
            own.port or DEFAULT_PORTS[site]
        )
    except ValueError:
        return False
    is_same = asked.scheme == site and asked.hostname == own.hostname and same_port
    return is_same and validate_host(own.hostname or "", settings.ALLOWED_HOSTS)


async def _refuse(receive: Any, send: Any) -> None:
    await receive()  # websocket.connect
    await send({"type": "websocket.close"})

"""Who opens a socket: a page of ours (session cookie, exact Origin) or a program (Bearer token).

A browser always sends Origin and cannot send a Bearer header, so each path covers the other's gap.
"""

from functools import partial
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from channels.middleware import BaseMiddleware
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.http.request import validate_host

from identity.models import User
from identity.services.authenticate_api_token import authenticate_api_token
from realtime.threads import in_thread

DEFAULT_PORTS = {"http": 80, "https": 443}


class HandshakeMiddleware(BaseMiddleware):
    """Refuses a handshake (HTTP 403) from a foreign page or with a token that is not good.

    `scope["ask_user"]` tells whose socket it is, afresh each time: a token may be revoked, a
    session end and a person leave while it is open.
    """

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """Let the handshake through or close it."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        scheme, _, token = headers.get(b"authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            ask = partial(in_thread, authenticate_api_token, secret=token.strip())
            if await ask() is None:
                return await _refuse(receive, send)
        elif is_own_origin(headers.get(b"origin", ""), headers.get(b"host", "")):
            ask = partial(in_thread, _user_of_session, scope["session"].session_key)
        else:
            return await _refuse(receive, send)
        return await self.inner({**scope, "ask_user": ask}, receive, send)


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


def _user_of_session(session_key: str | None) -> User | None:
    """Return who is signed in by this session now."""
    if session_key is None:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    return user if isinstance(user, User) else None


async def _refuse(receive: Any, send: Any) -> None:
    await receive()  # websocket.connect
    await send({"type": "websocket.close"})

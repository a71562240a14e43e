"""Who opens a socket: a page of ours (session cookie, exact Origin) or a program (Bearer token).

A browser always sends Origin and cannot send a Bearer header, so each path covers the other's gap.
"""

from collections.abc import Callable
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
from realtime import metrics
from realtime.domain.state import Audience
from realtime.threads import in_thread

DEFAULT_PORTS = {"http": 80, "https": 443}


class HandshakeMiddleware(BaseMiddleware):
    """Refuses a handshake (HTTP 403) from a foreign page or with a token that is not good.

    Adds to the scope: `principal`, the token or session that the socket belongs to, None without
    either; `audience`, as whom it reads; `ask_audience`, which answers that afresh: a token may be
    revoked, a session end and a person leave while it is open.
    """

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """Let the handshake through or close it."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        scheme, _, token = headers.get(b"authorization", "").partition(" ")
        is_program = scheme.lower() == "bearer"
        if is_program:
            principal: str | None = token.strip()
            ask = partial(_ask, authenticate_api_token, secret=principal)
        elif is_own_origin(headers.get(b"origin", ""), headers.get(b"host", "")):
            principal = scope["session"].session_key
            ask = partial(_ask, _user_of_session, principal)
        else:
            return await _refuse("foreign_origin", receive, send)
        audience = Audience.PUBLIC if principal is None else await ask()
        if is_program and audience is Audience.PUBLIC:
            return await _refuse("bad_token", receive, send)
        added = {"principal": principal, "audience": audience, "ask_audience": ask}
        return await self.inner({**scope, **added}, receive, send)


async def _ask(find: Callable[..., User | None], *args: Any, **kwargs: Any) -> Audience:
    """Return the audience of whoever is found."""
    user = await in_thread(find, *args, **kwargs)
    return Audience.STAFF if user is not None else Audience.PUBLIC


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


def _user_of_session(session_key: str) -> User | None:
    """Return who is signed in by this session now."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    return user if isinstance(user, User) else None


async def _refuse(reason: str, receive: Any, send: Any) -> None:
    metrics.connections_refused_total.labels(reason=reason).inc()
    await receive()  # websocket.connect
    await send({"type": "websocket.close"})

"""Who opens a socket: a page of ours (session cookie, exact Origin) or a program (Bearer token).

A browser always sends Origin and cannot send a Bearer header, so each path covers the other's gap.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from channels.middleware import BaseMiddleware
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.http.request import validate_host

from identity.commands.authenticate_api_token import authenticate_api_tokens
from identity.models import User
from identity.queries import actor_of
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.client_address import client_address, network_of
from realtime import metrics
from realtime.socket.batch_loader import BatchLoader
from realtime.state.live_state import Audience

Find = Callable[[Collection[str]], Mapping[str, User]]
Ask = Callable[[], Awaitable[User | None]]
DEFAULT_PORTS = {"http": 80, "https": 443}


_asking: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Find, BatchLoader[str, User]]] = (
    WeakKeyDictionary()
)


class SocketAuthenticationMiddleware(BaseMiddleware):
    """Refuses a handshake (HTTP 403) from a foreign page or with a token that is not good.

    Adds to the scope: `address`, the network that the client counts as; `principal`, the token or
    session that the socket belongs to, None without either; `audience`, as whom it reads;
    `ask_audience`, which answers that afresh, and `ask_actor`, who it is: a token may be revoked, a
    session end and a person leave meanwhile.
    """

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """Let the handshake through or close it."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        scheme, _, token = headers.get(b"authorization", "").partition(" ")
        is_program = scheme.lower() == "bearer"
        if is_program:
            principal: str | None = token.strip()
            ask = partial(_ask, _owners, principal)
        elif is_own_origin(headers.get(b"origin", ""), headers.get(b"host", "")):
            principal = scope["session"].session_key
            ask = partial(_ask, _signed_in, principal)
        else:
            return await _refuse("foreign_origin", receive, send)
        audience = Audience.PUBLIC if principal is None else _audience_of(await ask())
        if is_program and audience is Audience.PUBLIC:
            return await _refuse("bad_token", receive, send)
        added = {
            "address": _network_of(scope),
            "principal": principal,
            "audience": audience,
            "ask_audience": partial(_ask_audience, ask),
            "ask_actor": partial(_ask_actor, ask),
        }
        return await self.inner({**scope, **added}, receive, send)


def _network_of(scope: dict[str, Any]) -> str:
    """Return what counts as one client, as the outermost trusted proxy saw it."""
    peer, *_ = scope.get("client") or ("",)
    # A proxy may append a header line of its own instead of to the last one.
    lines = (value for name, value in scope["headers"] if name.lower() == b"x-forwarded-for")
    forwarded_for = b",".join(lines).decode("latin-1")
    return network_of(client_address(peer, forwarded_for, settings.TRUSTED_PROXIES))


def _audience_of(user: User | None) -> Audience:
    return Audience.PUBLIC if user is None else Audience.STAFF


async def _ask_audience(ask: Ask) -> Audience:
    return _audience_of(await ask())


async def _ask_actor(ask: Ask) -> Actor | None:
    user = await ask()
    return actor_of(user) if user is not None else None


async def _ask(find: Find, principal: str | None) -> User | None:
    """Return whoever is found, as they are now."""
    if principal is None:
        return None
    loop = asyncio.get_running_loop()
    asking = _asking.setdefault(loop, {})
    if find not in asking:
        asking[find] = BatchLoader(find)
    return await asking[find].ask(principal)


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


def _owners(secrets: Collection[str]) -> dict[str, User]:
    return authenticate_api_tokens(secrets=secrets)


def _signed_in(session_keys: Collection[str]) -> dict[str, User]:
    """Return who is signed in by each of these sessions now."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    found = {}
    for key in filter(str.isalnum, session_keys):  # as all of ours are: junk must not fail the rest
        request = HttpRequest()
        request.session = store(key)
        if isinstance(user := get_user(request), User):
            found[key] = user
    return found


async def _refuse(reason: str, receive: Any, send: Any) -> None:
    metrics.connections_refused_total.labels(reason=reason).inc()
    await receive()  # websocket.connect
    await send({"type": "websocket.close"})

"""Authentication of WebSockets: of pages by session cookie and Origin, of programs by Bearer token.

A browser always sends Origin and cannot send a Bearer header, so a foreign page can use neither.
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
FindUser = Callable[[], Awaitable[User | None]]
DEFAULT_PORTS = {"http": 80, "https": 443}


_loaders: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Find, BatchLoader[str, User]]] = (
    WeakKeyDictionary()
)


class SocketAuthenticationMiddleware(BaseMiddleware):
    """Refuses a handshake (HTTP 403) from a foreign page or with an invalid token.

    Adds to the scope: `address`, the network of the client; `principal`, its token or session key,
    None without either; `audience`; and two functions, `ask_audience` and `ask_actor`, that read
    the present audience and actor, because a token, a session or a person's access may end while
    the socket is open.
    """

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """Pass the handshake to the consumer, or refuse it."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        scheme, _, token = headers.get(b"authorization", "").partition(" ")
        is_program = scheme.lower() == "bearer"
        if is_program:
            principal: str | None = token.strip()
            find_user = partial(_find_user, _owners, principal)
        elif is_own_origin(headers.get(b"origin", ""), headers.get(b"host", "")):
            principal = scope["session"].session_key
            find_user = partial(_find_user, _signed_in, principal)
        else:
            return await _refuse("foreign_origin", receive, send)
        audience = Audience.PUBLIC if principal is None else _audience_of(await find_user())
        if is_program and audience is Audience.PUBLIC:
            return await _refuse("bad_token", receive, send)
        added = {
            "address": _network_of(scope),
            "principal": principal,
            "audience": audience,
            "ask_audience": partial(_ask_audience, find_user),
            "ask_actor": partial(_ask_actor, find_user),
        }
        return await self.inner({**scope, **added}, receive, send)


def _network_of(scope: dict[str, Any]) -> str:
    """Return the network address of the client, as seen by the outermost trusted proxy."""
    peer, *_ = scope.get("client") or ("",)
    # A proxy may add a second header instead of appending to the existing one.
    values = (value for name, value in scope["headers"] if name.lower() == b"x-forwarded-for")
    forwarded_for = b",".join(values).decode("latin-1")
    return network_of(client_address(peer, forwarded_for, settings.TRUSTED_PROXIES))


def _audience_of(user: User | None) -> Audience:
    return Audience.PUBLIC if user is None else Audience.STAFF


async def _ask_audience(find_user: FindUser) -> Audience:
    return _audience_of(await find_user())


async def _ask_actor(find_user: FindUser) -> Actor | None:
    user = await find_user()
    return actor_of(user) if user is not None else None


async def _find_user(find: Find, principal: str | None) -> User | None:
    """Return the present user of a token or session; None if there is none."""
    if principal is None:
        return None
    loop = asyncio.get_running_loop()
    loaders = _loaders.setdefault(loop, {})
    if find not in loaders:
        loaders[find] = BatchLoader(find)
    return await loaders[find].ask(principal)


def is_own_origin(origin: str, host: str) -> bool:
    """Return whether the Origin is this site: the same scheme, host and port.

    Behind a proxy the scheme of the site is the proxy's; CSRF_TRUSTED_ORIGINS lists such origins.
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
    """Return the signed-in users by session key."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    found = {}
    # Keys of sessions are alphanumeric; another key must not fail the lookup of all.
    for key in filter(str.isalnum, session_keys):
        request = HttpRequest()
        request.session = store(key)
        if isinstance(user := get_user(request), User):
            found[key] = user
    return found


async def _refuse(reason: str, receive: Any, send: Any) -> None:
    metrics.connections_refused_total.labels(reason=reason).inc()
    await receive()  # websocket.connect
    await send({"type": "websocket.close"})

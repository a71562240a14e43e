"""The start of a product process for a row: its command line, its environment, its readiness."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from meeting_rooms.dev.servers import ENVIRONMENT
from meeting_rooms.tests.stack import Process
from realtime.tests.faults.servers import POSTGRES, Servers

TEMPLATE = "faults_template"
PROGRAMS = ("seed", "sensors")  # modules of this folder


def database_url(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def process_environment(servers: Servers, name: str) -> dict[str, str]:
    """Return the environment of a product process that uses databases of this name."""
    urls = {ENVIRONMENT[service]: url for service, url in servers.urls.items()}
    return {
        **os.environ,
        **urls,
        "DATABASE_URL": database_url(servers.urls[POSTGRES], name),
        "MONGODB_DATABASE": name,
        "REDIS_PREFIX": name,
        "SECRET_KEY": "for-faults-only-" + "x" * 40,
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "HTTPS": "0",
        "DEMO": "0",
        "DEBUG": "0",
        "LOG_LEVEL": "INFO",
        "LOG_JSON": "1",
        "MAX_CONNECTIONS_PER_PERSON": "5000",
        "MAX_CONNECTIONS_PER_ADDRESS": "5000",
    }


class Running(Protocol):
    """A started process of the product."""

    @property
    def pid(self) -> int: ...
    @property
    def is_alive(self) -> bool: ...
    @property
    def output(self) -> str: ...
    def kill(self) -> None: ...
    def signal(self, number: signal.Signals) -> None: ...


class Starter(Protocol):
    """Starts a process: its role, the arguments of the role, and the patches to apply."""

    def __call__(
        self,
        role: str,
        arguments: Sequence[str],
        patches: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str],
    ) -> Running: ...


def start_cold(
    role: str,
    arguments: Sequence[str],
    patches: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
) -> Running:
    """Start the product's own command line, or `launch` if there are patches."""
    if role in PROGRAMS:
        line = ["-m", f"realtime.tests.faults.{role}", *arguments]
    elif patches:
        line = ["-m", "realtime.tests.faults.launch", role, *arguments, *patches]
    elif role == "web":
        line = ["manage.py", "serve", "--port", *arguments]
    else:
        line = ["manage.py", role]
    return Process(line, log, environment)


async def answers(port: int) -> bool:
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            line = await reader.readline()
            writer.close()
            return b" 200 " in line
    except (OSError, TimeoutError):
        return False

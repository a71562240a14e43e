"""How a process of ours is started for a row: its command line, its environment, its being up."""

import asyncio
import os
from urllib.parse import urlsplit, urlunsplit

from meeting_rooms.dev.servers import ENVIRONMENT
from realtime.tests.faults.servers import POSTGRES, Servers

TEMPLATE = "faults_template"


def database_url(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def process_environment(servers: Servers, name: str) -> dict[str, str]:
    """Return the environment of a process of ours on databases of this name."""
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


def command_line(role: str, arguments: list[str], patches: tuple[str, ...]) -> list[str]:
    """Return the command line of a process: the product's own, unless something is replaced."""
    if patches:
        return ["-m", "realtime.tests.faults.launch", role, *arguments, *patches]
    if role == "web":
        return ["manage.py", "serve", "--port", *arguments]
    return ["manage.py", "worker"]


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

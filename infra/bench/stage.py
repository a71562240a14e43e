"""The environment of a run: its own stores, its own folder, and its settings.

All files are in `.data`, which git ignores. The next run, or the next `make test`, removes the
files of a killed run.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from infra.bench.goals import BenchError
from infra.bench.plan import Plan
from infra.bench.report import Sample
from meeting_rooms.dev import servers
from meeting_rooms.dev.servers import ENVIRONMENT, EmbeddedServerError, ServiceName
from meeting_rooms.dev.servers.postgres_home import remove_outside_home

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / ".data"
PREPARE_TIMEOUT_S = 120.0

# Switches of the product. Rows set them; values of the caller's shell are removed.
SWITCHES = ("DIRECT_SEND", "UVLOOP")


@dataclass(frozen=True, slots=True)
class Stage:
    """The environment of all measurements. `environment` has the addresses of this run's stores."""

    plan: Plan
    folder: Path
    cache: Path
    environment: dict[str, str]
    report: Callable[[str], None]  # prints the name of the next step
    token: str = ""  # of a signed-in person
    samples: list[Sample] = field(default_factory=list)  # of fan-out, for the table

    @property
    def redis_port(self) -> int:
        """Port of this run's Redis."""
        return urlsplit(self.environment["REDIS_URL"]).port or 6379

    @property
    def redis_password(self) -> str:
        """Password of this run's Redis."""
        return urlsplit(self.environment["REDIS_URL"]).password or ""

    def manage(self, *arguments: str) -> list[str]:
        """Return the command line of a `manage.py` command."""
        return [sys.executable, str(ROOT / "manage.py"), *arguments]


@contextmanager
def open_stage(plan: Plan, report: Callable[[str], None]) -> Iterator[Stage]:
    """Start and migrate the stores; on exit stop them and remove their files.

    Raises BenchError if the stores do not start.
    """
    servers.reap_orphans(DATA, report=_quiet)
    folder = DATA / f"test-bench-{os.getpid()}"  # the prefix marks folders that may be removed
    try:
        report("starting the stores")
        started = servers.start(
            folder, wanted=list(ServiceName), owner_pid=os.getpid(), report=_quiet
        )
        environment = _environment(folder) | {
            ENVIRONMENT[name]: url for name, url in started.urls.items()
        }
        stage = Stage(plan, folder, DATA / "bench", environment, report)
        report("preparing the stores")
        _prepare(stage)
        yield stage
    except EmbeddedServerError as exc:
        raise BenchError(f"The stores did not start: {exc}") from exc
    finally:
        servers.stop(folder, report=_quiet)
        remove_outside_home(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    return inherited | {
        "DJANGO_SETTINGS_MODULE": "meeting_rooms.settings",
        "PYTHONPATH": str(ROOT),
        "DATA_DIR": str(folder),
        "SECRET_KEY": "for-the-benchmark-only-" + "x" * 32,
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "0",
        "DEBUG": "0",
        "DEMO": "0",
        "LOG_LEVEL": "ERROR",
        "MONGODB_DATABASE": "meeting_rooms_bench",
        "REDIS_PREFIX": "meeting_rooms_bench",
        # One token opens up to 5,000 connections of a row, and old ones may still be open.
        "MAX_CONNECTIONS": "20000",
        "MAX_CONNECTIONS_PER_PERSON": "20000",
        "MAX_CONNECTIONS_PER_ADDRESS": "20000",  # all come from this machine
    }


def _prepare(stage: Stage) -> None:
    done = subprocess.run(
        stage.manage("prepare", "-v", "0"),
        env=stage.environment,
        capture_output=True,
        text=True,
        timeout=PREPARE_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"manage.py prepare failed: {done.stderr.strip()[-1000:]}")


def _quiet(_line: str) -> None:
    """Print nothing: if a server does not start, its output is in the error."""

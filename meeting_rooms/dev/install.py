#!/usr/bin/env python3
"""Make the virtual environment and install the locked packages. `make` calls this file.

This file runs under the machine's own Python before any package is installed, so it imports the
standard library only. Python 3.6 must be able to parse the file up to the check of the version.
"""

import os
import shutil
import subprocess
import sys

OLDEST, NEWEST = (3, 11), (3, 14)
# Python 3.12 and 3.11 come first, because only they have a wheel with a Redis server.
PROGRAMS = ("python3.12", "python3.11", "python3.13", "python3.14")
EXIT_FAILED, EXIT_MISSING = 1, 3


def python_on_path() -> str:
    """Return the first supported Python on the PATH that runs, or "" if there is none."""
    for program in PROGRAMS:
        found = shutil.which(program)
        if found and not subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL):
            return program
    return ""


def is_supported(major: int, minor: int) -> bool:
    """Return whether the locked packages exist for this version of Python."""
    return OLDEST <= (major, minor) <= NEWEST


def python_advice(major: int, minor: int) -> str:
    """Return the sentence that this Python cannot be used, with the command to run instead."""
    age = "old" if (major, minor) < OLDEST else "new"
    found = python_on_path()
    first = "" if found else "Install Python 3.12 first (Debian, Ubuntu: apt install python3). "
    return (
        f"Python {major}.{minor} is too {age}: Meeting Rooms runs on Python 3.11 to 3.14.\n"
        f"  {first}Run: make run PYTHON={found or 'python3.12'}"
    )


if not is_supported(*sys.version_info[:2]):  # an older Python cannot run the code below
    sys.stderr.write(python_advice(*sys.version_info[:2]) + "\n")
    sys.exit(EXIT_MISSING)

import argparse  # noqa: E402
import platform  # noqa: E402
from collections.abc import Callable, Mapping, Sequence  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from importlib.util import find_spec  # noqa: E402
from pathlib import Path  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
VENV = Path(".venv")
VENV_MODULES = ("venv", "ensurepip")  # separate packages on Debian
PIP_TIMEOUT_S = 3600.0  # 210 MB over a connection of 0.5 Mbit/s
ASK_TIMEOUT_S = 30.0  # for a Python to start and print its version
LOCKS = (
    ("the product's packages (40 MB)", "requirements.txt"),
    ("the database servers (70 MB)", "requirements-servers.txt"),
    ("the tools for tests and checks (100 MB)", "requirements-dev.txt"),
)
# The number of LOCKS that each group needs. Each lock contains the packages of the lock before.
STEPS = {"servers": 2, "dev": 3}
REDIS_PROGRAMS = ("redis-server", "valkey-server")
# The shell has no windows, menus or extensions: it takes a third of a whole browser's CPU.
BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
OLDEST_GLIBC = (2, 28)  # required by the wheel with PostgreSQL


class InstallError(Exception):
    """The installation failed; the message says why and what to do."""


@dataclass(frozen=True)
class Machine:
    """The facts that decide which programs have to be installed by hand first."""

    version: tuple[int, int]
    implementation: str
    system: str
    architecture: str
    libc: tuple[str, str]
    needs_venv: bool
    modules: frozenset[str]  # the VENV_MODULES that this Python has
    environment: Mapping[str, str]
    which: Callable[[str], str | None]


def this_machine(folder: Path) -> Machine:
    """Return the facts about this machine; the version is that of the Python in `.venv`, if any."""
    version = version_of(folder / VENV / "bin" / "python")
    return Machine(
        version=version or sys.version_info[:2],
        needs_venv=version is None,
        implementation=platform.python_implementation(),
        system=sys.platform,
        architecture=platform.machine(),
        libc=platform.libc_ver(),
        modules=frozenset(name for name in VENV_MODULES if find_spec(name)),
        environment=_environment(folder),
        which=shutil.which,
    )


def find_missing(machine: Machine) -> list[str]:
    """Return one sentence and one command for each missing program that is not in a package."""
    found = [
        _missing_interpreter(machine),
        _missing_venv(machine),
        _missing_libc(machine),
        _missing_mongodb(machine),
        _missing_redis(machine),
    ]
    return [sentence for sentence in found if sentence]


def notes(machine: Machine, group: str) -> list[str]:
    """Return a note for each missing program that only the tests need."""
    named = machine.environment.get("CHROMIUM")
    browsers = [named] if named else BROWSERS
    if group != "dev" or any(map(machine.which, browsers)):
        return []
    return [
        "The browser tests need Chromium, which is not on the PATH.\n"
        "  Debian, Ubuntu: apt install chromium-headless-shell"
    ]


def _missing_interpreter(machine: Machine) -> str | None:
    if machine.implementation == "CPython":
        return None
    return (
        f"{machine.implementation} is not supported: the locked packages are for CPython.\n"
        f"  Run: make run PYTHON={python_on_path() or 'python3.12'}"
    )


def _missing_venv(machine: Machine) -> str | None:
    missing = [name for name in VENV_MODULES if name not in machine.modules]
    if not machine.needs_venv or not missing:
        return None
    version = ".".join(map(str, machine.version))
    return (
        f"This Python {version} has no module {' and no module '.join(missing)}.\n"
        f"  Debian, Ubuntu: apt install python{version}-venv"
    )


def _missing_libc(machine: Machine) -> str | None:
    library, version = machine.libc
    if machine.system != "linux":
        return None
    if library == "glibc" and tuple(map(int, version.split(".")[:2])) >= OLDEST_GLIBC:
        return None
    found = f"{library} {version}" if library else "another C library"
    return (
        f"The packages for Linux need glibc 2.28 or newer, and this system has {found}.\n"
        "  Use Debian 10, Ubuntu 20.04, RHEL 8 or newer, for example: docker run -it python:3.12"
    )


def _missing_mongodb(machine: Machine) -> str | None:
    if _has_server_wheels(machine) or machine.environment.get("MONGODB_URL"):
        return None
    return (
        f"There is no MongoDB package for {machine.system} on {machine.architecture}, only for "
        "Linux on x86-64.\n"
        "  Use a MongoDB replica set of your own: "
        "export MONGODB_URL='mongodb://user:password@host:27017/?replicaSet=rs0'"
    )


def _missing_redis(machine: Machine) -> str | None:
    has_wheel = machine.version < (3, 13) and _has_server_wheels(machine)
    if has_wheel or machine.environment.get("REDIS_URL"):
        return None
    if any(map(machine.which, REDIS_PROGRAMS)):
        return None
    version = ".".join(map(str, machine.version))
    return (
        f"There is no Redis package for Python {version} on {machine.system} on "
        f"{machine.architecture}, and neither redis-server nor valkey-server is on the PATH.\n"
        "  Debian, Ubuntu: apt install redis-server   (or set REDIS_URL to a server of your own)"
    )


def _has_server_wheels(machine: Machine) -> bool:
    return machine.system == "linux" and machine.architecture == "x86_64"


def install(group: str, *, folder: Path, say: Callable[[str], None]) -> None:
    """Make `.venv` in `folder` unless a working one exists; install the locks of the group.

    Guarantees: installs exactly the locked versions with the locked hashes. pip resolves no
    versions and builds no packages. Raises InstallError if pip fails or does not end in time.
    """
    python = folder / VENV / "bin" / "python"
    if version_of(python) is None:  # absent, incomplete, or of a Python that was removed
        version = ".".join(map(str, sys.version_info[:2]))
        say(f"Making {VENV} with Python {version}")
        _run([sys.executable, "-m", "venv", "--clear", VENV], folder)
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    steps = STEPS[group]
    for number, (title, lock) in enumerate(LOCKS[:steps], start=1):
        say(f"Installing {number} of {steps}: {title}")
        _run([*pip, "install", "--no-deps", "--require-hashes", "--only-binary=:all:",
              "--requirement", lock], folder)  # fmt: skip
    _run([*pip, "check"], folder)


def version_of(python: Path) -> tuple[int, int] | None:
    """Return the version of a Python; None if it does not run, lacks pip or is not supported."""
    ask = "import sys, pip; print(*sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [python, "-c", ask], capture_output=True, text=True, timeout=ASK_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    major, minor = map(int, answer.stdout.split())
    return (major, minor) if is_supported(major, minor) else None


def _run(command: Sequence[str | Path], folder: Path) -> None:
    """Run a command. Raises InstallError with the output of the command if it fails."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", timeout=PIP_TIMEOUT_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as exc:
        raise InstallError(f"pip did not end within {PIP_TIMEOUT_S:.0f} s. Try again.") from exc
    if done.returncode:
        raise InstallError(
            f"{done.stdout.rstrip()}\n"
            "The installation failed; the reason is above. Check that a package index is "
            f"reachable. If {VENV} is damaged, run `make clean`, then try again."
        )


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment with the variables of `.env`, which the settings read as well."""
    dotenv = folder / ".env"
    lines = dotenv.read_text(encoding="utf-8").splitlines() if dotenv.is_file() else []
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs} | dict(os.environ)


def main(argv: Sequence[str]) -> int:
    """Install the packages of the group on the command line. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="install.py",
        description="Makes .venv and installs the locked packages. Lists missing programs first.",
        epilog=f"Exit codes: 0 installed, {EXIT_FAILED} failed, 2 wrong usage, "
        f"{EXIT_MISSING} something is missing on this machine and nothing was installed.",
    )
    parser.add_argument("group", choices=STEPS, help="for `make run`, or for tests and checks")
    group = parser.parse_args(argv).group
    machine = this_machine(ROOT)
    missing = find_missing(machine)
    if missing:
        _complain("Nothing was installed, because something is missing on this machine.")
        for sentence in missing:
            _complain(sentence)
        return EXIT_MISSING
    try:
        install(group, folder=ROOT, say=_say)
    except InstallError as exc:
        _complain(str(exc))
        return EXIT_FAILED
    for note in notes(machine, group):
        _say(f"Note: {note}")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _complain(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

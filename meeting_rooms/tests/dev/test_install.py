"""The installation: its first messages, and the locked versions that it installs from any index."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.version import Version

from meeting_rooms.dev.install import Machine, find_missing, main, notes, python_advice, version_of
from meeting_rooms.tests.dev.package_index import NEWER, PackageIndex
from meeting_rooms.tests.dev.package_index import version_of as pinned

ROOT = Path(__file__).resolve().parents[3]
INSTALLER = Path("meeting_rooms/dev/install.py")
LOCKS = ("requirements.txt", "requirements-servers.txt", "requirements-dev.txt")
TIMEOUT_S = 240.0
FIRST_PIP_THAT_RESOLVES_BESIDE_A_LOCK = Version("23.3")


def finds_nothing(_program: str) -> None:
    return None


LINUX = Machine(
    version=(3, 12),
    needs_venv=True,
    implementation="CPython",
    system="linux",
    architecture="x86_64",
    libc=("glibc", "2.28"),
    modules=frozenset({"venv", "ensurepip"}),
    environment={},
    which=finds_nothing,
)


def finds_everything(program: str) -> str:
    return f"/usr/bin/{program}"


@pytest.mark.parametrize("version", [(3, 11), (3, 12)])
def test_missing__linux_with_a_redis_wheel__is_nothing(version):
    assert find_missing(replace(LINUX, version=version)) == []


@pytest.mark.parametrize("version", [(3, 13), (3, 14)])
@pytest.mark.parametrize(
    "change",
    [
        {"which": finds_everything},
        {"which": lambda program: program if program == "valkey-server" else None},
        {"environment": {"REDIS_URL": "redis://127.0.0.1:6379/0"}},
    ],
)
def test_missing__newer_python_with_its_own_redis__is_nothing(version, change):
    assert find_missing(replace(LINUX, version=version, **change)) == []


@pytest.mark.parametrize(
    ("change", "command"),
    [
        ({"version": (3, 13)}, "apt install redis-server"),
        ({"version": (3, 14)}, "apt install redis-server"),
        ({"modules": frozenset({"venv"})}, "apt install python3.12-venv"),
        ({"modules": frozenset()}, "apt install python3.12-venv"),
        ({"implementation": "PyPy"}, "make run PYTHON="),
        ({"libc": ("", "")}, "docker run -it python:3.12"),
        ({"libc": ("glibc", "2.17")}, "docker run -it python:3.12"),
        ({"architecture": "aarch64", "which": finds_everything}, "export MONGODB_URL="),
        ({"system": "darwin", "which": finds_everything}, "export MONGODB_URL="),
    ],
)
def test_missing__one_program__is_named_with_the_command_to_install_it(change, command):
    (sentence,) = find_missing(replace(LINUX, **change))
    assert command in sentence


def test_missing__working_venv__needs_no_venv_module():
    assert find_missing(replace(LINUX, modules=frozenset(), needs_venv=False)) == []


def test_notes__no_browser__appear_for_the_tests_only():
    assert notes(LINUX, "servers") == []
    (note,) = notes(LINUX, "dev")
    assert "apt install chromium" in note
    assert notes(replace(LINUX, which=finds_everything), "dev") == []


@pytest.mark.parametrize(
    ("version", "age"), [((3, 6), "old"), ((3, 10), "old"), ((3, 15), "new"), ((4, 0), "new")]
)
def test_python__outside_of_the_range__is_refused_with_an_alternative(version, age):
    advice = python_advice(*version)
    assert f"Python {version[0]}.{version[1]} is too {age}" in advice
    assert "make run PYTHON=python3." in advice


def test_python__too_new__ends_before_creating_a_venv(tmp_path: Path):
    script = copied(tmp_path) / INSTALLER
    pretend = f"import runpy, sys; sys.version_info = (3, 15, 0); runpy.run_path({str(script)!r})"
    done = subprocess.run(
        [sys.executable, "-c", pretend], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 3
    assert "Python 3.15 is too new" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_command__wrong_group__is_a_usage_error():
    with pytest.raises(SystemExit) as ended:
        main(["everything"])
    assert ended.value.code == 2


def test_venv__without_pip__counts_as_none(tmp_path: Path):
    assert version_of(tmp_path / "python") is None
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    assert version_of(tmp_path / "v" / "bin" / "python") is None
    assert version_of(Path(sys.executable)) == sys.version_info[:2]


def copied(folder: Path) -> Path:
    """Copy the files that the Makefile's installation needs, without a lock."""
    (folder / INSTALLER).parent.mkdir(parents=True)
    shutil.copy(ROOT / INSTALLER, folder / INSTALLER)
    shutil.copy(ROOT / "Makefile", folder)
    return folder


@dataclass(frozen=True)
class Checkout:
    """A folder with the Makefile and the locks; its index has more versions than the locks."""

    folder: Path
    index: PackageIndex
    pins: dict[str, str]  # of this platform

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "MAKE"))}
        environment = inherited | {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": self.index.url,
            "PIP_NO_CACHE_DIR": "1",
        }
        return subprocess.run(
            command, cwd=self.folder, env=environment, text=True, timeout=TIMEOUT_S,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def pip_version(self) -> Version:
        return Version(self.run(".venv/bin/python", "-m", "pip", "--version").stdout.split()[1])

    def installed(self) -> dict[str, str]:
        (packages,) = self.folder.glob(".venv/lib/python*/site-packages")
        found = {dist.name: dist.version for dist in distributions(path=[str(packages)])}
        return {name: version for name, version in found.items() if name != "pip"}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    index = PackageIndex(tmp_path / "index")
    folder = copied(tmp_path / "checkout")
    locks = {name: index.lock(ROOT / name, folder / name) for name in LOCKS}
    here = [r for r in locks["requirements-dev.txt"] if not r.marker or r.marker.evaluate()]
    return Checkout(folder, index, {r.name: pinned(r) for r in here})


@pytest.mark.timeout(TIMEOUT_S)
def test_make__index_with_a_newer_version_of_everything__installs_what_is_locked(checkout):
    assert {"pytest-cov", "coverage", "daphne", "twisted"} <= checkout.pins.keys()
    done = checkout.run("make", ".venv/.dev", f"PYTHON={sys.executable}")
    assert done.returncode == 0, done.stdout
    assert checkout.installed() == checkout.pins
    said = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert [line for line in said if line.startswith("Installing")] == [
        f"Installing {number} of 3" for number in (1, 2, 3)
    ]
    # An unlocked package gets the newer version, and pip 23.2 cannot resolve it beside a lock.
    resolve = (".venv/bin/python", "-m", "pip", "install", "--dry-run", "--ignore-installed")
    unlocked = checkout.run(*resolve, "coverage")
    assert f"Would install coverage-{NEWER}" in unlocked.stdout
    if checkout.pip_version() < FIRST_PIP_THAT_RESOLVES_BESIDE_A_LOCK:
        refused = checkout.run(*resolve, "--require-hashes", "-r", "requirements-dev.txt")
        assert refused.returncode != 0
        assert "In --require-hashes mode, all requirements must have" in refused.stdout

"""Build the two C programs and install the node packages of the benchmark."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from infra.bench.goals import BenchError

HERE = Path(__file__).resolve().parent
COMPILE_TIMEOUT_S = 60.0
INSTALL_TIMEOUT_S = 300.0
MIN_NODE = 20


def compile_program(name: str, folder: Path) -> Path:
    """Compile `native/<name>.c` into the folder. Raises BenchError if that fails."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        raise BenchError("A C compiler is missing. Install gcc (Debian: apt install gcc).")
    program = folder / name
    command = [compiler, "-O2", "-o", str(program), str(HERE / "native" / f"{name}.c")]
    _run(command, HERE, COMPILE_TIMEOUT_S, f"{name}.c does not compile")
    return program


def find_node() -> str:
    """Return the path of node. Raises BenchError if node is not installed."""
    node = shutil.which("node")
    if node is None:
        raise BenchError(
            f"node is missing. Install Node.js {MIN_NODE} or newer (Debian: apt install nodejs "
            "npm), or choose rows without node peers with --rows."
        )
    return node


def install_node_packages(cache: Path) -> Path:
    """Return the folder of the locked node packages; install them at the first run.

    Raises BenchError if npm is missing or fails.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise BenchError("npm is missing. Install it (Debian: apt install npm).")
    lock = (HERE / "package-lock.json").read_bytes()
    folder = cache / f"node-{hashlib.sha256(lock).hexdigest()[:12]}"
    modules, done = folder / "node_modules", folder / "installed"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        _run(command, folder, INSTALL_TIMEOUT_S, "npm ci failed")
        done.touch()
    return modules


def _run(command: list[str], folder: Path, timeout_s: float, failure: str) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise BenchError(f"{failure}: it did not end in {timeout_s:.0f} s.") from exc
    if done.returncode:
        raise BenchError(f"{failure}: {(done.stderr or done.stdout).strip()[-1000:]}")

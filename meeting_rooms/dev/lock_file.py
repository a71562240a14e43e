"""Reads `requirements*.txt`, the files that pin every package with its hashes."""

import re
from pathlib import Path

from packaging.requirements import Requirement

_CONTINUED = re.compile(r"\\\n\s*")
_HASH = re.compile(r"--hash=\S+")


def read_lock(path: Path) -> list[Requirement]:
    """Return the requirements of a lock file, without their hashes."""
    lines = _CONTINUED.sub(" ", path.read_text(encoding="utf-8")).splitlines()
    entries = (_HASH.sub("", line).strip() for line in lines if not line.startswith("#"))
    return [Requirement(entry) for entry in entries if entry]

"""The id of this build. Only a change of code, templates or assets changes the id.

Each page contains the id, and each socket sends the id, so that a page of an older build can reload
itself.
"""

from hashlib import sha256
from pathlib import Path

_APPS = ("meeting_rooms", "frontend", "realtime", "booking", "rooms", "identity")
_SUFFIXES = frozenset({".py", ".html", ".js", ".css", ".svg", ".sql"})


def build_id(root: Path) -> str:
    """Return the first 12 hexadecimal digits of a SHA-256 over the sources of all apps."""
    digest = sha256()
    for app in _APPS:
        for path in sorted((root / app).rglob("*")):
            if path.suffix in _SUFFIXES and "tests" not in path.parts:
                digest.update(str(path.relative_to(root)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]

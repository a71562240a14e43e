"""Which build this is: a name that changes with code, templates and assets, and with nothing else.

Pages carry it, and every connection is told it, so that a page of an older build can reload itself.
"""

from hashlib import sha256
from pathlib import Path

_APPS = ("meeting_rooms", "frontend", "realtime", "booking", "rooms", "identity")
_SUFFIXES = frozenset({".py", ".html", ".js", ".css", ".svg", ".sql"})


def build_id(root: Path) -> str:
    """Return twelve hexadecimal digits over the source of all apps below `root`."""
    digest = sha256()
    for app in _APPS:
        for path in sorted((root / app).rglob("*")):
            if path.suffix in _SUFFIXES and "tests" not in path.parts:
                digest.update(str(path.relative_to(root)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]

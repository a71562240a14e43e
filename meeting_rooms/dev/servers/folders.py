"""Private folders: the data folder, and a folder outside it if Postgres cannot enter it."""

import hashlib
import shutil
import stat
import tempfile
from pathlib import Path

from meeting_rooms.dev.servers.accounts import is_root
from meeting_rooms.dev.servers.errors import EmbeddedServerError

OUTSIDE = Path("/var/tmp")  # noqa: S108 - names are checked to belong to root before use
OUTSIDE_PREFIX = "meeting-rooms-data-"
LOG_FOLDER = "logs"
PRIVATE = 0o700
# If root starts Postgres, it runs as another account, which must reach its own folder below.
PASSABLE = 0o711


def make_data_dir(data_dir: Path) -> Path:
    """Create `data_dir` with its log folder and return its real path.

    Raises EmbeddedServerError if the folder cannot be written.
    """
    resolved = data_dir.resolve()
    try:
        if not resolved.exists():
            resolved.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            # Only for a new folder: an existing one may be the checkout, or /tmp.
            resolved.chmod(PASSABLE if is_root() else PRIVATE)
        make_private(resolved / LOG_FOLDER)
    except OSError as exc:
        raise EmbeddedServerError(
            f"The data folder {resolved} cannot be used: {exc.strerror}. "
            f"Choose one that you can write to."
        ) from exc
    return resolved


def make_private(folder: Path) -> None:
    """Create a folder that only its owner can enter, independent of the umask."""
    folder.mkdir(mode=PRIVATE, exist_ok=True)
    folder.chmod(PRIVATE)


def log_file(data_dir: Path, name: str) -> Path:
    """Return the path of a server's log."""
    return data_dir / LOG_FOLDER / f"{name}.log"


def outside_home(data_dir: Path) -> Path:
    """Return the folder outside `data_dir` that is used for this `data_dir` only."""
    digest = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:16]
    return OUTSIDE / f"{OUTSIDE_PREFIX}{digest}"


def make_root_owned(folder: Path) -> None:
    """Create a folder that only root can change, or check the existing one.

    Raises EmbeddedServerError if the existing folder is not safe: every user can write to OUTSIDE,
    so another user may have made the folder.
    """
    folder.mkdir(mode=PASSABLE, exist_ok=True)
    found = folder.lstat()
    is_safe = stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and not found.st_mode & 0o022
    if not is_safe:
        raise EmbeddedServerError(
            f"{folder} exists, but is not a folder that only root can change. "
            f"Check its content, delete the folder, then start again."
        )
    folder.chmod(PASSABLE)


def copy_for_everybody(source: Path, target: Path, parts: tuple[str, ...]) -> Path:
    """Copy `parts` of the tree `source` to `target`, readable by every account; return `target`.

    An existing `target` is not copied again. Guarantees: `target` is complete or absent, also if
    two starts copy at the same time. Raises EmbeddedServerError if `target` is not safe.
    """
    if target.exists() or target.is_symlink():
        make_root_owned(target)
        return target
    draft = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    try:
        for part in parts:
            _copy_part(source / part, draft / part)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                is_open = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                path.chmod(0o755 if is_open else 0o644)
        try:
            draft.rename(target)
        except OSError:
            # Another start was faster. The check fails for anything but a folder of root.
            make_root_owned(target)
    finally:
        if draft.exists():
            shutil.rmtree(draft)
    return target


def _copy_part(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target)

"""A package index on disk that offers each locked package twice: as locked, and as a newer version.

The packages are empty, but declare the same dependencies as the real ones.
"""

import hashlib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from meeting_rooms.dev.lock_file import read_lock

NEWER = "99999.1"


def version_of(requirement: Requirement) -> str:
    """Return the version to which a lock pins a package."""
    (pin,) = requirement.specifier
    return pin.version


class PackageIndex:
    """The index in `folder`; pip uses it by its `url`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = folder.as_uri()
        self._hashes: dict[tuple[str, str], str] = {}

    def lock(self, source: Path, target: Path) -> list[Requirement]:
        """Offer the packages of the lock `source`; write the same lock with this index's hashes."""
        requirements = read_lock(source)
        lines = []
        for requirement in requirements:
            digest = self._offer(requirement.name, version_of(requirement))
            self._offer(requirement.name, NEWER)
            lines.append(f"{requirement} --hash=sha256:{digest}\n")
        target.write_text("".join(lines))
        return requirements

    def _offer(self, name: str, version: str) -> str:
        if (name, version) not in self._hashes:
            page = self.folder / canonicalize_name(name)
            page.mkdir(parents=True, exist_ok=True)
            wheel = _write_wheel(page, name, version)
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            self._hashes[name, version] = digest
            with (page / "index.html").open("a") as html:
                html.write(f'<a href="{wheel.name}#sha256={digest}">{wheel.name}</a>\n')
        return self._hashes[name, version]


def _write_wheel(folder: Path, name: str, version: str) -> Path:
    stem = f"{canonicalize_name(name).replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    files = {
        f"{info}/METADATA": _metadata(name, version),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    wheel = folder / f"{stem}-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        for path, text in (files | {f"{info}/RECORD": record}).items():
            archive.writestr(path, text)
    return wheel


def _metadata(name: str, version: str) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    try:
        real = metadata(name)
    except PackageNotFoundError:
        pass  # locked for another platform: its metadata is unknown, and it is not installed here
    else:
        for field in ("Requires-Dist", "Provides-Extra"):
            lines += [f"{field}: {value}" for value in real.get_all(field) or []]
    return "\n".join(lines) + "\n"

"""`python -m meeting_rooms.dev.licences` checks that all shipped licences fit Apache-2.0.

The product ships the packages of `requirements.txt`, and the third-party files in this repository,
which `docs/licences.md` lists.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from types import MappingProxyType

from packaging.utils import canonicalize_name

from meeting_rooms.dev.lock_file import read_lock

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path("docs/licences.md")
LOCK = Path("requirements.txt")
VENDORED = (
    "frontend/static/frontend/vendor/*/",
    "frontend/static/frontend/fonts/",
    "realtime/tests/vendor/*/",
)
EXIT_REFUSED = 1

# From SPDX id to the reason why an Apache-2.0 program may ship a package under this licence.
PERMISSIVE = "requires its notice only"
ALLOWED: Mapping[str, str] = MappingProxyType(
    {
        "0BSD": "has no conditions",
        "Apache-2.0": "is the same licence",
        "BSD-2-Clause": PERMISSIVE,
        "BSD-3-Clause": PERMISSIVE,
        "ISC": PERMISSIVE,
        "MIT": PERMISSIVE,
        "MIT-0": "has no conditions",
        "MPL-2.0": "covers its own files only, and they are unmodified",
        "OFL-1.1": "allows fonts to be bundled with any software",
        "PSF-2.0": PERMISSIVE,
        "TCL": PERMISSIVE,
        "ZPL-2.1": PERMISSIVE,
    }
)
# Licences that are compatible only because of the way in which these packages are used.
ALLOWED_FOR: Mapping[str, frozenset[str]] = MappingProxyType(
    # Unmodified, imported at run time, replaceable by the user: a separate library (section 4).
    {"LGPL-3.0-only": frozenset({"psycopg", "psycopg-binary", "psycopg-pool"})}
)
# Names of licences in packages without an SPDX expression. "BSD" can mean 2-Clause or 3-Clause.
OLD_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "Apache License, Version 2.0": "Apache-2.0",
        "BSD": "BSD-3-Clause",
        "MIT License": "MIT",
        "OSI Approved :: Apache Software License": "Apache-2.0",
        "OSI Approved :: BSD License": "BSD-3-Clause",
        "OSI Approved :: MIT License": "MIT",
    }
)
VAGUE = frozenset({"", "Dual License"})  # the classifiers are read instead
LONGEST_NAME = 60  # characters; a longer field is the text of a licence, not its name
# Packages that are locked for other platforms only, so they may not be installed here.
ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "async-timeout": "Apache-2.0",
        "colorama": "BSD-3-Clause",
        "u-msgpack-python": "MIT",
    }
)
# A phrase from the text of each licence, to find a file that is listed under a wrong licence.
PHRASES: Mapping[str, str] = MappingProxyType(
    {
        "0BSD": "Zero-Clause BSD",
        "Apache-2.0": "Apache License\n",
        "ISC": "ISC License",
        "MIT": "The MIT License (MIT)",
        "OFL-1.1": "SIL OPEN FONT LICENSE Version 1.1",
    }
)
_ROW = re.compile(r"^\| `([^`]+)` \|[^|]*\| ([^|]+) \| `([^`]+)` \|$", re.MULTILINE)
_TOKEN = re.compile(r"[()]|[^\s()]+")
_CLASSIFIER = "License :: "

# From the name of a package to its licence as an SPDX expression; "" if it is unknown.
Lookup = Callable[[str], str]


def licence_of(name: str) -> str:
    """Return the licence of an installed package as an SPDX expression; "" if it is unknown."""
    try:
        return licence_in(metadata(name))
    except PackageNotFoundError:
        return ELSEWHERE.get(canonicalize_name(name), "")


def licence_in(facts: PackageMetadata) -> str:
    """Return the SPDX expression of a package from three fields of its metadata.

    The newest field wins, unless it holds the text of a licence instead of a name. Several
    classifiers are joined with AND.
    """
    if expression := _field(facts, "License-Expression"):
        return expression
    text = _field(facts, "License")
    is_name = text not in VAGUE and len(text) <= LONGEST_NAME and "\n" not in text
    if is_name:
        return OLD_NAMES.get(text, text)
    classifiers = facts.get_all("Classifier") or []
    ids = [c.removeprefix(_CLASSIFIER) for c in classifiers if c.startswith(_CLASSIFIER)]
    return " AND ".join(OLD_NAMES.get(one, f"'{one}'") for one in ids)


def _field(facts: PackageMetadata, name: str) -> str:
    return str((facts.get_all(name) or [""])[0])


def is_allowed(expression: str, package: str = "") -> bool:
    """Return whether this program may ship a package under the licence.

    `A OR B` needs one allowed licence, `A AND B` needs two. An invalid expression is not allowed.
    """
    tokens = _TOKEN.findall(expression)
    try:
        answer = _any_of(tokens, canonicalize_name(package))
    except IndexError:
        return False
    return answer and not tokens


def _any_of(tokens: list[str], package: str) -> bool:
    answer = _all_of(tokens, package)
    while tokens and tokens[0].upper() == "OR":
        tokens.pop(0)
        answer = _all_of(tokens, package) or answer
    return answer


def _all_of(tokens: list[str], package: str) -> bool:
    answer = _one(tokens, package)
    while tokens and tokens[0].upper() == "AND":
        tokens.pop(0)
        answer = _one(tokens, package) and answer
    return answer


def _one(tokens: list[str], package: str) -> bool:
    token = tokens.pop(0)
    if token != "(":  # noqa: S105 - a parenthesis, not a password
        return token in ALLOWED or package in ALLOWED_FOR.get(token, ())
    answer = _any_of(tokens, package)
    return tokens.pop(0) == ")" and answer


def refused_packages(lock: Path, lookup: Lookup = licence_of) -> Iterator[str]:
    """Yield one sentence for each package of the lock that must not be shipped."""
    for name in sorted({requirement.name for requirement in read_lock(lock)}):
        licence = lookup(name)
        if not licence:
            yield f"{name}: the licence is unknown. Find it, or use another package."
        elif not is_allowed(licence, name):
            yield f"{name}: {licence} is not in the list of compatible licences."


def refused_files(root: Path) -> Iterator[str]:
    """Yield one sentence for each folder of third-party files that is not listed correctly."""
    listed = {row[0]: row[1:] for row in _ROW.findall((root / PAGE).read_text(encoding="utf-8"))}
    found = {path.relative_to(root).as_posix() for glob in VENDORED for path in root.glob(glob)}
    for folder in sorted(found - listed.keys()):
        yield f"{folder}: not listed in {PAGE}."
    for folder in sorted(listed.keys() - found):
        yield f"{folder}: listed in {PAGE}, but the folder does not exist."
    for folder in sorted(listed.keys() & found):
        licence, file = listed[folder]
        text = root / folder / file
        if not is_allowed(licence):
            yield f"{folder}: {licence} is not in the list of compatible licences."
        elif not text.is_file():
            yield f"{folder}: the licence's text, {file}, is missing."
        elif missing := _not_in(text.read_text(encoding="utf-8"), licence):
            yield f"{folder}: {file} is not the text of {missing}."


def _not_in(text: str, licence: str) -> str:
    """Return the first licence of the expression that is not in the text; "" if all are in it."""
    ids = [token for token in _TOKEN.findall(licence) if token in ALLOWED]
    return next((one for one in ids if PHRASES.get(one, "\0") not in text), "")


def main(argv: Sequence[str]) -> int:
    """Check the packages and the files, and print each refused one. Returns the exit code."""
    argparse.ArgumentParser(
        prog="python -m meeting_rooms.dev.licences",
        description="Checks that everything shipped is compatible with the Apache License 2.0.",
        epilog=f"Exit codes: 0 compatible, {EXIT_REFUSED} something is refused, 2 wrong usage.",
    ).parse_args(argv)
    refused = [*refused_packages(ROOT / LOCK), *refused_files(ROOT)]
    for line in refused:
        sys.stderr.write(f"{line}\n")
    return EXIT_REFUSED if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

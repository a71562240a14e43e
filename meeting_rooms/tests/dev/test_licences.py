"""The check of licences accepts the distributed files, and refuses incompatible licences."""

from importlib.metadata import distributions
from pathlib import Path

import pytest

from meeting_rooms.dev.licences import (
    PAGE,
    ROOT,
    VENDORED,
    is_allowed,
    licence_in,
    main,
    refused_files,
    refused_packages,
)


def test_check__distributed_files__are_compatible(capsys: pytest.CaptureFixture[str]):
    assert main([]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "expression",
    [
        "MIT",
        "Apache-2.0 OR GPL-3.0-only",
        "MPL-2.0 AND (Apache-2.0 OR MIT)",
        "(MIT)",
        "ISC AND MIT",
    ],
)
def test_expression__compatible__is_allowed(expression):
    assert is_allowed(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "GPL-2.0-or-later",
        "GPL-3.0-only",
        "AGPL-3.0-only",
        "SSPL-1.0",
        "LGPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "(MIT OR ISC) AND AGPL-3.0-only",
        "Apache-2.0 WITH LLVM-exception",
        "MIT OR",
        "(MIT",
        "MIT)",
        "MIT MIT",
        "",
    ],
)
def test_expression__incompatible_or_unreadable__is_refused(expression):
    assert not is_allowed(expression)


def test_lgpl__driver_used_as_a_library__is_the_only_allowed_one():
    assert is_allowed("LGPL-3.0-only", "psycopg_pool")
    assert not is_allowed("LGPL-3.0-only", "chardet")


def package(folder: Path, *fields: str) -> str:
    """Create an installed package, and return the check's result for its metadata."""
    info = folder / "borrowed-1.0.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.4", "Name: borrowed", "Version: 1.0", *fields]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    (found,) = distributions(path=[str(folder)])
    return licence_in(found.metadata)


GPL = "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"
MIT = "License :: OSI Approved :: MIT License"


@pytest.mark.parametrize(
    "fields",
    [
        ("License-Expression: GPL-3.0-or-later",),
        ("License-Expression: AGPL-3.0-only",),
        ("License: GPLv3",),
        ("License: GPLv3", f"Classifier: {MIT}"),
        (f"Classifier: {GPL}",),
        (f"Classifier: {MIT}", f"Classifier: {GPL}"),
        ("License: " + "a licence's whole text " * 10, f"Classifier: {GPL}"),
        ("Classifier: License :: OSI Approved",),
        (),
    ],
)
def test_package__gpl_agpl_or_unknown__is_refused(tmp_path: Path, fields):
    lock = tmp_path / "requirements.txt"
    lock.write_text("borrowed==1.0 \\\n    --hash=sha256:00\n")
    licence = package(tmp_path, *fields)
    (sentence,) = refused_packages(lock, lambda _name: licence)
    assert sentence.startswith("borrowed: ")


@pytest.mark.parametrize(
    "fields",
    [
        ("License-Expression: MIT", f"Classifier: {GPL}"),
        ("License: BSD",),
        ("License: Dual License", f"Classifier: {MIT}"),
        ("License: " + "a licence's whole text " * 10, f"Classifier: {MIT}"),
    ],
)
def test_package__permissive_by_any_field__is_allowed(tmp_path: Path, fields):
    assert is_allowed(package(tmp_path, *fields))


def test_package__not_installed_and_not_known__is_refused(tmp_path: Path):
    lock = tmp_path / "requirements.txt"
    lock.write_text("no-such-package-here==1.0 --hash=sha256:00\n")
    (sentence,) = refused_packages(lock)
    assert sentence.startswith("no-such-package-here: the licence is unknown")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy the page, and the licence texts of the vendored files."""
    (tmp_path / PAGE).parent.mkdir()
    (tmp_path / PAGE).write_text((ROOT / PAGE).read_text())
    folders = [folder for glob in VENDORED for folder in ROOT.glob(glob)]
    for text in (path for folder in folders for path in folder.glob("*LICENSE*")):
        target = tmp_path / text.relative_to(ROOT)
        target.parent.mkdir(parents=True)
        target.write_text(text.read_text())
    assert len(folders) == 4
    assert list(refused_files(tmp_path)) == []
    return tmp_path


def test_files__unlisted_folder__is_refused(copy: Path):
    (copy / "frontend/static/frontend/vendor/jquery-4").mkdir()
    (sentence,) = refused_files(copy)
    assert sentence == "frontend/static/frontend/vendor/jquery-4: not listed in docs/licences.md."


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("| 0BSD |", "| GPL-3.0-only |", "GPL-3.0-only is not in the list"),
        ("| 0BSD |", "| MIT |", "LICENSE is not the text of MIT"),
        ("`INTER-LICENSE.txt`", "`OFL.txt`", "the licence's text, OFL.txt, is missing"),
        ("vendor/htmx-4.0.1`", "vendor/htmx-4.0.0`", "not listed in"),
    ],
)
def test_files__listed_wrongly__are_refused(copy: Path, old: str, new: str, reason: str):
    page = (copy / PAGE).read_text()
    assert old in page
    (copy / PAGE).write_text(page.replace(old, new))
    assert reason in "\n".join(refused_files(copy))

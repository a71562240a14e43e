"""`python -m realtime.tests.faults [--rows F6,F7] [--controls] [--soak-minutes N]`."""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic

from meeting_rooms.tests.stack import ROOT
from realtime.tests.faults.matrix import NO_GUARD, Row, all_rows
from realtime.tests.faults.processes import TEMPLATE, process_environment
from realtime.tests.faults.running import ROW_LIMIT_S, make_template, outcome_of
from realtime.tests.faults.servers import Servers

SOAK = "F36"


def main() -> int:
    """Run the selected rows and print a line for each. Returns 1 if a row has a wrong result."""
    arguments = _parser().parse_args()
    if arguments.list:
        return _list()
    os.environ.update(FAULTS_SOAK_MINUTES=str(arguments.soak_minutes))
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    folder.chmod(0o755)  # Postgres does not run as root, and must be able to read the folder
    servers = Servers(folder / "stores")
    try:
        servers.start()
        _prepare(servers, folder)
        return _run(arguments, servers, folder)
    finally:
        servers.stop()
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"kept: {folder}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--rows", default="", help="ids, such as F6,F7; default: all")
    parser.add_argument(
        "--controls", action="store_true", help="run the rows without their guards, too"
    )
    parser.add_argument("--only-controls", action="store_true", help="run only those")
    parser.add_argument("--soak-minutes", type=float, default=20.0, help="length of F36 (20)")
    parser.add_argument("--keep", action="store_true", help="keep the logs")
    parser.add_argument("--list", action="store_true", help="show the rows, run nothing")
    return parser


def _list() -> int:
    for row in all_rows():
        print(f"{row.id} | {row.fault} | {row.guarantee} | guard: {row.guard.what}")
    return 0


def _prepare(servers: Servers, folder: Path) -> None:
    """Load the settings into this process, and migrate the database that the rows copy."""
    make_template(servers)
    environment = process_environment(servers, TEMPLATE) | {"DATA_DIR": str(folder / "app")}
    os.environ.update({k: v for k, v in environment.items() if not k.endswith("_URL")})
    os.environ.update(DJANGO_SETTINGS_MODULE="meeting_rooms.settings")
    subprocess.run(
        [sys.executable, "manage.py", "prepare"], cwd=ROOT, env=environment, check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def _wanted(arguments: argparse.Namespace) -> list[Row]:
    rows = {row.id: row for row in all_rows()}
    if not arguments.rows:
        return list(rows.values())
    ids = arguments.rows.split(",")
    if unknown := [i for i in ids if i not in rows]:
        sys.exit(f"There is no row {', '.join(unknown)}. There are: {', '.join(rows)}.")
    return [rows[i] for i in ids]


def _run(arguments: argparse.Namespace, servers: Servers, folder: Path) -> int:
    bad = 0
    for row in _wanted(arguments):
        runs = [False] * (not arguments.only_controls) + [True] * (
            arguments.controls or arguments.only_controls
        )
        for is_control in runs:
            bad += not _run_one(row, servers, folder, is_control=is_control)
    print(f"{bad} not as promised" if bad else "all as promised", flush=True)
    return 1 if bad else 0


def _run_one(row: Row, servers: Servers, folder: Path, *, is_control: bool) -> bool:
    name = f"{row.id}{'_control' if is_control else ''}"
    (folder / name).mkdir()
    began = monotonic()
    servers.start()
    off = row.guard if is_control else NO_GUARD
    run = outcome_of(row, servers, folder / name, off=off, limit_s=_limit_s(row))
    outcome = asyncio.run(run)
    servers.start_again()
    measured = str(outcome)
    took = f"{monotonic() - began:.0f} s"
    if not is_control:
        verdict = "yes" if outcome.is_kept else "NO"
        print(
            f"{row.id} | {row.fault} | {row.guarantee} | {measured} | kept: {verdict} ({took})",
            flush=True,
        )
        return outcome.is_kept
    # Without its guard a row must fail by a measurement, not by an error of the run.
    is_good = not outcome.error and any(not c.is_kept for c in outcome.claims)
    verdict = "fails without it, as it must" if is_good else "PROVES NOTHING"
    print(
        f"{row.id} | control: without {row.guard.what} | {measured} | {verdict} ({took})",
        flush=True,
    )
    return is_good


def _limit_s(row: Row) -> float:
    soak_s = float(os.environ["FAULTS_SOAK_MINUTES"]) * 60 if row.id == SOAK else 0
    return ROW_LIMIT_S + soak_s


if __name__ == "__main__":
    sys.exit(main())

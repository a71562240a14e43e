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

import psycopg

from meeting_rooms.tests.stack import ROOT
from realtime.tests.faults.matrix import NO_GUARD, ROWS, Outcome, Row
from realtime.tests.faults.processes import TEMPLATE, process_environment
from realtime.tests.faults.servers import POSTGRES, Servers

ROW_LIMIT_S = 240.0
SOAK = "F36"


def main() -> int:
    """Run the wanted rows, print a line for each, and return 1 unless all came out as they must."""
    arguments = _parser().parse_args()
    if arguments.list:
        return _list()
    os.environ.update(FAULTS_SOAK_MINUTES=str(arguments.soak_minutes))
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    folder.chmod(0o755)  # Postgres does not run as root, and must come in
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
    from realtime.tests.faults import rows  # noqa: F401 - they enter themselves

    for row in sorted(ROWS.values(), key=_order):
        print(f"{row.id} | {row.fault} | {row.promised} | guard: {row.guard.what}")
    return 0


def _prepare(servers: Servers, folder: Path) -> None:
    """Let this process read the settings, and migrate the database that rows are copies of."""
    with psycopg.connect(servers.urls[POSTGRES], autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {TEMPLATE}")
        admin.execute(f"CREATE DATABASE {TEMPLATE}")
    environment = process_environment(servers, TEMPLATE) | {"DATA_DIR": str(folder / "app")}
    os.environ.update({k: v for k, v in environment.items() if not k.endswith("_URL")})
    os.environ.update(DJANGO_SETTINGS_MODULE="meeting_rooms.settings")
    subprocess.run(
        [sys.executable, "manage.py", "prepare"], cwd=ROOT, env=environment, check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


def _wanted(arguments: argparse.Namespace) -> list[Row]:
    from realtime.tests.faults import rows  # noqa: F401 - they enter themselves

    if not arguments.rows:
        return sorted(ROWS.values(), key=_order)
    ids = arguments.rows.split(",")
    if unknown := [i for i in ids if i not in ROWS]:
        sys.exit(f"There is no row {', '.join(unknown)}. There are: {', '.join(sorted(ROWS))}.")
    return [ROWS[i] for i in ids]


def _order(row: Row) -> tuple[int, str]:
    return int("".join(c for c in row.id if c.isdigit())), row.id


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
    outcome = asyncio.run(_measure(row, servers, folder / name, is_control=is_control))
    servers.start_again()
    measured = "; ".join(
        f"{'' if c.is_kept else 'NOT '}{c.what}: {c.measured}" for c in outcome.claims
    )
    measured += f"; ERROR {outcome.error}" if outcome.error else ""
    took = f"{monotonic() - began:.0f} s"
    if not is_control:
        verdict = "yes" if outcome.is_kept else "NO"
        print(
            f"{row.id} | {row.fault} | {row.promised} | {measured} | kept: {verdict} ({took})",
            flush=True,
        )
        return outcome.is_kept
    # Without its guard a row must fail by what it measured, not by an error of the run.
    is_good = not outcome.error and any(not c.is_kept for c in outcome.claims)
    verdict = "fails without it, as it must" if is_good else "PROVES NOTHING"
    print(
        f"{row.id} | control: without {row.guard.what} | {measured} | {verdict} ({took})",
        flush=True,
    )
    return is_good


async def _measure(row: Row, servers: Servers, folder: Path, *, is_control: bool) -> Outcome:
    from realtime.tests.faults.fault_env import lab

    off = row.guard if is_control else NO_GUARD
    outcome = Outcome()
    try:
        async with asyncio.timeout(_limit_s(row)), lab(servers, folder, off, row.rooms) as stage:
            outcome = stage.outcome
            await row.measure(stage)
    except Exception as exc:  # noqa: BLE001 - the row failed; the others are still wanted
        outcome.error = f"{type(exc).__name__}: {exc}"
    return outcome


def _limit_s(row: Row) -> float:
    soak_s = float(os.environ["FAULTS_SOAK_MINUTES"]) * 60 if row.id == SOAK else 0
    return ROW_LIMIT_S + soak_s


if __name__ == "__main__":
    sys.exit(main())

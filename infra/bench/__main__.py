"""`python -m infra.bench`: measure product and peers, print goals and measured values."""

import argparse
import asyncio
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import django
from tqdm import tqdm

from infra.bench.children import raise_file_limit
from infra.bench.goals import BenchError, Outcome, exit_code
from infra.bench.plan import Plan, quick_plan
from infra.bench.report import Report, as_json, as_text
from infra.bench.rows import all_keys
from infra.bench.stage import open_stage

DEFAULT_ROUNDS = 3
EXIT_NOT_MEASURED = 1
EXIT_INTERRUPTED = 130
# Connections. The row `contest` has 32 threads in this process, each with its own connection.
OWN_POOL_SIZE = 64


def main(words: Sequence[str]) -> int:
    """Run the benchmark, print the report, and return the exit code."""
    arguments = _parser().parse_args(words)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)  # so that the stores are stopped after these signals too
    raise_file_limit()
    try:
        report = _run(arguments)
    except BenchError as exc:
        sys.stderr.write(f"{exc}\n")
        return EXIT_NOT_MEASURED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    print(as_json(report) if arguments.json else as_text(report))
    if not report.is_complete:
        return EXIT_INTERRUPTED
    return exit_code([*report.outcomes], is_strict=arguments.strict)


def _run(arguments: argparse.Namespace) -> Report:
    plan = quick_plan() if arguments.quick else Plan(rounds=DEFAULT_ROUNDS)
    if arguments.rounds:
        plan = replace(plan, rounds=arguments.rounds)
    with (
        tqdm(unit=" measurements", file=sys.stderr, dynamic_ncols=True) as bar,
        open_stage(plan, bar.set_postfix_str) as stage,
    ):
        os.environ.update(stage.environment, POSTGRES_POOL_SIZE=str(OWN_POOL_SIZE))
        django.setup()
        from infra.bench import runner  # needs django.setup()

        bar.reset(total=runner.steps(arguments.rows))
        outcomes: list[Outcome] = []
        try:
            asyncio.run(runner.run(stage, arguments.rows, bar, outcomes))
            is_complete = True
        except asyncio.CancelledError:
            is_complete = False
        return Report(outcomes, stage.samples, _machine(), is_complete)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.bench",
        description="Compare the product with its peers. Starts and stops all servers itself.",
        epilog="Exit codes: 0: all rows were measured. 1: a row could not be measured. 2 (with "
        "--strict): a goal is not met. Rows: " + ", ".join(all_keys()) + ".",
    )
    parser.add_argument(
        "--rows",
        type=_rows,
        default=all_keys(),
        metavar="A,B",
        help="only these rows (default: all)",
    )
    parser.add_argument(
        "--rounds", type=int, metavar="N", help=f"number of rounds (default: {DEFAULT_ROUNDS})"
    )
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, one round: only tests the benchmark"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--strict", action="store_true", help="exit 2 if a goal is not met")
    return parser


def _rows(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := sorted(set(names) - set(all_keys())):
        raise argparse.ArgumentTypeError(f"no such row: {', '.join(unknown)}; see --help")
    return names


def _machine() -> dict[str, str]:
    found = {"cores": str(os.cpu_count()), "Python": platform.python_version(),
             "kernel": platform.release()}  # fmt: skip
    try:
        node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
        found["node"] = node.stdout.strip()
    except OSError:
        found["node"] = "none"
    return found


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m meeting_rooms.dev.servers start|stop|status`: the embedded servers without Django.

A service whose URL is set in the environment is not started, and `status` does not require it.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from meeting_rooms.dev.servers import (
    ENVIRONMENT,
    EmbeddedServerError,
    Report,
    ServiceName,
    ServiceState,
    ServiceStatus,
    start,
    status,
    stop,
)

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_NOT_ALL_RUNNING = 3
DEFAULT_DATA_DIR = Path(".data")


def main(argv: Sequence[str], *, data_dir: Path = DEFAULT_DATA_DIR) -> int:
    """Run one command and return its exit code."""
    arguments = _parser(data_dir).parse_args(argv)
    # With --json, standard output contains only the document.
    report = _to_stderr if arguments.json else _to_stdout
    try:
        match arguments.command:
            case "start":
                return _start(arguments.data_dir, report, as_json=arguments.json)
            case "stop":
                return _stop(arguments.data_dir, report, as_json=arguments.json)
            case _:
                return _status(arguments.data_dir, as_json=arguments.json)
    except EmbeddedServerError as exc:
        _to_stderr(str(exc))
        return EXIT_FAILED


def _parser(data_dir: Path) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m meeting_rooms.dev.servers",
        description="Postgres, MongoDB and Redis servers of this checkout, without root or Docker.",
        epilog="Exit codes: 0 done, 1 failed, 3 (status) not all of them run. A service is not "
        f"started if its URL is set ({', '.join(ENVIRONMENT.values())}).",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="start|stop|status")
    for name, text in (
        ("start", "start the servers that do not run; they run until `stop`"),
        ("stop", "stop the servers of this data folder"),
        ("status", "show which servers run, and where"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument(
            "--data-dir",
            type=Path,
            default=data_dir,
            metavar="DIR",
            help="folder of the servers' data (default: %(default)s)",
        )
        command.add_argument(
            "--json", action="store_true", help="print JSON; start: with passwords"
        )
    return parser


def _start(data_dir: Path, report: Report, *, as_json: bool) -> int:
    outcome = start(data_dir, wanted=_wanted(), owner_pid=None, report=report)
    if as_json:
        _print_json({"urls": outcome.urls, "started": sorted(outcome.started)})
    return EXIT_OK


def _stop(data_dir: Path, report: Report, *, as_json: bool) -> int:
    stopped = stop(data_dir, report=report)
    if as_json:
        _print_json({"stopped": stopped})
    elif not stopped:
        report("Nothing was running.")
    return EXIT_OK


def _status(data_dir: Path, *, as_json: bool) -> int:
    found = status(data_dir)
    if as_json:
        _print_json([asdict(one) for one in found])
    else:
        for one in found:
            _to_stdout(_line(one))
    wanted = _wanted()
    is_complete = all(one.state is ServiceState.RUNNING for one in found if one.name in wanted)
    return EXIT_OK if is_complete else EXIT_NOT_ALL_RUNNING


def _line(one: ServiceStatus) -> str:
    parts = [f"{one.name:9}", f"{one.state:8}"]
    if one.state is ServiceState.RUNNING:
        parts += [f"{one.version or 'starting'}", f"process {one.pid}", one.url or ""]
    return "  ".join(parts).rstrip()


def _wanted() -> list[ServiceName]:
    return [name for name in ServiceName if not os.environ.get(ENVIRONMENT[name])]


def _print_json(document: object) -> None:
    _to_stdout(json.dumps(document, indent=2))


def _to_stdout(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

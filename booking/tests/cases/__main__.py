"""Run every test of a numbered case and print the result of each case: `make cases`.

Exit status 1 if a case has no test or a test did not pass; `--json` prints the table as JSON, and
the output of pytest goes to standard error. Further arguments are passed to pytest.
"""

import argparse
import json
import re
import sys
import tomllib
from collections import defaultdict
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from booking.tests.cases.titles import TITLES

ROOT = Path(__file__).resolve().parents[3]
NAME = re.compile(r"test_case_(\d{3})__\w+")
PASSED, FAILED, MISSING = "passed", "failed", "no test"


@dataclass(frozen=True)
class Row:
    number: int
    title: str
    result: str
    tests: int  # each set of parameters counts as one test
    not_passed: list[str]


class Results:
    """A pytest plugin that records the outcome of each test, by case."""

    def __init__(self):
        self.by_case = defaultdict(dict)

    def pytest_collection_modifyitems(self, config, items):
        others = [item for item in items if not NAME.match(item.name)]
        items[:] = [item for item in items if NAME.match(item.name)]
        config.hook.pytest_deselected(items=others)

    def pytest_runtest_logreport(self, report):
        case = self.by_case[int(NAME.search(report.nodeid)[1])]
        if report.when == "call" or not report.passed:
            case[report.nodeid] = report.passed and case.get(report.nodeid, True)

    def rows(self):
        return [self._row(number, title) for number, title in TITLES.items()]

    def _row(self, number, title):
        tests = self.by_case.get(number, {})
        not_passed = sorted(name for name, passed in tests.items() if not passed)
        result = MISSING if not tests else FAILED if not_passed else PASSED
        return Row(number, title, result, len(tests), not_passed)


def files_with_cases():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for folder in settings["tool"]["pytest"]["ini_options"]["testpaths"]:
        for path in sorted((ROOT / folder).rglob("test_*.py")):
            if NAME.search(path.read_text()):
                yield str(path.relative_to(ROOT))


def print_table(rows):
    for row in rows:
        tests = f"{row.tests} test{'s' * (row.tests != 1)}" if row.tests else ""
        print(f"{row.number:>3}  {row.title:<52} {row.result:<8} {tests}".rstrip())
        for name in row.not_passed:
            print(f"     {name}")
    counts = [f"{sum(r.result == kind for r in rows)} {kind}" for kind in (PASSED, FAILED, MISSING)]
    print(f"\n{len(rows)} cases: {', '.join(counts)}")


def main():
    parser = argparse.ArgumentParser(prog="python -m booking.tests.cases", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    options, for_pytest = parser.parse_known_args()
    results = Results()
    found = list(files_with_cases())
    with redirect_stdout(sys.stderr):
        status = pytest.main(
            ["--rootdir", str(ROOT), "--no-cov", "--quiet", *for_pytest, *found], plugins=[results]
        )
    rows = results.rows()
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
    else:
        print_table(rows)
    sys.exit(status or any(row.result != PASSED for row in rows))


if __name__ == "__main__":
    main()

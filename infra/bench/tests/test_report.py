"""The table and the JSON document have the same content."""

import json

from infra.bench.goals import Measured, Outcome, Row, at_most
from infra.bench.report import Report, Sample, as_json, as_text

MET = Outcome(Row("met", "A row that is met", at_most(2, "×")), Measured(1.5, "3 µs, 2 µs"))
UNMET = Outcome(Row("unmet", "A row that is not", at_most(2, "×")), Measured(2.5))
FAILED = Outcome(Row("failed", "A row without a value", at_most(2, "×")), problem="node is missing")
SAMPLES = [
    Sample("product", 10, 5.0, 1.0, 1000),
    Sample("product", 20, 4.0, 0.9, 1000),
    Sample("naive", 20, None),
]
REPORT = Report([MET, UNMET, FAILED], SAMPLES, {"cores": "2"})


def line_of(name: str) -> list[str]:
    [line] = [line for line in as_text(REPORT).splitlines() if line.startswith(f"{name} ")]
    return line.split()


def test_table__of_rows__shows_goal_value_and_verdict():
    assert line_of("met")[-6:] == ["1.50×", "yes", "3", "µs,", "2", "µs"]
    assert line_of("unmet")[-2:] == ["2.50×", "no"]


def test_table__row_not_measured__shows_the_problem():
    assert line_of("failed")[-6:] == ["-", "not", "measured", "node", "is", "missing"]


def test_table__of_samples__has_a_column_per_size_and_the_load_client():
    assert line_of("product") == ["product", "5.00", "4.00", "0.90"]
    assert line_of("naive") == ["naive", "-", "-", "-"]


def test_json__of_a_run__has_rows_and_samples():
    document = json.loads(as_json(REPORT))
    assert [(row["key"], row["value"], row["is_met"]) for row in document["rows"]] == [
        ("met", 1.5, True), ("unmet", 2.5, False), ("failed", None, False),
    ]  # fmt: skip
    assert document["rows"][2]["problem"] == "node is missing"
    assert document["fan_out"][2] == {
        "server": "naive", "connections": 20, "messages": 0, "server_us": None, "client_us": None,
    }  # fmt: skip


def test_text__of_an_empty_report__is_only_the_machine():
    assert as_text(Report([], [], {"cores": "2"})).split() == ["cores", "2"]

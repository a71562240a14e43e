"""The printed table and the JSON document. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.bench.goals import Outcome, worded


@dataclass(frozen=True, slots=True)
class Sample:
    """The cost of one server: CPU in µs per delivered message; None if it was not measured."""

    server: str
    connections: int
    server_us: float | None
    client_us: float | None = None  # cost of the load client; must be below the servers'
    messages: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """All results of a run."""

    outcomes: Sequence[Outcome]
    samples: Sequence[Sample]
    machine: Mapping[str, str]
    is_complete: bool = True  # False: the run was interrupted


def as_text(report: Report) -> str:
    """Return the report as tables of text."""
    lines = ["", "  ".join(f"{name} {value}" for name, value in report.machine.items()), ""]
    if report.outcomes:
        head = ("row", "what", "goal", "measured", "met", "details")
        lines += _columns([head, *(_cells(outcome) for outcome in report.outcomes)])
    if report.samples:
        lines += ["", "Server CPU per delivered message, µs (the least of all rounds)", ""]
        lines += _columns(_matrix(report.samples))
    if not report.is_complete:
        lines += ["", "Interrupted: the other rows were not measured. Choose them with --rows."]
    return "\n".join(lines)


def as_json(report: Report) -> str:
    """Return the report as one JSON document."""
    rows = [_document(outcome) for outcome in report.outcomes]
    samples = [
        {"server": s.server, "connections": s.connections, "messages": s.messages,
         "server_us": _rounded(s.server_us), "client_us": _rounded(s.client_us)}
        for s in report.samples
    ]  # fmt: skip
    document = {"machine": dict(report.machine), "is_complete": report.is_complete, "rows": rows,
                "fan_out": samples}  # fmt: skip
    return json.dumps(document, indent=2, ensure_ascii=False)


def _cells(outcome: Outcome) -> tuple[str, ...]:
    row, measured = outcome.row, outcome.measured
    if measured is None:
        return row.key, row.title, str(row.goal), "-", "not measured", outcome.problem
    value = worded(measured.value, row.goal.unit)
    return row.key, row.title, str(row.goal), value, _yes(outcome.is_met), measured.detail


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _document(outcome: Outcome) -> dict[str, Any]:
    row, measured = outcome.row, outcome.measured
    return {
        "key": row.key,
        "title": row.title,
        "goal": {"bound": row.goal.bound, "number": row.goal.number, "unit": row.goal.unit},
        "value": _rounded(measured.value) if measured else None,
        "is_met": outcome.is_met,
        "detail": measured.detail if measured else "",
        "problem": outcome.problem,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _matrix(samples: Sequence[Sample]) -> list[tuple[str, ...]]:
    """Return one line per server and one column per number of connections."""
    sizes = sorted({sample.connections for sample in samples})
    found = {(s.server, s.connections): s for s in samples}
    lines = [("server", *(f"{size:,} clients" for size in sizes), "load client")]
    for server in dict.fromkeys(sample.server for sample in samples):
        own = [found.get((server, size)) for size in sizes]
        costs = [f"{s.server_us:.2f}" if s and s.server_us is not None else "-" for s in own]
        clients = [s.client_us for s in own if s and s.client_us is not None]
        lines.append((server, *costs, f"{min(clients):.2f}" if clients else "-"))
    return lines


def _columns(lines: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    rule = tuple("-" * width for width in widths)
    padded = [lines[0], rule, *lines[1:]]
    return ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip()
            for line in padded]  # fmt: skip

"""Goals, exit codes and the rows of the benchmark."""

import pytest

from infra.bench.goals import (
    BenchError,
    Goal,
    Measured,
    Outcome,
    Row,
    at_least,
    at_most,
    exit_code,
    times,
    worded,
)
from infra.bench.measures import fanout
from infra.bench.rows import ROWS, all_keys

CEILING = Row("r", "a row", at_most(1.2, "×"))


def outcome(value: float | None) -> Outcome:
    return Outcome(CEILING, None if value is None else Measured(value))


@pytest.mark.parametrize(
    ("goal", "value", "is_met"),
    [
        (at_most(1.2, "×"), 1.1, True),
        (at_most(1.2, "×"), 1.2, True),
        (at_most(1.2, "×"), 1.21, False),
        (at_least(20, "×"), 20.0, True),
        (at_least(20, "×"), 19.9, False),
        (at_most(0, "clients"), 0, True),
    ],
)
def test_goal__at_and_around_its_number__is_met_or_not(goal: Goal, value: float, is_met: bool):
    assert goal.is_met_by(value) is is_met


def test_outcome__without_a_value__is_not_met():
    assert not outcome(None).is_met


@pytest.mark.parametrize(
    ("values", "is_strict", "code"),
    [
        ([1.0], True, 0),
        ([1.0, 1.3], False, 0),
        ([1.0, 1.3], True, 2),
        ([1.0, None], False, 1),
        ([1.3, None], True, 1),
        ([], True, 0),
    ],
)
def test_exit_code__of_a_run__reports_unmeasured_before_unmet(values, is_strict, code):
    assert exit_code([outcome(value) for value in values], is_strict=is_strict) == code


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (1.0, "×", "1×"),
        (1.234, "×", "1.23×"),
        (44.04, "KB", "44.0 KB"),
        (1234.5, "µs", "1,234 µs"),
        (0.0, "", "0"),
        (0.031, "MB", "0.03 MB"),
    ],
)
def test_number__in_the_table__has_about_three_digits(number, unit, text):
    assert worded(number, unit) == text


def test_keys__of_all_rows__are_unique():
    assert len(set(all_keys())) == len(all_keys()) == sum(map(len, ROWS.values())) + 1


def test_goals__of_all_rows__have_no_unit_of_time():
    units = {row.goal.unit for rows in ROWS.values() for row in rows}
    assert units <= {"×", "MB", "KB", "clients", "of 1", ""}


def test_fan_out__with_all_and_with_few_clients__has_a_row_for_every_ratio():
    assert [row.key for row in ROWS["fanout"]] == [*fanout.RATIOS, *fanout.FEW_RATIOS]


def test_ratio__to_zero__cannot_be_measured():
    assert times(3.0, 2.0) == 1.5
    with pytest.raises(BenchError):
        times(3.0, 0.0)

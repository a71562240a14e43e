"""Percentiles from buckets, compared with exact percentiles."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.bench import builds, load
from infra.bench.lags import BUCKETS, percentile_ms, upper_bound_us

HEADER = (builds.HERE / "native" / "counters.h").read_text()


def bucket_of(us: int) -> int:
    """Return the same bucket as `bucket_of` in counters.h."""
    if us < 64:
        return us
    octave = us.bit_length() - 1
    return min((octave - 5) * 64 + ((us >> (octave - 6)) & 63), BUCKETS - 1)


def histogram(lags: list[int]) -> list[int]:
    counts = [0] * BUCKETS
    for lag in lags:
        counts[bucket_of(lag)] += 1
    return counts


@given(st.integers(0, 10**9))
def test_bucket__of_any_lag__ends_within_two_per_cent_above(us: int):
    assert us <= upper_bound_us(bucket_of(us)) <= us * 1.02 + 1


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=200), st.sampled_from([0.5, 0.99, 1]))
def test_percentile__of_any_lags__is_at_most_two_per_cent_too_high(lags: list[int], share: float):
    exact = next(us for n, us in enumerate(sorted(lags), 1) if n >= share * len(lags))
    estimate = round(percentile_ms(histogram(lags), share) * 1000)  # rounds off a float error
    assert exact <= estimate <= exact * 1.02 + 1


def test_percentile__without_lags__is_refused():
    with pytest.raises(ValueError, match="no arrivals"):
        percentile_ms([0] * BUCKETS, 0.5)


def test_layout__in_c_and_python__is_the_same():
    fields = re.search(r"struct shared \{(.*?)spare", HEADER, re.DOTALL)[1]
    names = re.findall(r"\b[a-z_]+\b(?=[,;])", re.sub(r"/\*.*?\*/", "", fields))
    assert names[: load.Word.LOGGED + 1] == [
        "stop", "reset", "ready", "failed", "closed", "rooms", "bytes", "began", "last_ready",
        "log_used",
    ]  # fmt: skip
    assert f"LAG_BUCKETS = {BUCKETS}" in HEADER
    assert f"HEADER_WORDS = {load.HEADER_WORDS}" in HEADER

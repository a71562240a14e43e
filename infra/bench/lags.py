"""Percentiles of the load client's histogram, with the buckets of `native/counters.h`. Pure."""

from collections.abc import Sequence

BUCKETS = 2048
PER_OCTAVE = 64


def upper_bound_us(bucket: int) -> int:
    """Return the largest number of microseconds in a bucket."""
    if bucket < PER_OCTAVE:
        return bucket
    octave, part = divmod(bucket, PER_OCTAVE)
    width = 1 << (octave - 1)
    return (PER_OCTAVE + part + 1) * width - 1


def percentile_ms(counts: Sequence[int], share: float) -> float:
    """Return the lag in ms that `share` (0 to 1) of all arrivals do not exceed.

    The result is too high by at most 1.6 %. Raises ValueError without arrivals.
    """
    total, seen = sum(counts), 0
    if not total:
        raise ValueError("no arrivals")
    for bucket, count in enumerate(counts):
        seen += count
        if count and seen >= share * total:
            return upper_bound_us(bucket) / 1000
    raise AssertionError("unreachable: the counts add up to their sum")

"""The counters of sign-in attempts: one contract, in memory and in every form of Redis."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from identity.domain.attempts import WINDOW, Counters, Limit, MemoryCounters
from meeting_rooms.attempt_counters import RedisCounters
from meeting_rooms.dev.servers.ports import free_port
from meeting_rooms.tests.acceptance import topologies

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(params=["memory", "redis"])
def counters(request: pytest.FixtureRequest, settings) -> Counters:
    settings.REDIS_PREFIX = f"test-{uuid4().hex}"
    return MemoryCounters() if request.param == "memory" else RedisCounters()


def test_count__up_to_the_maximum__then_refuses_until_the_window_ends(counters):
    limits = [Limit("a", 2)]
    assert counters.count(limits, NOW).refused_until is None
    assert counters.count(limits, NOW + 60 * SECOND).refused_until is None
    ends = NOW + WINDOW
    refused = counters.count(limits, ends - SECOND)
    assert (refused.refused_until, refused.retry_after_s(ends - SECOND)) == (ends, 1)
    assert counters.count(limits, ends).refused_until is None


def test_count__one_of_several_full__counts_none_of_them(counters):
    narrow, wide = Limit("narrow", 1), Limit("wide", 2)
    assert counters.count([narrow, wide], NOW).refused_until is None
    for _ in range(5):
        assert counters.count([narrow, wide], NOW).refused_until == NOW + WINDOW
    assert counters.count([wide], NOW).refused_until is None
    assert counters.count([wide], NOW).refused_until is not None


def test_take_back__one_attempt__allows_one_more(counters):
    limits = [Limit("a", 1), Limit("b", 1)]
    counted = counters.count(limits, NOW)
    for _ in range(3):  # a count never falls below zero
        counters.take_back(limits, counted)
    assert counters.count(limits, NOW).refused_until is None
    assert counters.count(limits, NOW).refused_until is not None


def test_clock__set_back__does_not_refuse_for_longer_than_a_window(counters):
    limits = [Limit("a", 1)]
    counters.count(limits, NOW + timedelta(days=300))
    assert counters.count(limits, NOW).refused_until is None


def test_attempts__counted_out_of_order__share_one_counter(counters):
    """Each attempt reads the clock before it is counted, so the first counted may be the latest."""
    limits = [Limit("a", 3)]
    moments = [NOW - timedelta(milliseconds=n) for n in range(8)]
    allowed = [counters.count(limits, now).refused_until is None for now in moments]
    assert allowed == [True] * 3 + [False] * 5


def test_memory__full__drops_only_the_oldest():
    counters = MemoryCounters(max_counters=2)
    for key in ("first", "second", "third"):
        counters.count([Limit(key, 1)], NOW)
    assert len(counters) == 2
    assert counters.count([Limit("third", 1)], NOW).refused_until is not None
    assert counters.count([Limit("first", 1)], NOW).refused_until is None


def test_redis__two_processes__count_together(settings):
    settings.REDIS_PREFIX = f"test-{uuid4().hex}"
    limits = [Limit("a", 1)]
    assert RedisCounters().count(limits, NOW).refused_until is None
    assert RedisCounters().count(limits, NOW).refused_until is not None


def test_redis__away__counts_in_memory_with_the_same_limits(settings):
    there, settings.REDIS_URL = settings.REDIS_URL, f"redis://127.0.0.1:{free_port()}/0"
    settings.REDIS_PREFIX = f"test-{uuid4().hex}"
    counters, limits = RedisCounters(), [Limit("a", 1)]
    counted = counters.count(limits, NOW)
    assert (counted.refused_until, counted.store) == (None, "memory")
    assert counters.count(limits, NOW).refused_until is not None
    settings.REDIS_URL = there
    # in memory, where the attempt was counted, although Redis is back
    counters.take_back(limits, counted)
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    assert counters.count(limits, NOW).refused_until is None


def test_redis__goes_away_in_a_window__continues_the_count(settings):
    settings.REDIS_PREFIX = f"test-{uuid4().hex}"
    counters, limits = RedisCounters(), [Limit("a", 2)]
    assert counters.count(limits, NOW).store == "redis"
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    allowed = [counters.count(limits, NOW + SECOND).refused_until is None for _ in range(3)]
    assert allowed == [True, False, False]


def test_redis__limit_reached__leaves_no_count_in_memory(settings):
    settings.REDIS_PREFIX = f"test-{uuid4().hex}"
    here, limits = RedisCounters(), [Limit("a", 1)]
    RedisCounters().count(limits, NOW)  # in another process
    assert here.count(limits, NOW).store == "redis"
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    assert here.count(limits, NOW).refused_until is None


def test_redis__away_after_counting__leaves_the_attempt_counted(settings):
    settings.REDIS_PREFIX = f"test-{uuid4().hex}"
    there, limits = settings.REDIS_URL, [Limit("a", 1)]
    counters = RedisCounters()
    counted = counters.count(limits, NOW)
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    counters.take_back(limits, counted)
    settings.REDIS_URL = there
    assert counters.count(limits, NOW).refused_until is not None


@pytest.fixture(params=["sentinel", "cluster"])
def topology_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "cluster":
        with topologies.cluster(tmp_path) as running:
            yield running.url
    else:
        with topologies.sentinel(tmp_path) as (running, _watchers):
            yield running.url


def test_redis__under_sentinel_and_in_a_cluster__counts_and_takes_back(topology_url, settings):
    settings.REDIS_URL = topology_url
    counters, limits = RedisCounters(), [Limit("a", 1), Limit("b", 1), Limit("c", 1)]
    counted = counters.count(limits, NOW)
    assert (counted.refused_until, counted.store) == (None, "redis")
    refused = RedisCounters().count(limits, NOW)
    assert (refused.refused_until, refused.store) == (NOW + WINDOW, "redis")
    counters.take_back(limits, counted)
    assert counters.count(limits, NOW).refused_until is None

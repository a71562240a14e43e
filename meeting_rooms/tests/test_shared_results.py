"""Results that concurrent callers share: computed once, bounded; a failure affects one caller."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from meeting_rooms.kernel.shared_results import SharedResults

CALLERS = 8
FOR_EVER_S = 3600.0  # longer than the time-out of a test


class Work:
    """A computation that ends when the test says, and that counts how often it began."""

    def __init__(self, failing: BaseException | None = None) -> None:
        self.begun, self.may_end, self.failing = 0, Event(), failing

    def __call__(self) -> int:
        self.begun += 1
        self.may_end.wait()
        if self.failing is not None:
            failing, self.failing = self.failing, None
            raise failing
        return 42


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(CALLERS) as pool:
        yield pool


def shared(max_kept: int = 3, patience_s: float = FOR_EVER_S) -> SharedResults[int]:
    return SharedResults(max_kept=max_kept, patience_s=patience_s)


def start_callers(
    threads: ThreadPoolExecutor, results: SharedResults[int], work: Work
) -> list[Future[int]]:
    """Let one caller compute and the others wait for the result."""
    callers = [threads.submit(results.get, "key", work) for _ in range(CALLERS)]
    while len(_waiters(results)) < CALLERS - 1:
        pass
    return callers


def _waiters(results: SharedResults[int]) -> list[object]:
    [future] = results._kept.values() or [Future()]
    with future._condition:
        return list(future._condition._waiters)


def test_callers__of_one_key_at_once__compute_once(threads):
    results, work = shared(), Work()
    callers = start_callers(threads, results, work)
    work.may_end.set()
    assert [caller.result() for caller in callers] == [42] * CALLERS
    assert results.get("key", work) == 42
    assert work.begun == 1


def test_get__other_key__is_computed_again():
    results, work = shared(), Work()
    work.may_end.set()
    assert [results.get(key, work) for key in ("one", "other", "one")] == [42] * 3
    assert work.begun == 2


@pytest.mark.parametrize("failing", [ValueError, SystemExit])
def test_first_caller__fails__others_get_a_result(threads, failing: type[BaseException]):
    results, work = shared(), Work(failing())
    callers = start_callers(threads, results, work)
    work.may_end.set()
    outcomes = [caller.exception() or caller.result() for caller in callers]
    assert sorted(map(str, outcomes)) == sorted([str(failing()), *["42"] * (CALLERS - 1)])


def test_patience__is_over__computes_alone():
    results = shared(patience_s=0.01)
    endless = Work()
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(results.get, "key", endless)
        while not endless.begun:
            pass
        assert results.get("key", lambda: 7) == 7
        endless.may_end.set()
        assert first.result() == 42


def test_more_keys_than_the_maximum__drop_the_least_recently_used():
    results, work = shared(max_kept=3), Work()
    work.may_end.set()
    for key in (1, 2, 3, 1, 4):
        results.get(key, work)
    assert list(results._kept) == [3, 1, 4]
    assert work.begun == 4

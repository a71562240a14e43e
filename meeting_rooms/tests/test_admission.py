"""The queue before the pool: its order, its length, and every way out of it."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from meeting_rooms.postgres_backend.admission import Admission, QueueFullError, RefusedError

WAITING = 5
FOR_EVER_S = 3600.0  # beyond the time-out of a test


@pytest.fixture
def admission() -> Admission:
    return taken()


@pytest.fixture
def threads(admission: Admission) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(WAITING) as pool:
        yield pool
        admission.refuse_waiting()  # or the threads of a failed test would wait for ever


def until(is_so: Callable[[], bool]) -> None:
    """Wait for another thread; the test's own time-out ends it."""
    while not is_so():
        pass


def queued(
    threads: ThreadPoolExecutor, admission: Admission, callers: int = WAITING
) -> list[Future[None]]:
    """Let so many callers wait, one after another."""
    waiting = []
    for number in range(callers):
        waiting.append(threads.submit(admission.enter))
        until(lambda so_many=number + 1: len(admission._waiting) == so_many)
    return waiting


def taken(*, max_waiting: int = WAITING, patience_s: float = FOR_EVER_S) -> Admission:
    """Return an admission whose only place is taken."""
    admission = Admission(places=1, max_waiting=max_waiting, patience_s=patience_s)
    admission.enter()
    return admission


def test_places__given_back__go_to_those_who_wait_in_the_order_of_arrival(threads, admission):
    waiting = queued(threads, admission)
    for number, caller in enumerate(waiting):
        admission.leave()
        assert caller.result() is None
        assert [other.done() for other in waiting[number + 1 :]] == [False] * (4 - number)
    admission.leave()
    admission.enter()  # nobody waits: the place is free


def test_place__given_back__is_never_taken_by_a_newcomer_before_the_queue(threads, admission):
    [first, second] = queued(threads, admission, 2)
    admission.leave()
    first.result()
    third = threads.submit(admission.enter)
    until(lambda: len(admission._waiting) == 2)
    admission.leave()
    second.result()
    assert not third.done()
    admission.leave()
    third.result()


def test_full_queue__one_more__is_refused_at_once(threads, admission):
    waiting = queued(threads, admission)
    with pytest.raises(QueueFullError):
        admission.enter()
    admission.refuse_waiting()
    assert all(isinstance(caller.exception(), RefusedError) for caller in waiting)


def test_refused_callers__took_no_place(threads, admission):
    queued(threads, admission)
    admission.refuse_waiting()
    admission.leave()
    admission.enter()
    with pytest.raises(QueueFullError):
        taken(max_waiting=0).enter()


def test_last_resort__passed__leaves_the_queue_and_loses_no_place(threads):
    admission = taken(patience_s=0.01)
    with pytest.raises(TimeoutError):
        admission.enter()
    assert not admission._waiting
    admission.leave()
    admission.enter()


def test_place_given_in_the_instant_of_giving_up__is_passed_on():
    admission = taken()
    turn: Future[bool] = Future()
    admission._waiting.append(turn)
    admission.leave()  # to a caller that gives up just now
    admission._withdraw(turn)
    admission.enter()

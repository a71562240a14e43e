"""The queue before the pool: its order, its length, and each way to leave the queue."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from meeting_rooms.postgres_backend.admission import Admission, QueueFullError, RefusedError

WAITING = 5
FOR_EVER_S = 3600.0  # longer than the time-out of a test


@pytest.fixture
def admission() -> Admission:
    return taken()


@pytest.fixture
def threads(admission: Admission) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(WAITING) as pool:
        yield pool
        admission.refuse_waiting()  # otherwise the threads of a failed test would wait for ever


def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread; the test's own time-out ends the wait."""
    while not condition():
        pass


def queued(
    threads: ThreadPoolExecutor, admission: Admission, callers: int = WAITING
) -> list[Future[None]]:
    """Let `callers` callers wait, one after another."""
    waiting = []
    for number in range(callers):
        waiting.append(threads.submit(admission.enter))
        until(lambda expected=number + 1: len(admission._waiting) == expected)
    return waiting


def taken(*, max_waiting: int = WAITING, patience_s: float = FOR_EVER_S) -> Admission:
    """Return an admission whose only place is taken."""
    admission = Admission(places=1, max_waiting=max_waiting, patience_s=patience_s)
    admission.enter()
    return admission


def test_places__released__go_to_waiting_callers_in_the_order_of_arrival(threads, admission):
    waiting = queued(threads, admission)
    for number, caller in enumerate(waiting):
        admission.leave()
        assert caller.result() is None
        assert [other.done() for other in waiting[number + 1 :]] == [False] * (4 - number)
    admission.leave()
    admission.enter()  # no caller waits: the place is free


def test_place__released__goes_to_the_queue_before_a_new_caller(threads, admission):
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


def test_full_queue__one_more_caller__is_refused_at_once(threads, admission):
    waiting = queued(threads, admission)
    with pytest.raises(QueueFullError):
        admission.enter()
    admission.refuse_waiting()
    assert all(isinstance(caller.exception(), RefusedError) for caller in waiting)


def test_refused_callers__take_no_place(threads, admission):
    queued(threads, admission)
    admission.refuse_waiting()
    admission.leave()
    admission.enter()
    with pytest.raises(QueueFullError):
        taken(max_waiting=0).enter()


def test_patience__is_over__leaves_the_queue_and_loses_no_place(threads):
    admission = taken(patience_s=0.01)
    with pytest.raises(TimeoutError):
        admission.enter()
    assert not admission._waiting
    admission.leave()
    admission.enter()


def test_place__given_while_the_caller_gives_up__is_released_again():
    admission = taken()
    place: Future[bool] = Future()
    admission._waiting.append(place)
    admission.leave()  # to a caller that gives up at the same time
    admission._withdraw(place)
    admission.enter()

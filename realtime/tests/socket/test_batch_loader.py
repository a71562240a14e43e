"""Questions asked together: how many, and what becomes of a failure or of one who leaves."""

import asyncio
import threading

import pytest

from realtime.socket.batch_loader import AT_ONCE, BatchLoader


class Oracle:
    """Answers with the key doubled, where it is even; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self, keys):
        self.asked.append(list(keys))
        assert self.may_answer.wait(10)
        if 13 in keys:
            raise ValueError("unlucky")
        return {key: key * 2 for key in keys if key % 2 == 0}


async def test_ask__many_at_once__are_few_questions_and_each_gets_its_own_answer():
    oracle = Oracle()
    together = BatchLoader(oracle)
    answers = await asyncio.gather(*(together.ask(key) for key in (2, 4, 5, 2)))
    assert answers == [4, 8, None, 4]
    assert [key for keys in oracle.asked for key in keys] == [2, 4, 5]


async def test_ask__while_a_question_is_under_way__is_in_the_next():
    oracle = Oracle()
    together = BatchLoader(oracle)
    oracle.may_answer.clear()
    first = asyncio.ensure_future(together.ask(2))
    while not oracle.asked:
        await asyncio.sleep(0)
    again, other = (asyncio.ensure_future(together.ask(key)) for key in (2, 4))
    await asyncio.sleep(0)
    oracle.may_answer.set()
    assert await asyncio.gather(first, again, other) == [4, 4, 8]
    assert oracle.asked == [[2], [2, 4]], "found before it was asked is too old"


async def test_ask__more_than_fit__are_several_questions():
    oracle = Oracle()
    together = BatchLoader(oracle)
    await asyncio.gather(*(together.ask(2 * key) for key in range(AT_ONCE + 1)))
    assert [len(keys) for keys in oracle.asked] == [AT_ONCE, 1]


async def test_ask__failure__reaches_all_who_asked_and_nobody_later():
    together = BatchLoader(Oracle())
    answers = await asyncio.gather(together.ask(13), together.ask(2), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError, ValueError]
    assert await together.ask(2) == 4


async def test_ask__one_leaves__the_others_get_their_answer():
    together = BatchLoader(Oracle())
    leaving, staying = (asyncio.ensure_future(together.ask(2)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 4
    with pytest.raises(asyncio.CancelledError):
        await leaving

"""The batch loader: the number of questions, failures, and cancelled callers."""

import asyncio
import threading

import pytest

from realtime.socket.batch_loader import AT_ONCE, BatchLoader


class DoublingSource:
    """A source that doubles each even key and records the questions."""

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


async def test_ask__many_callers_at_once__share_questions_and_each_gets_its_own_answer():
    source = DoublingSource()
    loader = BatchLoader(source)
    answers = await asyncio.gather(*(loader.ask(key) for key in (2, 4, 5, 2)))
    assert answers == [4, 8, None, 4]
    assert [key for keys in source.asked for key in keys] == [2, 4, 5]


async def test_ask__while_a_question_runs__is_in_the_next_question():
    source = DoublingSource()
    loader = BatchLoader(source)
    source.may_answer.clear()
    first = asyncio.ensure_future(loader.ask(2))
    while not source.asked:
        await asyncio.sleep(0)
    again, other = (asyncio.ensure_future(loader.ask(key)) for key in (2, 4))
    await asyncio.sleep(0)
    source.may_answer.set()
    assert await asyncio.gather(first, again, other) == [4, 4, 8]
    assert source.asked == [[2], [2, 4]], "found before it was asked is too old"


async def test_ask__more_keys_than_the_maximum__are_several_questions():
    source = DoublingSource()
    loader = BatchLoader(source)
    await asyncio.gather(*(loader.ask(2 * key) for key in range(AT_ONCE + 1)))
    assert [len(keys) for keys in source.asked] == [AT_ONCE, 1]


async def test_ask__failure__reaches_all_its_callers_and_no_later_one():
    loader = BatchLoader(DoublingSource())
    answers = await asyncio.gather(loader.ask(13), loader.ask(2), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError, ValueError]
    assert await loader.ask(2) == 4


async def test_ask__one_caller_is_cancelled__the_others_get_their_answer():
    loader = BatchLoader(DoublingSource())
    leaving, staying = (asyncio.ensure_future(loader.ask(2)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 4
    with pytest.raises(asyncio.CancelledError):
        await leaving

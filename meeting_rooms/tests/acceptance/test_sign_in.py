"""Signing in on both pages, and many wrong passwords at once against a real web process."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from identity.backends import shared_counters
from identity.domain.attempts import PER_ACCOUNT_AND_ADDRESS
from identity.hashing import HASHES_AT_ONCE, MAX_WAITING, PLACES
from identity.models import Role, User
from identity.tests.factories import bearer, person
from meeting_rooms.tests.stack import Stack

PASSWORD = "correct horse battery"
PAGES = ["/sign-in", "/admin/login/"]
RUSH = 40  # wrong passwords at one time
ANSWERS_AT_LEAST = 10  # answers of the API during the wrong passwords
TIMEOUT_S = 50.0


@pytest.fixture
def own_counters(settings) -> Iterator[None]:
    """Isolate a test's attempts from those of other tests, in Redis and in memory."""
    settings.REDIS_PREFIX = f"test-{uuid4().hex}"
    shared_counters.cache_clear()
    yield
    shared_counters.cache_clear()


@pytest.fixture
def admin(db) -> User:
    return User.objects.create_user(
        "ann@example.org", PASSWORD, display_name="Ann", role=Role.ADMIN
    )


def sign_in(page: str, password: str, email: str = "ann@example.org"):
    return Client().post(page, {"username": email, "password": password})


@pytest.mark.parametrize("page", PAGES)
def test_page__right_password__signs_in(page, admin, own_counters):
    answer = sign_in(page, PASSWORD)
    assert (answer.status_code, "session" in answer.cookies) == (302, True)


@pytest.mark.parametrize("page", PAGES)
def test_page__too_many_attempts__refuses_before_hashing_and_gives_advice(
    page, admin, own_counters
):
    for _ in range(PER_ACCOUNT_AND_ADDRESS):
        assert sign_in(page, "wrong").status_code == 200  # the form again, with a note
    before = PLACES.total
    answer = sign_in(page, PASSWORD)
    assert (answer.status_code, PLACES.total) == (429, before)
    assert 0 < int(answer["Retry-After"]) <= 15 * 60
    assert answer["Cache-Control"] == "no-store"
    text = answer.content.decode()
    assert "Too many attempts to sign in. Wait 15 minutes, then try again." in text
    assert f'href="{page}"' in text
    other = next(one for one in PAGES if one != page)
    assert sign_in(other, PASSWORD).status_code == 429  # one limit for both pages


@pytest.mark.parametrize("page", PAGES)
def test_page__no_place_free__answers_503_with_retry_after(page, admin, own_counters):
    for _ in range(HASHES_AT_ONCE + MAX_WAITING):  # like waiting requests
        assert PLACES._admitted.acquire(blocking=False)
    try:
        answer = sign_in(page, PASSWORD)
    finally:
        for _ in range(HASHES_AT_ONCE + MAX_WAITING):
            PLACES._admitted.release()
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Many people are signing in right now." in answer.content.decode()
    assert sign_in(page, PASSWORD).status_code == 302


@pytest.fixture
def own_stack(transactional_db: None, tmp_path: Path) -> Iterator[Stack]:
    running = Stack(tmp_path, {"REDIS_PREFIX": f"test-{uuid4().hex}", "LOG_LEVEL": "INFO"})
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.mark.parametrize("page", PAGES)
async def test_rush__of_wrong_passwords__is_bounded_and_the_api_keeps_answering(own_stack, page):
    """Try one account 40 times at once, then 40 accounts: each way has its own limit."""
    async with httpx.AsyncClient(base_url=own_stack.url, timeout=TIMEOUT_S) as client:
        token = await _csrf_token(client, page)
        caller = await sync_to_async(lambda: bearer(person()))()
        one_account = [f"nobody-{page}@example.org"] * RUSH
        answers, answered = await _rush(client, page, token, caller, one_account)
        hashes = await _hashes(client)
        assert set(answers) <= {200, 429, 503}
        assert answers[200] <= PER_ACCOUNT_AND_ADDRESS
        assert hashes["made"] == answers[200]
        assert answered >= 1
        accounts = [f"person{n}@example.org" for n in range(RUSH)]
        answers, answered = await _rush(client, page, token, caller, accounts)
        hashes = await _hashes(client)
        assert set(answers) <= {200, 429, 503}
        assert 1 < hashes["peak"] <= HASHES_AT_ONCE
        assert answered >= ANSWERS_AT_LEAST
    outcomes = _outcomes(own_stack)
    assert outcomes.total() == 2 * RUSH
    assert set(outcomes) <= {"wrong", "limited", "busy"}
    print(f"{page}: {dict(answers)}, {hashes}, the API answered {answered} times meanwhile")


async def _csrf_token(client: httpx.AsyncClient, page: str) -> str:
    answer = await client.get(page)
    cookies = SimpleCookie(answer.headers["Set-Cookie"])
    client.cookies.set("csrf", cookies["csrf"].value)
    return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.text)[1]


async def _rush(
    client: httpx.AsyncClient, page: str, token: str, caller: dict[str, str], emails: list[str]
) -> tuple[Counter[int], int]:
    """Try a wrong password for each address at once; return the answers by status.

    Also returns how many times the API answered in between. Every answer must be 200.
    """

    async def try_(email: str) -> int:
        form = {"username": email, "password": "wrong", "csrfmiddlewaretoken": token}
        return (await client.post(page, data=form)).status_code

    answered = 0
    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(try_(email)) for email in emails]
        while not all(one.done() for one in tries):
            assert (await client.get("/api/v1/rooms", headers=caller)).status_code == 200
            answered += 1
    return Counter(one.result() for one in tries), answered


async def _hashes(client: httpx.AsyncClient) -> dict[str, float]:
    text = (await client.get("/metrics")).text
    found = re.findall(r"^meeting_rooms_password_hashes_(\w+) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def _outcomes(stack: Stack) -> Counter[str]:
    entries = (
        json.loads(entry) for entry in stack.web.output.splitlines() if entry.startswith("{")
    )
    return Counter(entry["outcome"] for entry in entries if entry["event"] == "sign_in")

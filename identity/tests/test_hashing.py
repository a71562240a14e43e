"""The places for password hashes: the maximum at once, and the queue for a place."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from django.contrib.auth.hashers import check_password, make_password

from identity.hashing import HASHES_AT_ONCE, PLACES, HashingBusyError, Places

AT_ONCE, WAITING = 2, 3
EVENT_TIMEOUT_S = 30.0


def test_places__taken_by_many_threads__never_exceed_the_maximum():
    places = Places(AT_ONCE, WAITING, EVENT_TIMEOUT_S)
    all_taken = threading.Barrier(AT_ONCE)

    def hold() -> None:
        with places.one():
            all_taken.wait(EVENT_TIMEOUT_S)  # two threads at once: two pairs, one after the other

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(hold) for _ in range(4)]:
            done.result(EVENT_TIMEOUT_S)
    assert (places.most_at_once, places.total) == (AT_ONCE, 4)


def test_places__queue_full__refuses_at_once_and_reports_when_to_retry():
    places = Places(AT_ONCE, 0, EVENT_TIMEOUT_S)
    with ExitStack() as held:
        for _ in range(AT_ONCE):
            held.enter_context(places.one())
        with pytest.raises(HashingBusyError) as refused, places.one():
            pass
    assert (refused.value.code, refused.value.facts) == ("sign_in_busy", {"retry_after_s": 5})
    with places.one():
        assert places.total == AT_ONCE + 1


def test_places__waited_for_too_long__refuses_and_leaves_the_queue():
    places = Places(1, 1, wait_s=0.0)
    for _ in range(3):  # a place in the queue that is not freed would be missing later
        with (
            places.one(),
            pytest.raises(HashingBusyError, match="Wait a few seconds"),
            places.one(),
        ):
            pass
    assert places.most_at_once == 1


@pytest.mark.parametrize("hasher,hashes_to_check", [("argon2", 1), ("pbkdf2_sha256", 1)])
def test_hashers__of_the_settings__take_one_place_per_hash(hasher, hashes_to_check):
    before = PLACES.total
    encoded = make_password("a long password", hasher=hasher)
    assert PLACES.total == before + 1
    assert not check_password("another one", encoded)
    assert PLACES.total == before + 1 + hashes_to_check
    assert 0 < PLACES.most_at_once <= HASHES_AT_ONCE

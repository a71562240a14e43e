"""Sign-in by password: the limits, their windows, and the cost of an attempt."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from identity.commands.check_password import check_password
from identity.domain.attempts import (
    PER_ACCOUNT,
    PER_ACCOUNT_AND_ADDRESS,
    PER_ADDRESS,
    WINDOW,
    MemoryCounters,
)
from identity.hashing import PLACES, BoundedArgon2
from identity.models import User
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import LimitExceededError, UnavailableError

START = datetime(2026, 3, 12, 10, tzinfo=UTC)
RIGHT = "correct horse battery"


class SignIn:
    """Makes sign-in attempts with a fixed clock and with counters of its own."""

    def __init__(self) -> None:
        self.clock = FixedClock(START)
        self.counters = MemoryCounters()

    def attempt(self, password: str, email: str = "ann@example.org", address: str = "192.0.2.1"):
        return check_password(
            email=email,
            password=password,
            address=address,
            counters=self.counters,
            clock=self.clock,
        )

    def is_refused(self, password: str = RIGHT, **more: str) -> bool:
        try:
            self.attempt(password, **more)
        except LimitExceededError:
            return True
        return False

    def use_up(self, **more: str) -> None:
        for _ in range(PER_ACCOUNT_AND_ADDRESS):
            assert self.attempt("wrong", **more) is None


class QuickHasher(BoundedArgon2):
    """The real hasher with little memory: these tests make hundreds of hashes."""

    memory_cost, parallelism, time_cost = 64, 1, 1


class NotingHasher(QuickHasher):
    """Records whether the thread held a database connection while it hashed."""

    held: ClassVar[list[bool]] = []

    def verify(self, password: str, encoded: str) -> bool:
        self.held.append(connection.connection is not None)
        return super().verify(password, encoded)

    def encode(self, password: str, salt: str) -> str:
        self.held.append(connection.connection is not None)
        return super().encode(password, salt)


class FullHasher(QuickHasher):
    """Raises UnavailableError, as if all places for hashing were taken."""

    def verify(self, password: str, encoded: str) -> bool:
        raise UnavailableError("Full.")


@pytest.fixture
def sign_in(db, settings) -> SignIn:
    settings.PASSWORD_HASHERS = [f"{__name__}.QuickHasher"]
    User.objects.create_user("ann@example.org", RIGHT, display_name="Ann")
    User.objects.create_user("ben@example.org", RIGHT, display_name="Ben")
    return SignIn()


def test_password__right__signs_in_with_any_case_of_the_e_mail_address(sign_in):
    assert sign_in.attempt(RIGHT, email=" Ann@Example.org ").display_name == "Ann"
    assert sign_in.attempt("wrong") is None
    assert sign_in.attempt(RIGHT, email="nobody@example.org") is None


def test_password__of_an_inactive_person__is_refused(sign_in):
    User.objects.filter(email="ann@example.org").update(is_active=False)
    assert sign_in.attempt(RIGHT) is None


def test_account__too_many_attempts__refuses_the_right_password_until_the_window_ends(sign_in):
    sign_in.use_up()
    before = PLACES.total
    sign_in.clock.advance(WINDOW - timedelta(seconds=1))
    with pytest.raises(LimitExceededError, match=r"Wait a minute, then try again\.") as refused:
        sign_in.attempt(RIGHT)
    assert refused.value.code == "too_many_sign_ins"
    assert refused.value.facts == {"retry_after_s": 1}
    assert PLACES.total == before  # refused before hashing
    sign_in.clock.advance(timedelta(seconds=1))
    assert sign_in.attempt(RIGHT).display_name == "Ann"


def test_account__limit_reached_at_one_address__is_open_at_another(sign_in):
    sign_in.use_up()
    for _ in range(3 * PER_ACCOUNT):  # more attempts lock nothing else
        assert sign_in.is_refused("wrong")
    assert sign_in.attempt(RIGHT, address="198.51.100.1").display_name == "Ann"
    assert sign_in.attempt(RIGHT, email="ben@example.org").display_name == "Ben"


def test_account__attempts_from_many_addresses__is_refused_everywhere(sign_in):
    addresses = [f"198.51.100.{n}" for n in range(PER_ACCOUNT // PER_ACCOUNT_AND_ADDRESS)]
    for address in addresses:
        sign_in.use_up(address=address)
    assert sign_in.is_refused(address="203.0.113.1")
    assert not sign_in.is_refused(address="203.0.113.1", email="ben@example.org")


def test_address__attempts_on_many_accounts__is_refused_and_others_are_not(sign_in):
    for n in range(PER_ADDRESS):
        assert sign_in.attempt("wrong", email=f"person{n}@example.org") is None
    assert sign_in.is_refused()
    assert not sign_in.is_refused(address="192.0.2.2")


def test_address__only_right_passwords__never_reaches_its_limit(sign_in):
    for _ in range(3 * PER_ADDRESS):
        assert sign_in.attempt(RIGHT) is not None


def test_address__right_passwords_between_wrong_ones__do_not_raise_the_limit(sign_in):
    for n in range(PER_ADDRESS):
        assert sign_in.attempt("wrong", email=f"person{n}@example.org") is None
        if n < PER_ADDRESS - 1:
            assert sign_in.attempt(RIGHT) is not None
    assert sign_in.is_refused()


def test_network__addresses_of_one_ipv6_subscriber__share_their_attempts(sign_in):
    for n in range(PER_ACCOUNT_AND_ADDRESS):
        assert sign_in.attempt("wrong", address=f"2001:db8::{n}") is None
    assert sign_in.is_refused(address="2001:db8::ffff")
    assert not sign_in.is_refused(address="2001:db8:0:1::1")


@pytest.mark.parametrize("email", ["ann@example.org", "no-password@example.org", "no@example.org"])
def test_cost__of_a_known_and_an_unknown_account__is_one_query_and_one_hash(sign_in, email):
    User.objects.create_user("no-password@example.org", None, display_name="Cas")
    before = PLACES.total
    with CaptureQueriesContext(connection) as queries:
        assert sign_in.attempt("wrong", email=email) is None
    assert (len(queries), PLACES.total - before) == (1, 1)


def test_attempt__hashing_busy__is_not_counted(sign_in, settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.FullHasher"]
    for _ in range(2 * PER_ACCOUNT_AND_ADDRESS):
        with pytest.raises(UnavailableError, match="Full"):
            sign_in.attempt(RIGHT)
    settings.PASSWORD_HASHERS = [f"{__name__}.QuickHasher"]
    assert sign_in.attempt(RIGHT) is not None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("email", ["ann@example.org", "nobody@example.org"])
def test_connection__while_hashing__is_back_in_the_pool(sign_in, settings, email):
    settings.PASSWORD_HASHERS = [f"{__name__}.NotingHasher"]
    NotingHasher.held.clear()
    sign_in.attempt("wrong", email=email)
    assert NotingHasher.held == [False]


def test_log__of_every_outcome__names_account_and_address_and_no_secret(sign_in):
    with capture_logs() as lines:
        sign_in.attempt(RIGHT)
        for _ in range(PER_ACCOUNT_AND_ADDRESS):
            sign_in.attempt("wrong-canary")
        assert sign_in.is_refused("wrong-canary")
    assert [line["outcome"] for line in lines] == [
        "signed_in",
        *["wrong"] * PER_ACCOUNT_AND_ADDRESS,
        "limited",
    ]
    assert {line["event"] for line in lines} == {"sign_in"}
    assert len({line["account"] for line in lines}) == 1
    assert {line["address"] for line in lines} == {"192.0.2.1"}
    assert not any(word in str(lines) for word in (RIGHT, "canary", "ann@", "Ann"))

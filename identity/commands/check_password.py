"""Command: find the person with this e-mail address and password, within the sign-in limits."""

from typing import Any

import structlog
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.utils.crypto import salted_hmac

from identity.domain.attempts import Counters, limits_of
from identity.domain.error_codes import IdentityErrorCode
from identity.hashing import HashingBusyError
from identity.models import User
from meeting_rooms.kernel.client_address import network_of
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock
from meeting_rooms.kernel.errors import LimitExceededError

log = structlog.get_logger(__name__)
ACCOUNT_DIGEST_LENGTH = 32  # hexadecimal digits, 128 bits


def check_password(
    *, email: str, password: str, address: str, counters: Counters, clock: Clock = SYSTEM_CLOCK
) -> User | None:
    """Return the active person with this e-mail address and password; None if there is none.

    The attempt is counted before the hash is made, and subtracted again if the password was right
    or no hash was made. An unknown account costs one hash, as a known account does. No database
    connection is held during the hash. The outcome is logged without password and e-mail address.

    Raises LimitExceededError `too_many_sign_ins` with `retry_after_s` over a limit,
    HashingBusyError if too many hashes are being made.
    """
    email, now = email.strip().lower(), clock.now()
    account, network = _digest_of(email), network_of(address)
    limits = limits_of(account, network)
    counted = counters.count(limits, now)
    known = {"account": account, "address": address, "counted_in": counted.store}
    if counted.refused_until is not None:
        retry_after_s = counted.retry_after_s(now)
        log.warning("sign_in", outcome="limited", retry_after_s=retry_after_s, **known)
        raise _too_many(retry_after_s)
    try:
        user = User.objects.filter(email=email).first()
        _release_connection()
        is_right = _is_right(user, password)
    except Exception as exc:
        counters.take_back(limits, counted)
        outcome = "busy" if isinstance(exc, HashingBusyError) else "failed"
        log.warning("sign_in", outcome=outcome, **known)
        raise
    if user is None or not is_right:
        log.warning("sign_in", outcome="wrong", **known)
        return None
    counters.take_back(limits, counted)
    return _admitted(user, known)


def _release_connection() -> None:
    """Give this thread's connection back to the pool, unless the caller has a transaction open."""
    if not connection.in_atomic_block:
        connection.close()


def _admitted(user: User, known: dict[str, Any]) -> User | None:
    outcome = "signed_in" if user.is_active else "inactive"
    log.info("sign_in", outcome=outcome, user=str(user.pk), **known)
    return user if user.is_active else None


def _is_right(user: User | None, password: str) -> bool:
    if user is None:
        make_password(password)
        return False
    return user.check_password(password)


def _digest_of(email: str) -> str:
    """Return a digest that identifies the account without its e-mail address."""
    return salted_hmac(__name__, email, algorithm="sha256").hexdigest()[:ACCOUNT_DIGEST_LENGTH]


def _too_many(retry_after_s: int) -> LimitExceededError:
    minutes = -(-retry_after_s // 60)
    wait = "a minute" if minutes == 1 else f"{minutes} minutes"
    return LimitExceededError(
        f"Too many attempts to sign in. Wait {wait}, then try again. If you have forgotten your "
        "password, ask an admin to set a new one.",
        code=IdentityErrorCode.TOO_MANY_SIGN_INS,
        facts={"retry_after_s": retry_after_s},
    )

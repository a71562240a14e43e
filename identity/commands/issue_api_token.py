"""Command: give a person a new API token."""

from dataclasses import dataclass
from datetime import datetime

from identity.domain.tokens import TOKEN_PREFIX_LENGTH, digest_of, new_token
from identity.models import ApiToken, User
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock
from meeting_rooms.kernel.errors import InvalidCommandError, LimitExceededError

MAX_ACTIVE_TOKENS = 20  # per person


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """The stored token and the only copy of its secret."""

    record: ApiToken
    secret: str


def issue_api_token(
    *, user: User, name: str, expires_at: datetime | None = None, clock: Clock = SYSTEM_CLOCK
) -> IssuedToken:
    """Create a token and return its secret, which cannot be read again.

    Raises InvalidCommandError for a bad name or an expiry in the past, LimitExceededError if the
    person has MAX_ACTIVE_TOKENS tokens.
    """
    name, now = name.strip(), clock.now()
    if not name.isprintable() or not 1 <= len(name) <= 100:
        raise InvalidCommandError(
            "Name the token in 1 to 100 printable characters, for example 'lobby bot'."
        )
    if expires_at is not None and expires_at <= now:
        raise InvalidCommandError("The expiry is in the past. Choose a later date.")
    if user.api_tokens.filter(revoked_at=None).count() >= MAX_ACTIVE_TOKENS:
        raise LimitExceededError(
            f"You have {MAX_ACTIVE_TOKENS} tokens, which is the maximum. Revoke a token first."
        )
    secret = new_token()
    record = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=secret[:TOKEN_PREFIX_LENGTH],
        digest=digest_of(secret),
        created_at=now,
        expires_at=expires_at,
    )
    return IssuedToken(record, secret)

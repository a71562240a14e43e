"""Command: find the people to whom API tokens belong."""

from collections.abc import Collection
from datetime import timedelta

from django.db.models import Q

from identity.domain.tokens import digest_of
from identity.models import ApiToken, User
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock

LAST_USED_STEP = timedelta(minutes=1)  # without it, every request would write a row


def authenticate_api_token(*, secret: str, clock: Clock = SYSTEM_CLOCK) -> User | None:
    """Return the owner of a token.

    Returns None if the token is unknown, expired or revoked, or if its owner is inactive.
    """
    return authenticate_api_tokens(secrets=[secret], clock=clock).get(secret)


def authenticate_api_tokens(
    *, secrets: Collection[str], clock: Clock = SYSTEM_CLOCK
) -> dict[str, User]:
    """Return the owner of each valid token. One query, and one update of `last_used_at`."""
    now = clock.now()
    by_digest = {digest_of(secret): secret for secret in secrets}
    tokens = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now), digest__in=by_digest)
        .filter(revoked_at=None, user__is_active=True)
    )
    owners, unnoted = {}, []
    for token in tokens:
        owners[by_digest[bytes(token.digest)]] = token.user
        if token.last_used_at is None or now - token.last_used_at > LAST_USED_STEP:
            unnoted.append(token.pk)
    if unnoted:
        ApiToken.objects.filter(pk__in=unnoted).update(last_used_at=now)
    return owners

"""Command: recognise a person by a presented API token."""

from datetime import timedelta

from django.db.models import Q

from identity.domain.tokens import digest_of
from identity.models import ApiToken, User
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock

LAST_USED_STEP = timedelta(minutes=1)  # finer would write a row on every request


def authenticate_api_token(*, secret: str, clock: Clock = SYSTEM_CLOCK) -> User | None:
    """Return the token's owner; None if it is unknown, expired, revoked or its owner inactive."""
    now = clock.now()
    token = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now), digest=digest_of(secret))
        .filter(revoked_at=None, user__is_active=True)
        .first()
    )
    if token is None:
        return None
    if token.last_used_at is None or now - token.last_used_at > LAST_USED_STEP:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token.user

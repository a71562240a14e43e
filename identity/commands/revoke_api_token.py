"""Command: revoke an API token."""

from uuid import UUID

from identity.models import ApiToken, User
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock
from meeting_rooms.kernel.errors import NotFoundError


def revoke_api_token(*, user: User, token_id: UUID, clock: Clock = SYSTEM_CLOCK) -> None:
    """Revoke a token of the person at once.

    Raises NotFoundError if the person has no active token with this id.
    """
    own = ApiToken.objects.filter(pk=token_id, user=user, revoked_at=None)
    if not own.update(revoked_at=clock.now()):
        raise NotFoundError("You have no active token with this id.")

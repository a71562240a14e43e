"""Commands and query of feeds: secret addresses at which calendar programs read bookings.

A reader needs no sign-in. The secret gives the read access of its owner, until the feed is revoked
or the owner is inactive. Only the SHA-256 of a secret is stored.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from booking.domain.error_codes import BookingErrorCode
from booking.exchange.export_calendar import person_calendar, room_calendar
from booking.models import FeedToken
from booking.transaction.database_clock import DATABASE_CLOCK
from identity.domain.tokens import TOKEN_PREFIX_LENGTH, digest_of, new_token
from identity.models import User
from identity.queries import actor_of
from meeting_rooms.kernel.clock import Clock
from meeting_rooms.kernel.errors import LimitExceededError, NotFoundError
from rooms.models import Room

MAX_ACTIVE_FEEDS = 50  # per person
MAX_SECRET_LENGTH = 100  # characters; the rest of a longer path is not hashed
LAST_USED_STEP = timedelta(minutes=1)  # a smaller step would write a row on every request


@dataclass(frozen=True, slots=True)
class IssuedFeed:
    """A new feed and its secret. The secret is not stored and cannot be read again."""

    record: FeedToken
    secret: str


def issue_feed(
    *, user: User, room: Room | None = None, clock: Clock = DATABASE_CLOCK
) -> IssuedFeed:
    """Store a new feed of `user`: of a room, redacted for the user, or of the user's bookings.

    Raises LimitExceededError if the user has MAX_ACTIVE_FEEDS.
    """
    if user.feed_tokens.filter(revoked_at=None).count() >= MAX_ACTIVE_FEEDS:
        raise LimitExceededError(
            f"You have {MAX_ACTIVE_FEEDS} feeds, the maximum. Revoke one first."
        )
    secret = new_token()
    record = FeedToken.objects.create(
        user=user,
        room=room,
        prefix=secret[:TOKEN_PREFIX_LENGTH],
        digest=digest_of(secret),
        created_at=clock.now(),
    )
    return IssuedFeed(record, secret)


def read_feed(*, secret: str, clock: Clock = DATABASE_CLOCK) -> bytes:
    """Return the calendar of the feed with this secret.

    Raises NotFoundError `unknown_feed` if there is no such feed, the feed is revoked, its owner is
    inactive, or its room is retired; LimitExceededError if the calendar has too many bookings.
    """
    now = clock.now()
    token = (
        FeedToken.objects.select_related("user", "room")
        .filter(digest=digest_of(secret[:MAX_SECRET_LENGTH]), revoked_at=None, user__is_active=True)
        .first()
    )
    if token is None or (token.room is not None and not token.room.is_active):
        raise NotFoundError("There is no such calendar.", code=BookingErrorCode.UNKNOWN_FEED)
    if token.last_used_at is None or now - token.last_used_at > LAST_USED_STEP:
        FeedToken.objects.filter(pk=token.pk).update(last_used_at=now)
    if token.room is None:
        return person_calendar(token.user, now)
    return room_calendar(token.room, actor_of(token.user), now)


def revoke_feed(*, user: User, feed_id: UUID, clock: Clock = DATABASE_CLOCK) -> None:
    """Revoke a feed of `user` at once. Raises NotFoundError if the user has no such active feed."""
    own = FeedToken.objects.filter(pk=feed_id, user=user, revoked_at=None)
    if not own.update(revoked_at=clock.now()):
        raise NotFoundError(
            "You have no active feed with this id.", code=BookingErrorCode.UNKNOWN_FEED
        )

"""REST: calendar feeds, which are secret addresses where calendar programs read bookings."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from ninja import Router, Status

from booking.exchange.feeds import issue_feed, revoke_feed
from booking.models import FeedToken
from identity.api_auth import user_from
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import Answer, Body
from rooms.queries import get_room

router = Router(tags=["feeds"])


class FeedIn(Body):
    """A new feed of the bookings of `room`, or without `room` of the caller's own bookings."""

    room: UUID | None = None


class FeedOut(Answer):
    """A feed without its address. `prefix` is the beginning of the secret in the address."""

    id: UUID
    room: UUID | None
    prefix: str
    created_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, token: FeedToken) -> "FeedOut":
        """Return the feed as the API shows it. Load the token with `select_related("room")`."""
        return cls(
            id=token.pk,
            room=token.room.uuid if token.room else None,
            prefix=token.prefix,
            created_at=token.created_at,
            last_used_at=token.last_used_at,
        )


class NewFeedOut(FeedOut):
    """A feed with its address `url`, which is shown only in this answer.

    Everyone who knows the address can read the feed: treat the address as a password.
    """

    url: str


@router.get("/feeds", response={200: list[FeedOut]}, summary="List the caller's calendar feeds")
def list_feeds(request: HttpRequest) -> list[FeedOut]:
    """Return the caller's feeds that are not revoked, newest first."""
    own = FeedToken.objects.select_related("room").filter(user=user_from(request), revoked_at=None)
    return [FeedOut.of(token) for token in own]


@router.post(
    "/feeds",
    response={201: NewFeedOut, 404: Problem, 429: Problem},
    summary="Create a calendar feed",
)
def make_feed(request: HttpRequest, body: FeedIn) -> Status[NewFeedOut]:
    """Create a secret address for a calendar program.

    The secret is in the address because calendar programs cannot send headers. A feed shows only
    what the caller may read.
    """
    room = get_room(body.room) if body.room else None
    issued = issue_feed(user=user_from(request), room=room)
    url = request.build_absolute_uri(reverse("feed", args=[issued.secret]))
    public = FeedOut.of(issued.record)
    return Status(201, NewFeedOut(**public.model_dump(), url=url))


@router.delete(
    "/feeds/{feed_id}",
    response={204: None, 404: Problem},
    summary="Revoke a calendar feed",
    operation_id="revoke_feed",
)
def revoke(request: HttpRequest, feed_id: UUID) -> Status[None]:
    """Revoke one of the caller's feeds at once."""
    revoke_feed(user=user_from(request), feed_id=feed_id)
    return Status(204, None)

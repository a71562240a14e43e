"""Model of the secret addresses of calendar feeds."""

import uuid

from django.db import models
from django.db.models import Q

from identity.models import User
from rooms.models import Room


class FeedToken(models.Model):
    """A secret address of a calendar feed. A client that has the address can read the feed.

    Access ends when the address is revoked. Only the SHA-256 of the secret is stored. With `room`
    the feed is the calendar of the room as `user` may read it; without, the bookings of `user`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="feed_tokens")
    room = models.ForeignKey(
        Room, on_delete=models.CASCADE, null=True, blank=True, related_name="feed_tokens"
    )
    prefix = models.CharField(max_length=12)
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "pk"]
        indexes = [
            models.Index(
                fields=["user"], condition=Q(revoked_at=None), name="booking_feed_of_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"

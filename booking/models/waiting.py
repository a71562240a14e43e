"""Model of the waitlist: people who wait for a taken slot."""

import uuid

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import Q

from booking.models.bookings import Booking
from identity.models import User
from rooms.models import Room


class WaitingEntry(models.Model):
    """One person waits for one room and interval. The earliest entry gets the first offer.

    `offer` is the hold that the person got when the slot became free. When the offer lapses, the
    entry is closed and the next entry gets an offer.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="waiting")
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="waiting")
    during = DateTimeRangeField()
    title = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    offer = models.OneToOneField(
        Booking, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    offered_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "room", "during"],
                condition=Q(closed_at=None),
                name="booking_waiting_once",
            ),
            models.CheckConstraint(
                condition=Q(during__isempty=False), name="booking_waiting_is_an_interval"
            ),
        ]
        indexes = [
            models.Index(
                fields=["room", "created_at"],
                condition=Q(closed_at=None),
                name="booking_waiting_in_line",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} waits for {self.room}"

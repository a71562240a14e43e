"""Models of recurring bookings: the series with its RRULE, and its skipped dates."""

import uuid

from django.db import models

from booking.domain.titles import MAX_TITLE_LENGTH
from identity.models import User
from rooms.models import Room


class Series(models.Model):
    """The common values of a recurring booking; each of its dates is a booking of its own.

    `rule` is the value of an RFC 5545 RRULE. `starts_local` is the first date-time of the RRULE, a
    local time of `timezone` in ISO format without offset. `minutes` is the nominal length. Each
    date of the RRULE is stored: as a booking with that `recurrence_id`, in any state, or as a
    skipped date. So a deleted date stays deleted until a person adds it again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="series")
    rule = models.CharField(max_length=500)
    starts_local = models.CharField(max_length=19)
    minutes = models.PositiveIntegerField()
    timezone = models.CharField(max_length=64)
    title = models.CharField(max_length=MAX_TITLE_LENGTH)
    organizer = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="series"
    )
    organizer_name = models.CharField(max_length=100)
    is_private = models.BooleanField(default=False)
    attendees = models.PositiveIntegerField(null=True, blank=True)
    external_uid = models.CharField(max_length=255, null=True, blank=True, unique=True)
    follows = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="followed_by",
        help_text="The series that a change of 'this and following' dates split this one from.",
    )
    withdraw_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="At this time the future dates are cancelled, because of no-shows.",
    )
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "series"

    def __str__(self) -> str:
        return f"{self.title}: {self.rule}"


class SkippedDate(models.Model):
    """A date of the RRULE without a booking, and the reason. Adding the date deletes the row."""

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="skipped")
    recurrence_id = models.CharField(max_length=19)
    code = models.CharField(
        max_length=40, help_text="The error code of the refusal, or 'excluded'."
    )
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["recurrence_id", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["series", "recurrence_id"], name="booking_skipped_date_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recurrence_id}: {self.code}"

"""Bookings, their audit log and idempotency receipts. Fields and constraints only."""

import uuid
from operator import attrgetter

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    ArrayField,
    BigIntegerRangeField,
    DateTimeRangeField,
    RangeOperators,
)
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, Q

from booking.domain.booking_data import COLUMNS, MEMBERS, BookingData
from booking.domain.states import (
    STATES_THAT_MAY_TAKE_THE_SLOT,
    STATES_THAT_TAKE_THE_SLOT,
    BookingState,
)
from booking.domain.titles import MAX_TITLE_LENGTH
from identity.models import User
from meeting_rooms.kernel.actor import ActorKind
from meeting_rooms.kernel.interval import Interval
from rooms.models import Room


def as_range(interval: Interval) -> DateTimeTZRange:
    """Return the interval as Postgres stores it."""
    return DateTimeTZRange(interval.start, interval.end, "[)")


class Booking(models.Model):
    """One room for one stretch of time.

    The exclusion constraint makes an overlap impossible to store, from any entry point. `units` are
    the room's pieces of floor, set by a trigger and by nobody else, so that a hall and its halves
    exclude each other as one room excludes itself. An empty range would pass the constraint, so a
    check refuses those; bounds are `[)`, so back-to-back is no overlap.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="bookings")
    units = BigIntegerRangeField(null=True, editable=False)
    during = DateTimeRangeField()
    local_start = models.CharField(max_length=26, help_text="As meant, in the room's zone.")
    local_end = models.CharField(max_length=26)
    title = models.CharField(max_length=MAX_TITLE_LENGTH)
    organizer = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="bookings"
    )
    organizer_name = models.CharField(max_length=100)
    is_private = models.BooleanField(default=False)
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in BookingState])
    takes_slot = models.BooleanField(default=True)
    lapses_at = models.DateTimeField(
        null=True, blank=True, help_text="Given back then unless somebody checks in or confirms."
    )
    attendees = models.PositiveIntegerField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    group_id = models.UUIDField(null=True, blank=True, help_text="One booking of several rooms.")
    series = models.ForeignKey(
        "booking.Series", on_delete=models.PROTECT, null=True, blank=True, related_name="bookings"
    )
    recurrence_id = models.CharField(max_length=19, null=True, blank=True)
    flags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    external_uid = models.CharField(
        max_length=255,
        null=True,
        blank=True,
        unique=True,
        help_text="UID in a calendar it came from.",
    )
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(F("organizer"), F("during__endswith"), name="booking_of_organizer"),
            models.Index(
                fields=["lapses_at"],
                condition=Q(lapses_at__isnull=False),
                name="booking_lapsing",
            ),
            models.Index(
                fields=["group_id"],
                condition=Q(group_id__isnull=False),
                name="booking_of_several_rooms",
            ),
        ]
        constraints = [
            ExclusionConstraint(
                name="booking_no_overlap",
                expressions=[
                    ("units", RangeOperators.OVERLAPS),
                    ("during", RangeOperators.OVERLAPS),
                ],
                condition=Q(takes_slot=True),
            ),
            models.UniqueConstraint(
                fields=["series", "recurrence_id", "room"], name="booking_occurrence_once"
            ),
            models.CheckConstraint(
                name="booking_slot_goes_with_state",
                condition=Q(state=BookingState.PENDING.value)
                | Q(takes_slot=True, state__in=sorted(STATES_THAT_TAKE_THE_SLOT))
                | (Q(takes_slot=False) & ~Q(state__in=sorted(STATES_THAT_MAY_TAKE_THE_SLOT))),
            ),
            models.CheckConstraint(
                name="booking_has_units", condition=Q(units__isnull=False, units__isempty=False)
            ),
            models.CheckConstraint(
                name="booking_during_is_a_stretch",
                condition=Q(during__isempty=False)
                & Q(during__lower_inf=False, during__upper_inf=False)
                & Q(during__lower_inc=True, during__upper_inc=False),
            ),
            models.CheckConstraint(
                name="booking_state_known",
                condition=Q(state__in=[s.value for s in BookingState]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.during.lower:%Y-%m-%d %H:%M} UTC"

    @property
    def interval(self) -> Interval:
        """Return the booked stretch."""
        return Interval(self.during.lower, self.during.upper)

    def as_data(self) -> BookingData:
        """Return the booking as a value. Reads the room, so select it along."""
        values = dict(zip(MEMBERS, _stored(self), strict=True))
        values["state"] = BookingState(self.state)
        values["flags"] = tuple(self.flags)
        return BookingData(**values)


# What of the model each member of BookingData is; a column's name but for these two.
_ATTRIBUTES = {"room": "room.uuid", "during": "interval"}
_stored = attrgetter(*(_ATTRIBUTES.get(column, column) for column in COLUMNS))


class AuditEntry(models.Model):
    """One fact: who did what to which booking, when and why. Append-only, by a trigger.

    Ids are not commit order; a reader that follows the log stays behind the oldest running
    transaction.
    """

    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10, choices=[(k.value, k.value) for k in ActorKind])
    actor_name = models.CharField(max_length=100)
    actor_user_id = models.UUIDField(null=True)
    command = models.CharField(max_length=40)
    reason = models.CharField(max_length=200, blank=True)
    room_id = models.BigIntegerField()
    booking_id = models.UUIDField(db_index=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["room_id", "at"], name="booking_audit_by_room")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} UTC {self.actor_name}: {self.command}"


class IdempotencyReceipt(models.Model):
    """The answer once given for a person's key, repeated to every retry."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    request_digest = models.BinaryField(max_length=32)
    result = models.JSONField(null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="booking_receipt_once_per_key"),
        ]

    def __str__(self) -> str:
        return self.key

"""Models of bookings, of their audit log and of idempotency receipts."""

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
    """Return the interval as a Postgres range `[start, end)`."""
    return DateTimeTZRange(interval.start, interval.end, "[)")


class Booking(models.Model):
    """One room for one interval.

    The exclusion constraint refuses an overlap from every entry point. `units` are the cells of the
    room, or its id if the room is not divided. Only a trigger sets `units`. A hall and its parts
    have units in common, so their bookings exclude each other like bookings of one room. An empty
    range would pass the exclusion constraint, so a check constraint refuses it. The bounds of
    `during` are `[)`, so bookings that touch do not overlap.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="bookings")
    units = BigIntegerRangeField(null=True, editable=False)
    during = DateTimeRangeField()
    local_start = models.CharField(
        max_length=26, help_text="The booked local time, in the room's time zone."
    )
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
        null=True,
        blank=True,
        help_text="Frees the slot unless a check-in, approval or confirmation comes before.",
    )
    attendees = models.PositiveIntegerField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    group_id = models.UUIDField(
        null=True, blank=True, help_text="The parts of one multi-room booking have the same value."
    )
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
        help_text="The UID of the event in the calendar that it was imported from.",
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
                name="booking_during_is_an_interval",
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
        """Return the booked interval."""
        return Interval(self.during.lower, self.during.upper)

    def as_data(self) -> BookingData:
        """Return the booking as a value. It reads `room`: use `select_related` in the query."""
        values = dict(zip(MEMBERS, _stored(self), strict=True))
        values["state"] = BookingState(self.state)
        values["flags"] = tuple(self.flags)
        return BookingData(**values)


# The attribute of the model for each member of BookingData: its column, except for these two.
_ATTRIBUTES = {"room": "room.uuid", "during": "interval"}
_stored = attrgetter(*(_ATTRIBUTES.get(column, column) for column in COLUMNS))


class AuditEntry(models.Model):
    """One change of a booking: actor, command, time, reason, and the booking before and after.

    A trigger makes the table append-only. The order of the ids is not the order of the commits. A
    reader that follows the log must not read past the oldest running transaction.
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
    """The stored answer to an Idempotency-Key of a person, returned to every retry."""

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

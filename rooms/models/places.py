"""Places: buildings, floors, rooms, closures. Fields and constraints only."""

import uuid
import zoneinfo

from django.contrib.postgres.fields import BigIntegerRangeField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

SLUG = RegexValidator(
    r"^[a-z0-9]+(?:-[a-z0-9]+)*$", "Use small letters, digits and single hyphens, as in 'north-2'."
)


def validate_timezone(name: str) -> None:
    """Raise ValidationError for a name that is not in the IANA time zone database."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"'{name}' is not an IANA time zone, such as Europe/Helsinki.")


class Direction(models.TextChoices):
    """The physical direction from the board, drawn as an arrow. Not mirrored in any language."""

    NONE = "", "no arrow"
    UP = "up", "ahead"
    LEFT = "left", "left"
    RIGHT = "right", "right"
    UP_LEFT = "up-left", "ahead on the left"
    UP_RIGHT = "up-right", "ahead on the right"
    DOWN = "down", "down"


class Building(models.Model):
    """A building with one address and one time zone."""

    slug = models.CharField(max_length=50, unique=True, validators=[SLUG])
    name = models.CharField(max_length=100)
    timezone = models.CharField(max_length=64, validators=[validate_timezone])
    address = models.CharField(max_length=200, blank=True)
    is_board_public = models.BooleanField(
        default=False, help_text="Lobby boards may be read without signing in."
    )
    shows_titles = models.BooleanField(
        default=False, help_text="Boards show titles of bookings that are not private."
    )

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Floor(models.Model):
    """One level of a building."""

    building = models.ForeignKey(Building, on_delete=models.PROTECT, related_name="floors")
    slug = models.CharField(max_length=50, unique=True, validators=[SLUG])
    name = models.CharField(max_length=50)
    level = models.SmallIntegerField(help_text="Order in the building; 0 is the ground floor.")
    direction = models.CharField(max_length=10, choices=Direction, blank=True)
    hint = models.CharField(max_length=50, blank=True, help_text="For example: stairs ahead.")

    class Meta:
        ordering = ["building", "level"]
        constraints = [
            models.UniqueConstraint(fields=["building", "level"], name="rooms_floor_level_once"),
        ]

    def __str__(self) -> str:
        return f"{self.building}, {self.name}"


class Feature(models.Model):
    """A feature of rooms that people search for."""

    slug = models.CharField(max_length=50, unique=True, validators=[SLUG])
    name = models.CharField(max_length=50)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Room(models.Model):
    """A bookable room.

    `schedule_version` rises by one with every change that the screens of the room show; the live
    state is compared with it. `schedule_changed_at` is the instant of the last rise by the clock of
    Postgres. `id` is internal, because the overlap constraint needs an integer; `uuid` is public.

    `units` is the range of floor units that the room occupies; null: a unit of its own. The rooms
    of a divisible hall share one range of numbers, so a hall and its parts overlap.
    """

    NAME_LENGTH = 60

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    floor = models.ForeignKey(Floor, on_delete=models.PROTECT, related_name="rooms")
    slug = models.CharField(max_length=50, validators=[SLUG])
    name = models.CharField(max_length=NAME_LENGTH)
    capacity = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(5000)]
    )
    features = models.ManyToManyField(Feature, blank=True, related_name="rooms")
    direction = models.CharField(max_length=10, choices=Direction, blank=True)
    is_active = models.BooleanField(default=True, help_text="Off: gone from boards and booking.")
    division = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="parts",
        help_text="The undivided hall, for each room of a divisible one.",
    )
    units = BigIntegerRangeField(null=True, blank=True, editable=False)
    schedule_version = models.BigIntegerField(default=1, editable=False)
    schedule_changed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["floor__building", "floor__level", "name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["floor", "slug"], name="rooms_room_slug_once"),
            models.CheckConstraint(condition=Q(capacity__gte=1), name="rooms_room_seats_somebody"),
        ]

    def __str__(self) -> str:
        return self.name


Place = Building | Floor | Room | Feature


class Closure(models.Model):
    """An interval in which a room is out of service. No end: until further notice."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="closures")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=100)

    class Meta:
        ordering = ["starts_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="rooms_closure_not_empty",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.room}: {self.reason}"

"""What may be booked when, by whom and how. Fields and constraints only."""

from django.db import models
from django.db.models import F, Q

from rooms.models.places import Room


class OpeningHours(models.Model):
    """When a room may be used on one weekday, in local time. No rows at all: always.

    `closes` 00:00 means midnight at the end of the day.
    """

    class Weekday(models.IntegerChoices):
        """ISO weekday minus one, as `date.weekday()` counts."""

        MONDAY = 0
        TUESDAY = 1
        WEDNESDAY = 2
        THURSDAY = 3
        FRIDAY = 4
        SATURDAY = 5
        SUNDAY = 6

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.SmallIntegerField(choices=Weekday)
    opens = models.TimeField()
    closes = models.TimeField(help_text="00:00 is midnight at the end of the day.")

    class Meta:
        ordering = ["weekday", "opens"]
        verbose_name_plural = "opening hours"
        constraints = [
            models.UniqueConstraint(fields=["room", "weekday"], name="rooms_hours_once_a_day"),
            models.CheckConstraint(
                condition=Q(closes="00:00") | Q(closes__gt=F("opens")),
                name="rooms_hours_close_after_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M} to {self.closes:%H:%M}"


class RulesVersion(models.Model):
    """One row: a number that changes, by triggers, with every change of any rule of any room.

    What is read under a version holds for as long as the version does; that is how booking
    commands keep rules in memory and never decide by old ones.
    """

    version = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.version)

"""The lists of a policy: opening hours, exceptions, quotas and people."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from identity.models import User
from rooms.domain.effective_policy import QuotaPeriod
from rooms.models.policies import Policy

CLOSES_AFTER_IT_OPENS = Q(closes="00:00") | Q(closes__gt=F("opens"))
MIDNIGHT_HELP = "00:00 is midnight at the end of the day."
LONGEST_EXCEPTION = timedelta(days=366)


class OpeningHours(models.Model):
    """An opening period of one weekday, in local time.

    A scope with any row replaces all inherited opening hours. No rows in any scope: always open.
    """

    class Weekday(models.IntegerChoices):
        """The weekday as in `date.weekday()`: Monday is 0."""

        MONDAY = 0
        TUESDAY = 1
        WEDNESDAY = 2
        THURSDAY = 3
        FRIDAY = 4
        SATURDAY = 5
        SUNDAY = 6

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.SmallIntegerField(choices=Weekday)
    opens = models.TimeField()
    closes = models.TimeField(help_text=MIDNIGHT_HELP)

    class Meta:
        ordering = ["weekday", "opens", "pk"]
        verbose_name_plural = "opening hours"
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "weekday", "opens"], name="rooms_hours_period_once"
            ),
            models.CheckConstraint(
                condition=CLOSES_AFTER_IT_OPENS, name="rooms_hours_close_after_open"
            ),
            models.CheckConstraint(
                condition=Q(weekday__gte=0, weekday__lte=6), name="rooms_hours_weekday"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M} to {self.closes:%H:%M}"


class OpeningException(models.Model):
    """Different opening hours on some local dates. No periods: closed all day."""

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="exceptions")
    first_date = models.DateField()
    last_date = models.DateField(help_text="The last day, inclusive.")
    reason = models.CharField(max_length=100)
    is_holiday = models.BooleanField(default=False)

    class Meta:
        ordering = ["first_date", "pk"]
        constraints = [
            models.CheckConstraint(
                name="rooms_exception_dates",
                condition=Q(last_date__gte=F("first_date"))
                & Q(last_date__lt=F("first_date") + LONGEST_EXCEPTION),
                violation_error_message="The last date is the first or up to a year later.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_date:%Y-%m-%d} {self.reason}"


class ExceptionPeriod(models.Model):
    """An opening period on the dates of an exception."""

    exception = models.ForeignKey(
        OpeningException, on_delete=models.CASCADE, related_name="periods"
    )
    opens = models.TimeField()
    closes = models.TimeField(help_text=MIDNIGHT_HELP)

    class Meta:
        ordering = ["opens", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["exception", "opens"], name="rooms_period_once"),
            models.CheckConstraint(
                condition=CLOSES_AFTER_IT_OPENS, name="rooms_period_close_after_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.opens:%H:%M} to {self.closes:%H:%M}"


class Quota(models.Model):
    """The maximum number of bookings, or of booked minutes, per person and period in the scope.

    The quotas of campus, building and room apply together. `week_starts` null: a week begins on the
    day of the booking. With a window, only these local hours of each day count.
    """

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="quotas")
    period = models.CharField(max_length=10, choices=[(p.value, p.value) for p in QuotaPeriod])
    max_count = models.PositiveIntegerField(null=True, blank=True)
    max_minutes = models.PositiveIntegerField(null=True, blank=True)
    week_starts = models.SmallIntegerField(
        choices=OpeningHours.Weekday, null=True, blank=True, default=0
    )
    window_opens = models.TimeField(null=True, blank=True)
    window_closes = models.TimeField(null=True, blank=True, help_text=MIDNIGHT_HELP)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="rooms_quota_limits_something",
                condition=Q(max_count__isnull=False) | Q(max_minutes__isnull=False),
                violation_error_message="Say max_count, max_minutes or both.",
            ),
            models.CheckConstraint(
                name="rooms_quota_period",
                condition=Q(period__in=[p.value for p in QuotaPeriod]),
            ),
            models.CheckConstraint(
                name="rooms_quota_week_starts",
                condition=Q(week_starts=None) | Q(week_starts__gte=0, week_starts__lte=6),
            ),
            models.CheckConstraint(
                name="rooms_quota_window",
                condition=Q(window_opens=None, window_closes=None)
                | (
                    Q(window_opens__isnull=False, window_closes__isnull=False)
                    & (Q(window_closes="00:00") | Q(window_closes__gt=F("window_opens")))
                ),
                violation_error_message="A window has both ends, the second one later.",
            ),
        ]

    def __str__(self) -> str:
        limits = (self.max_count, "bookings"), (self.max_minutes, "minutes")
        text = " and ".join(f"{limit} {unit}" for limit, unit in limits if limit is not None)
        return f"{text} a {self.period}"


class PolicyPerson(models.Model):
    """A person who is listed to book, or who is a manager of the rooms of the scope.

    The lists of campus, building and room add up.
    """

    class Role(models.TextChoices):
        """The list that the person is on."""

        BOOKER = "booker", "May book"
        MANAGER = "manager", "Runs the rooms"

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="people")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=Role)

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "policy people"
        constraints = [
            models.UniqueConstraint(fields=["policy", "user", "role"], name="rooms_person_once"),
            models.CheckConstraint(
                name="rooms_person_role", condition=Q(role__in=["booker", "manager"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.role}"

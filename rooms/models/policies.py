"""What may be booked when, by whom and how: one policy per scope. Fields and constraints only."""

from enum import StrEnum

from django.db import models
from django.db.models import F, Q

from rooms.domain.effective_policy import (
    BOUNDS,
    CHOICES,
    AdvanceMode,
    Approval,
    BeyondHorizon,
    BookableBy,
    CapacityRule,
    MeasuredTo,
    Presence,
)
from rooms.models.places import Building, Room


def _choices(of: type[StrEnum]) -> list[tuple[str, str]]:
    return [(kind.value, kind.value.replace("_", " ")) for kind in of]


def _within_bounds(rule: str) -> models.CheckConstraint:
    smallest, largest = BOUNDS[rule]
    return models.CheckConstraint(
        name=f"rooms_policy_{rule}",
        condition=Q(**{rule: None}) | Q(**{f"{rule}__gte": smallest, f"{rule}__lte": largest}),
        violation_error_message=f"{rule}: {smallest} to {largest}, or empty to inherit.",
    )


def _one_of(rule: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        name=f"rooms_policy_{rule}",
        condition=Q(**{rule: None}) | Q(**{f"{rule}__in": [kind.value for kind in CHOICES[rule]]}),
    )


class Policy(models.Model):
    """The rules that one scope sets: a room, a building, or, with neither, the campus.

    A rule that is null is inherited: the room's from the building's, that from the campus's, and
    what nobody says from the defaults of `rooms.domain.effective_policy.Rulebook`.
    """

    building = models.OneToOneField(
        Building, on_delete=models.CASCADE, null=True, blank=True, related_name="policy"
    )
    room = models.OneToOneField(
        Room, on_delete=models.CASCADE, null=True, blank=True, related_name="policy"
    )
    min_minutes = models.PositiveIntegerField(null=True, blank=True)
    max_minutes = models.PositiveIntegerField(null=True, blank=True)
    step_minutes = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of lengths, and of starts from the opening time on."
    )
    notice_minutes = models.PositiveIntegerField(null=True, blank=True)
    advance_days = models.PositiveIntegerField(null=True, blank=True)
    advance_mode = models.CharField(
        max_length=20, null=True, blank=True, choices=_choices(AdvanceMode)
    )
    advance_measured_to = models.CharField(
        max_length=20, null=True, blank=True, choices=_choices(MeasuredTo)
    )
    late_start_minutes = models.PositiveIntegerField(null=True, blank=True)
    gap_minutes = models.PositiveIntegerField(null=True, blank=True)
    gap_may_leave_hours = models.BooleanField(null=True, blank=True)
    one_booking_a_day = models.BooleanField(null=True, blank=True)
    capacity_rule = models.CharField(
        max_length=20, null=True, blank=True, choices=_choices(CapacityRule)
    )
    bookable_by = models.CharField(
        max_length=20, null=True, blank=True, choices=_choices(BookableBy)
    )
    approval = models.CharField(max_length=20, null=True, blank=True, choices=_choices(Approval))
    pending_blocks = models.BooleanField(null=True, blank=True)
    check_in_required = models.BooleanField(null=True, blank=True)
    check_in_opens_minutes = models.PositiveIntegerField(null=True, blank=True)
    check_in_grace_minutes = models.PositiveIntegerField(null=True, blank=True)
    check_in_exempt_minutes = models.PositiveIntegerField(
        null=True, blank=True, help_text="Bookings this long need no check-in. 0: none is exempt."
    )
    presence = models.CharField(max_length=20, null=True, blank=True, choices=_choices(Presence))
    absence_minutes = models.PositiveIntegerField(
        null=True, blank=True, help_text="0: an empty room is never released."
    )
    no_show_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="0: a series never loses the room."
    )
    no_show_notice_days = models.PositiveIntegerField(null=True, blank=True)
    series_limit = models.PositiveIntegerField(null=True, blank=True)
    beyond_horizon = models.CharField(
        max_length=20, null=True, blank=True, choices=_choices(BeyondHorizon)
    )

    class Meta:
        verbose_name_plural = "policies"
        ordering = ["building__name", "room__name", "pk"]
        constraints = [
            models.CheckConstraint(
                name="rooms_policy_one_scope",
                condition=Q(building=None) | Q(room=None),
                violation_error_message="Choose a building or a room, or neither for the campus.",
            ),
            models.UniqueConstraint(
                "building",
                "room",
                name="rooms_policy_campus_once",
                nulls_distinct=False,
                violation_error_message="This scope has a policy already.",
            ),
            models.CheckConstraint(
                name="rooms_policy_min_below_max",
                condition=Q(min_minutes=None)
                | Q(max_minutes=None)
                | Q(min_minutes__lte=F("max_minutes")),
                violation_error_message="The shortest booking is longer than the longest.",
            ),
            *(_within_bounds(rule) for rule in BOUNDS),
            *(_one_of(rule) for rule in CHOICES),
        ]

    def __str__(self) -> str:
        return str(self.room or self.building or "Campus")


class PolicyChange(models.Model):
    """Who changed a policy when, and from what to what. Rows are only ever added.

    Shapes: `scope` is `campus`, `buildings/<slug>` or `rooms/<uuid>`; `before` and `after` hold the
    members that differ, as the API shows them.
    """

    at = models.DateTimeField()
    actor_name = models.CharField(max_length=100)
    actor_user_id = models.UUIDField(null=True)
    scope = models.CharField(max_length=60, db_index=True)
    before = models.JSONField()
    after = models.JSONField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.scope}: {', '.join(self.after)}"


class RulesVersion(models.Model):
    """One row: a number that changes, by triggers, with every change of any rule of any room.

    What is read under a version holds for as long as the version does; that is how booking
    commands keep rules in memory and never decide by old ones.
    """

    version = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.version)

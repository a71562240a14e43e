"""Booking policies: one row for each scope that sets rules. Fields and constraints only."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from rooms.domain.policy_rule import SingleRule
from rooms.domain.policy_rules import SINGLE_RULES
from rooms.models.places import Building, Room


def _column(rule: SingleRule) -> models.Field[Any, Any]:
    """Return the column of a rule. Null: the scope inherits the rule."""
    if rule.bounds is not None:
        return models.PositiveIntegerField(null=True, blank=True, help_text=rule.help_text)
    if rule.choices is None:
        return models.BooleanField(null=True, blank=True, help_text=rule.help_text)
    choices = [(kind.value, kind.value.replace("_", " ")) for kind in rule.choices]
    return models.CharField(
        max_length=20, null=True, blank=True, choices=choices, help_text=rule.help_text
    )


def _constraint(rule: SingleRule) -> models.CheckConstraint | None:
    """Return the constraint that keeps a number in its bounds or a text among the choices."""
    name, is_inherited = f"rooms_policy_{rule.name}", Q(**{rule.name: None})
    if rule.bounds is not None:
        low, high = rule.bounds
        return models.CheckConstraint(
            name=name,
            condition=is_inherited | Q(**{f"{rule.name}__gte": low, f"{rule.name}__lte": high}),
            violation_error_message=f"{rule.name}: {low} to {high}, or empty to inherit.",
        )
    if rule.choices is None:
        return None
    values = [kind.value for kind in rule.choices]
    return models.CheckConstraint(
        name=name, condition=is_inherited | Q(**{f"{rule.name}__in": values})
    )


class Policy(models.Model):
    """The rules that one scope sets: a room, a building, or, with neither, the campus.

    A rule that is null is inherited: by a room from its building, by a building from the campus,
    by the campus from the defaults of `EffectivePolicy`. The columns and constraints of the rules
    come from the table in `rooms.domain.policy_rules`.
    """

    building = models.OneToOneField(
        Building, on_delete=models.CASCADE, null=True, blank=True, related_name="policy"
    )
    room = models.OneToOneField(
        Room, on_delete=models.CASCADE, null=True, blank=True, related_name="policy"
    )
    locals().update({name: _column(rule) for name, rule in SINGLE_RULES.items()})

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
            *filter(None, map(_constraint, SINGLE_RULES.values())),
        ]

    def __str__(self) -> str:
        return str(self.room or self.building or "Campus")


class PolicyChange(models.Model):
    """An entry of the append-only log of policy changes: actor, instant and changed members.

    Shapes: `scope` is `campus`, `buildings/<slug>` or `rooms/<uuid>`; `before` and `after` hold the
    members that differ, in the form of `PolicyDocument`.
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
    """One row with a version number. Database triggers change it when any rule of any room changes.

    Rules that were read under a version are valid while the row has that version. Booking commands
    use this version to recognise outdated rules in their cache.
    """

    version = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.version)

"""Policies in the Django admin. Changes use the command of the API."""

from collections.abc import Collection, Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from identity.admin.commands import CommandAdmin
from meeting_rooms.kernel.actor import Actor
from rooms.admin.policy_rows import Member, changes_of, exception_of, exceptions_with, rows_of
from rooms.models import (
    ExceptionPeriod,
    OpeningException,
    OpeningHours,
    Policy,
    PolicyChange,
    PolicyPerson,
    Quota,
)
from rooms.policies.clear_policy import clear_policy
from rooms.policies.set_policy import set_policy
from rooms.policies.store import document_of, scope_of_policy

EVERY_ZONE = "local time of each building"


def _zone_in_words(policy: Policy | None) -> str:
    """Return the time zone of a policy in words."""
    if policy is not None and policy.room is not None:
        return f"local time, {policy.room.floor.building.timezone}"
    if policy is not None and policy.building is not None:
        return f"local time, {policy.building.timezone}"
    return EVERY_ZONE


class OpeningHoursInline(admin.TabularInline[OpeningHours, Policy]):
    """Opening hours, edited with their policy."""

    model = OpeningHours
    extra = 0


class OpeningExceptionInline(admin.TabularInline[OpeningException, Policy]):
    """Exceptions, edited with their policy. Their periods are edited on a separate page."""

    model = OpeningException
    extra = 0
    show_change_link = True


class QuotaInline(admin.TabularInline[Quota, Policy]):
    """Quotas, edited with their policy."""

    model = Quota
    extra = 0


class PolicyPersonInline(admin.TabularInline[PolicyPerson, Policy]):
    """People listed to book, and managers of the rooms."""

    model = PolicyPerson
    extra = 0
    autocomplete_fields = ("user",)


class ExceptionPeriodInline(admin.TabularInline[ExceptionPeriod, OpeningException]):
    """Opening periods on the dates of an exception."""

    model = ExceptionPeriod
    extra = 0


class ZonedAdmin(CommandAdmin):
    """The admin of policies or parts of policies, with the time zone in the titles of lists."""

    offers = frozenset({"add", "change", "delete"})
    scope_fields: tuple[str, ...] = ()

    def get_inline_instances(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Write the time zone in the title of each list with times."""
        inlines = super().get_inline_instances(request, obj)
        for inline in inlines:
            if inline.model in (OpeningHours, ExceptionPeriod, Quota):
                name = inline.model._meta.verbose_name_plural
                zone = _zone_in_words(obj and _policy_of(obj))
                inline.verbose_name_plural = f"{name} (times: {zone})"
        return inlines

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002 - Django asks
        """Make the scope of a stored policy read-only."""
        return () if obj is None else self.scope_fields


def _policy_of(obj: Policy | OpeningException) -> Policy:
    return obj.policy if isinstance(obj, OpeningException) else obj


@admin.register(Policy)
class PolicyAdmin(ZonedAdmin):
    """Policies of campus, buildings and rooms. Empty fields are inherited."""

    list_display = ("__str__", "building", "room")
    list_select_related = ("building", "room")
    search_fields = ("building__name", "room__name")
    raw_id_fields = ("room",)
    scope_fields = ("building", "room")
    inlines = (OpeningHoursInline, OpeningExceptionInline, QuotaInline, PolicyPersonInline)

    def store(self, actor: Actor, form: Any, formsets: list[Any]) -> None:
        """Set the members that differ."""
        obj: Policy = form.instance
        scope = scope_of_policy(obj)
        set_policy(actor=actor, scope=scope, changes=changes_of(form, formsets))
        obj.pk = Policy.objects.get(**scope.columns).pk

    def remove(self, actor: Actor, objects: Sequence[Any]) -> None:
        """Clear the policies, so that their scopes inherit all rules."""
        for policy in objects:
            clear_policy(actor=actor, scope=scope_of_policy(policy))


@admin.register(OpeningException)
class OpeningExceptionAdmin(ZonedAdmin):
    """Exceptions and their opening periods."""

    list_display = ("first_date", "last_date", "reason", "is_holiday", "policy")
    list_filter = ("is_holiday",)
    list_select_related = ("policy__building", "policy__room")
    search_fields = ("reason",)
    scope_fields = ("policy",)
    date_hierarchy = "first_date"
    inlines = (ExceptionPeriodInline,)

    def store(self, actor: Actor, form: Any, formsets: list[Any]) -> None:
        """Set the exceptions of the policy, including this exception."""
        obj: OpeningException = form.instance
        [periods] = formsets
        wanted = exception_of(obj, rows_of(periods))
        _set_exceptions(actor, obj.policy, [wanted], besides=[obj.pk] if obj.pk else [])
        same = {name: wanted[name] for name in ("first_date", "last_date", "reason", "is_holiday")}
        obj.pk = OpeningException.objects.filter(policy=obj.policy, **same).latest("pk").pk

    def remove(self, actor: Actor, objects: Sequence[Any]) -> None:
        """Remove the exceptions from their policies."""
        for policy in {exception.policy for exception in objects}:
            _set_exceptions(actor, policy, [], besides=[one.pk for one in objects])


def _set_exceptions(
    actor: Actor, policy: Policy, wanted: list[Member], *, besides: Collection[int]
) -> None:
    """Set the exceptions, unless another command has changed the policy since they were read."""
    scope = scope_of_policy(policy)
    read = document_of(scope).fingerprint()
    changes = exceptions_with(policy, wanted, besides=besides)
    set_policy(actor=actor, scope=scope, changes=changes, expected=read)


@admin.register(PolicyChange)
class PolicyChangeAdmin(CommandAdmin):
    """The log of policy changes, read-only."""

    where_else = "Each change of a policy adds a row to this log. Rows cannot be changed."
    list_display = ("at", "actor_name", "scope", "after")
    search_fields = ("scope", "actor_name")
    date_hierarchy = "at"

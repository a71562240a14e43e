"""Policies in Django's admin. What is changed here is logged as what is changed by the API."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from identity.api_auth import actor_from
from rooms.domain.policy_document import PolicyDocument
from rooms.models import (
    ExceptionPeriod,
    OpeningException,
    OpeningHours,
    Policy,
    PolicyChange,
    PolicyPerson,
    Quota,
)
from rooms.policies.set_policy import record_policy_change
from rooms.policies.store import document_of, scope_of_policy


class OpeningHoursInline(admin.TabularInline[OpeningHours, Policy]):
    """Opening hours, edited with their policy."""

    model = OpeningHours
    extra = 0


class OpeningExceptionInline(admin.TabularInline[OpeningException, Policy]):
    """Exceptions; their periods have a page of their own."""

    model = OpeningException
    extra = 0
    show_change_link = True


class QuotaInline(admin.TabularInline[Quota, Policy]):
    """Quotas, edited with their policy."""

    model = Quota
    extra = 0


class PolicyPersonInline(admin.TabularInline[PolicyPerson, Policy]):
    """Who may book, and who runs the rooms."""

    model = PolicyPerson
    extra = 0
    autocomplete_fields = ("user",)


class ExceptionPeriodInline(admin.TabularInline[ExceptionPeriod, OpeningException]):
    """When rooms are open on the dates of an exception."""

    model = ExceptionPeriod
    extra = 0


class LoggedAdmin(admin.ModelAdmin[Any]):
    """An admin of policies, or of parts of them, that logs each change and marks the screens."""

    scope_fields: tuple[str, ...] = ()

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        """Read what the policy says before any row of it is saved."""
        form.said_before = document_of(scope_of_policy(_policy_of(obj)))
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the inline rows too, then log what differs."""
        super().save_related(request, form, formsets, change)
        _log(request, _policy_of(form.instance), form.said_before)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        """Log what the scope no longer says."""
        policy = _policy_of(obj)
        before = document_of(scope_of_policy(policy))
        super().delete_model(request, obj)
        _log(request, policy, before)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """Do the same for the bulk action, one by one."""
        for obj in queryset:
            self.delete_model(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002 - Django asks
        """Keep what is stored in its scope; another scope has a policy of its own."""
        return () if obj is None else self.scope_fields


def _log(request: HttpRequest, policy: Policy, before: PolicyDocument) -> None:
    scope = scope_of_policy(policy)
    record_policy_change(actor_from(request), policy, scope, before, document_of(scope))


def _policy_of(obj: models.Model) -> Policy:
    if isinstance(obj, OpeningException):
        return obj.policy
    if isinstance(obj, Policy):
        return obj
    message = f"{obj!r} is no part of a policy"
    raise TypeError(message)


@admin.register(Policy)
class PolicyAdmin(LoggedAdmin):
    """What the campus, a building or a room says. Empty fields are inherited."""

    list_display = ("__str__", "building", "room")
    list_select_related = ("building", "room")
    search_fields = ("building__name", "room__name")
    raw_id_fields = ("room",)
    scope_fields = ("building", "room")
    inlines = (OpeningHoursInline, OpeningExceptionInline, QuotaInline, PolicyPersonInline)


@admin.register(OpeningException)
class OpeningExceptionAdmin(LoggedAdmin):
    """Dates with other hours than usual, and those hours."""

    list_display = ("first_date", "last_date", "reason", "is_holiday", "policy")
    list_filter = ("is_holiday",)
    list_select_related = ("policy__building", "policy__room")
    search_fields = ("reason",)
    scope_fields = ("policy",)
    date_hierarchy = "first_date"
    inlines = (ExceptionPeriodInline,)


@admin.register(PolicyChange)
class PolicyChangeAdmin(admin.ModelAdmin[PolicyChange]):
    """Who changed which policy when. Only to be read."""

    list_display = ("at", "actor_name", "scope", "after")
    search_fields = ("scope", "actor_name")
    date_hierarchy = "at"

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django asks
        """Say no: commands add rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django asks
        """Say no: rows stay."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django asks
        """Say no: rows stay."""
        return False

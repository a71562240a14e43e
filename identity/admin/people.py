"""Django admin of people, tokens and devices."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from identity.admin.commands import CommandAdmin
from identity.api_auth import actor_from
from identity.commands.revoke_api_token import revoke_api_token
from identity.commands.revoke_device import revoke_device
from identity.commands.save_person import save_person
from identity.models import ApiToken, Device, User
from meeting_rooms.kernel.actor import Actor

admin.site.unregister(Group)  # roles give the permissions; a group would have no effect


@admin.register(User)
class PersonAdmin(CommandAdmin, UserAdmin[User]):
    """People, their roles and their sign-in."""

    offers = frozenset({"add", "change"})
    where_else = "People are not deleted: make a person inactive to end all access."
    list_display = ("display_name", "email", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("display_name", "email")
    ordering = ("display_name", "pk")
    filter_horizontal = ()
    readonly_fields = ("last_login", "created_at")
    fieldsets = (
        (None, {"fields": ("email", "display_name", "role", "is_active", "password")}),
        ("Dates", {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "display_name", "role", "password1", "password2")}),
    )

    def store(self, actor: Actor, form: Any, formsets: list[Any]) -> None:  # noqa: ARG002 - no inlines
        """Store the person."""
        save_person(actor=actor, person=form.instance)


@admin.register(ApiToken)
class ApiTokenAdmin(CommandAdmin):
    """API tokens, to read and to revoke. People make their own tokens and see each secret once."""

    where_else = (
        "People make tokens at /account/tokens or with POST /api/v1/tokens. Revoke tokens with the "
        "action of the list; revoked tokens stay listed."
    )
    list_display = (
        "name",
        "user",
        "prefix",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    fields = list_display
    list_select_related = ("user",)
    actions = ("revoke",)

    @admin.action(description="Revoke the selected tokens")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """Revoke the chosen tokens at once; tokens that are revoked already stay unchanged."""
        active = list(queryset.filter(revoked_at=None))
        for token in active:
            revoke_api_token(user=token.user, token_id=token.pk)
        self.message_user(request, f"{len(active)} tokens were revoked.", messages.SUCCESS)


@admin.register(Device)
class DeviceAdmin(CommandAdmin):
    """Devices, to read and to revoke. The API makes a new device and shows its token."""

    where_else = (
        "Devices are made with POST /api/v1/devices, which shows the token once. For other rooms "
        "or another name, make a new device and revoke the old one with the action of the list."
    )
    list_display = ("name", "prefix", "created_at", "last_used_at", "revoked_at")
    fields = ("name", "rooms", "prefix", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    @admin.action(description="Revoke the selected devices")
    def revoke(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        """Revoke the chosen devices at once; devices that are revoked already stay unchanged."""
        active = list(queryset.filter(revoked_at=None))
        for device in active:
            revoke_device(actor=actor_from(request), device_id=device.pk)
        self.message_user(request, f"{len(active)} devices were revoked.", messages.SUCCESS)

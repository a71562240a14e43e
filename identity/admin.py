"""Django admin for people, tokens and devices."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from identity.models import ApiToken, Device, User


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    """People: who they are and what they may do."""

    list_display = ("display_name", "email", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("display_name", "email")
    ordering = ("display_name",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "created_at")
    fieldsets = (
        (None, {"fields": ("email", "display_name", "role", "is_active", "password")}),
        ("Dates", {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "display_name", "role", "password1", "password2")}),
    )


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin[ApiToken]):
    """Tokens, to see and to revoke; a new one is made by its owner, who alone sees it."""

    list_display = (
        "name",
        "user",
        "prefix",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    readonly_fields = ("user", "name", "prefix", "created_at", "expires_at", "last_used_at")
    fields = (*readonly_fields, "revoked_at")

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Refuse: the secret would pass through a second pair of hands."""
        return False


@admin.register(Device)
class DeviceAdmin(admin.ModelAdmin[Device]):
    """Devices, to see and to revoke; a new one is made through the API, which shows its token."""

    list_display = ("name", "prefix", "created_at", "last_used_at", "revoked_at")
    readonly_fields = ("prefix", "created_at", "last_used_at")
    fields = ("name", "rooms", *readonly_fields, "revoked_at")

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Refuse: there would be no token."""
        return False

"""Django admin for bookings: to read. Changes go through the commands, which guard and audit."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from booking.models import AuditEntry, Booking


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """An admin that shows and never writes."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Refuse."""
        return False


@admin.register(Booking)
class BookingAdmin(ReadOnlyAdmin):
    """Bookings in every state."""

    list_display = ("title", "room", "during", "organizer_name", "state")
    list_filter = ("state", "room__floor__building")
    search_fields = ("title", "organizer_name", "external_uid")
    list_select_related = ("room",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The log of facts."""

    list_display = ("at", "actor_name", "command", "booking_id", "reason")
    list_filter = ("command", "actor_kind")
    search_fields = ("booking_id", "actor_name")

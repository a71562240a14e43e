"""Read-only Django admin of bookings and of their audit log."""

from django.contrib import admin

from booking.models import AuditEntry, Booking
from identity.admin.commands import CommandAdmin
from meeting_rooms.kernel.local_time import in_words
from rooms.queries import zone_of

BY_COMMANDS = (
    "Bookings are made, changed and cancelled on the booking pages and with the REST API. Each "
    "change adds a row to the audit log."
)


@admin.register(Booking)
class BookingAdmin(CommandAdmin):
    """Bookings in every state, with times in the zone of their room."""

    where_else = BY_COMMANDS
    list_display = ("title", "room", "starts", "ends", "organizer_name", "state")
    list_filter = ("state", "room__floor__building")
    search_fields = ("title", "organizer_name", "external_uid")
    list_select_related = ("room__floor__building",)
    ordering = ("-during", "pk")
    exclude = ("during", "local_start", "local_end", "lapses_at")
    readonly_fields = ("starts", "ends", "as_entered", "lapses")

    @admin.display(ordering="during")
    def starts(self, booking: Booking) -> str:
        """Show the start with its zone."""
        return in_words(booking.during.lower, zone_of(booking.room))

    @admin.display
    def ends(self, booking: Booking) -> str:
        """Show the end with its zone."""
        return in_words(booking.during.upper, zone_of(booking.room))

    @admin.display(description="Local time as entered")
    def as_entered(self, booking: Booking) -> str:
        """Show the local times as they were entered."""
        zone = zone_of(booking.room).key
        return f"{booking.local_start} {zone} to {booking.local_end} {zone}"

    @admin.display(empty_value="-")
    def lapses(self, booking: Booking) -> str | None:
        """Show when the booking lapses unless a person checks in, confirms or approves it."""
        at = booking.lapses_at
        return None if at is None else in_words(at, zone_of(booking.room))


@admin.register(AuditEntry)
class AuditEntryAdmin(CommandAdmin):
    """The audit log: one row for each change of a booking."""

    where_else = "Commands add rows to the log, and nothing changes or removes a row."
    list_display = ("at", "actor_name", "command", "booking_id", "reason")
    list_filter = ("command", "actor_kind")
    search_fields = ("booking_id", "actor_name")
    ordering = ("-pk",)

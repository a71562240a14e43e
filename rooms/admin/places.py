"""Places in Django's admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from rooms.admin.live import LiveAdmin
from rooms.models import Building, Closure, Feature, Floor, Room


class FloorInline(admin.TabularInline[Floor, Building]):
    """Floors, edited with their building."""

    model = Floor
    extra = 0
    show_change_link = True


@admin.register(Building)
class BuildingAdmin(LiveAdmin):
    """Buildings and their floors."""

    list_display = ("name", "slug", "timezone", "address", "is_board_public", "shows_titles")
    search_fields = ("name", "slug", "address")
    inlines = (FloorInline,)


@admin.register(Floor)
class FloorAdmin(LiveAdmin):
    """Floors and the way to them."""

    list_display = ("name", "building", "level", "direction", "hint")
    list_filter = ("building",)
    search_fields = ("name", "slug", "building__name")


@admin.register(Room)
class RoomAdmin(LiveAdmin):
    """Rooms."""

    list_display = ("name", "floor", "capacity", "is_active")
    list_filter = ("floor__building", "is_active", "features")
    search_fields = ("name", "slug", "floor__building__name")
    list_select_related = ("floor__building",)
    filter_horizontal = ("features",)
    readonly_fields = ("uuid", "schedule_version")

    def save_model(self, request: HttpRequest, obj: Room, form: Any, change: bool) -> None:
        """Save all but the version and its instant: bookings have moved them since."""
        if not change:
            return super().save_model(request, obj, form, change)
        kept = {"id", "schedule_version", "schedule_changed_at"}
        fields = [field.name for field in Room._meta.concrete_fields if field.name not in kept]
        return obj.save(update_fields=fields)


@admin.register(Closure)
class ClosureAdmin(LiveAdmin):
    """Stretches out of service."""

    list_display = ("room", "starts_at", "ends_at", "reason")
    list_filter = ("room__floor__building",)


@admin.register(Feature)
class FeatureAdmin(LiveAdmin):
    """What rooms may have."""

    list_display = ("name", "slug")
    search_fields = ("name",)

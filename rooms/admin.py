"""Django admin for places. Every change made here reaches the screens."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from rooms.models import Building, Closure, Feature, Floor, OpeningHours, Room
from rooms.services.mark_rooms_changed import mark_rooms_changed


def _rooms_of(place: models.Model) -> list[int]:
    """Return the ids of the rooms whose screens show this place."""
    match place:
        case Room():
            return [place.pk]
        case Floor():
            rooms = Room.objects.filter(floor=place)
        case Building():
            rooms = Room.objects.filter(floor__building=place)
        case Feature():
            rooms = Room.objects.filter(features=place)
        case Closure():
            return [place.room_id]
        case _:
            message = f"{place!r} is no place"
            raise TypeError(message)
    return list(rooms.values_list("pk", flat=True))


class LiveAdmin(admin.ModelAdmin[Any]):
    """An admin whose saves and deletions mark the rooms they touch, in the admin's transaction."""

    def save_related(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        change: bool,
    ) -> None:
        """Save the inline rows too, and only then mark the rooms."""
        super().save_related(request, form, formsets, change)
        touched = set(_rooms_of(form.instance))
        if isinstance(form.instance, Closure) and (left := form.initial.get("room")):
            touched.add(left)  # a closure that moved opens the room it was in
        mark_rooms_changed(touched)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        """Mark the rooms before the relation to them is gone."""
        mark_rooms_changed(_rooms_of(obj))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """Do the same for the bulk action."""
        mark_rooms_changed([room for place in queryset for room in _rooms_of(place)])
        super().delete_queryset(request, queryset)


class FloorInline(admin.TabularInline[Floor, Building]):
    """Floors, edited with their building."""

    model = Floor
    extra = 0
    show_change_link = True


class OpeningHoursInline(admin.TabularInline[OpeningHours, Room]):
    """Opening hours, edited with their room."""

    model = OpeningHours
    extra = 0


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
    inlines = (OpeningHoursInline,)

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

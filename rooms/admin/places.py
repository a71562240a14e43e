"""Places in the Django admin, as far as they do not involve bookings.

Buildings, rooms and closures are registered in `booking.admin`, because their changes affect
bookings.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from identity.admin.commands import CommandAdmin
from meeting_rooms.kernel.actor import Actor
from rooms.models import Building, Feature, Floor, Room
from rooms.places.remove_place import remove_place
from rooms.places.save_place import save_place


class PlaceAdmin(CommandAdmin):
    """The admin of one kind of place."""

    offers = frozenset({"add", "change", "delete"})

    def store(self, actor: Actor, form: Any, formsets: list[Any]) -> None:
        """Store the place, with the floors of a building."""
        place = form.instance
        with transaction.atomic():
            save_place(actor=actor, place=place, features=form.cleaned_data.get("features"))
            for formset in formsets:
                for floor in formset.deleted_objects:
                    remove_place(actor=actor, place=floor)
                changed = [floor for floor, _ in formset.changed_objects]
                for floor in (*changed, *formset.new_objects):
                    floor.building = place  # a new building has its key only now
                    save_place(actor=actor, place=floor)

    def remove(self, actor: Actor, objects: Sequence[Any]) -> None:
        """Delete the places in one transaction."""
        with transaction.atomic():
            for place in objects:
                remove_place(actor=actor, place=place)


class FloorInline(admin.TabularInline[Floor, Building]):
    """Floors, edited with their building."""

    model = Floor
    extra = 0
    show_change_link = True


class BuildingAdmin(PlaceAdmin):
    """Buildings and their floors."""

    list_display = ("name", "slug", "timezone", "address", "is_board_public", "shows_titles")
    search_fields = ("name", "slug", "address")
    inlines = (FloorInline,)


@admin.register(Floor)
class FloorAdmin(PlaceAdmin):
    """Floors and the directions to them."""

    list_display = ("name", "building", "level", "direction", "hint")
    list_filter = ("building",)
    list_select_related = ("building",)
    search_fields = ("name", "slug", "building__name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002 - Django asks
        """Make the building of a stored floor read-only."""
        return () if obj is None else ("building",)


class RoomAdmin(PlaceAdmin):
    """Rooms."""

    list_display = ("name", "floor", "capacity", "is_active")
    list_filter = ("floor__building", "is_active", "features")
    search_fields = ("name", "slug", "floor__building__name")
    list_select_related = ("floor__building",)
    filter_horizontal = ("features",)
    readonly_fields = ("uuid", "schedule_version")

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        """Offer a stored room only the floors of its building."""
        form = super().get_form(request, obj, change=change, **kw)
        if obj is not None and "floor" in form.base_fields:
            form.base_fields["floor"].queryset = _floors_beside(obj)
        return form


def _floors_beside(room: Room) -> QuerySet[Floor]:
    floors = Floor.objects.select_related("building")
    return floors.filter(building=room.floor.building_id)


@admin.register(Feature)
class FeatureAdmin(PlaceAdmin):
    """Features of rooms."""

    list_display = ("name", "slug")
    search_fields = ("name",)

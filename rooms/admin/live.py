"""The admin whose changes reach the screens."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from rooms.models import Building, Closure, Feature, Floor, Room
from rooms.places.mark_rooms_changed import mark_rooms_changed


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

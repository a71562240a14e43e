"""Buildings and rooms in Django's admin, with what changes bookings: zones, and retiring rooms."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html

from booking.commands.correct_timezone import Keep, ZoneReport, correct_timezone
from booking.commands.retire_room import reinstate_room, retire_room
from booking.domain.booking_data import BookingData
from identity.api_auth import actor_from
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import MeetingRoomsError
from meeting_rooms.kernel.local_time import in_words
from rooms.admin.places import BuildingAdmin, RoomAdmin
from rooms.models import Building, Room, validate_timezone

MAX_SHOWN = 50  # bookings in the report on the page


class ZoneForm(forms.Form):
    """The zone that is right, and what its bookings keep."""

    timezone = forms.CharField(
        max_length=64, validators=[validate_timezone], help_text="For example Europe/Helsinki."
    )
    keep = forms.ChoiceField(
        label="What bookings to come keep",
        widget=forms.RadioSelect,
        choices=[
            (Keep.LOCAL.value, "The time on the wall: 10:00 stays 10:00, at another instant"),
            (Keep.INSTANT.value, "The instant: the clock on the wall shows another time"),
        ],
    )


@admin.register(Building)
class BuildingWithZoneAdmin(BuildingAdmin):
    """Buildings. The time zone of a known one is corrected together with its bookings."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002 - Django asks
        """Show the zone of a known building with the way to correct it."""
        return () if obj is None else ("zone",)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002 - Django asks
        """Take the zone from the form of a known building."""
        return () if obj is None else ("timezone",)

    @admin.display(description="Time zone")
    def zone(self, building: Building) -> str:
        """Show the zone and where it is corrected."""
        link = reverse("admin:rooms_building_zone", args=[building.pk])
        return format_html('{} (<a href="{}">correct the time zone</a>)', building.timezone, link)

    def get_urls(self) -> list[Any]:
        """Add the page that corrects a zone."""
        view = self.admin_site.admin_view(self.zone_view)
        return [path("<int:pk>/zone/", view, name="rooms_building_zone"), *super().get_urls()]

    def zone_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the zone, show what becomes of the bookings, and correct it once confirmed."""
        building = Building.objects.filter(pk=pk).first()
        if building is None:
            raise Http404("There is no such building.")
        if not self.has_change_permission(request, building):
            raise PermissionDenied
        form = ZoneForm(request.POST or None, initial={"timezone": building.timezone})
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "building": building,
            "form": form,
            "title": f"Correct the time zone of {building}",
        }
        if form.is_valid():
            zone, keep = form.cleaned_data["timezone"], form.cleaned_data["keep"]
            answer = f"{keep} {zone}"  # what was reported on; another choice is reported first
            is_confirmed = request.POST.get("confirmed") == answer
            try:
                report = correct_timezone(
                    actor=actor_from(request),
                    building=building.slug,
                    timezone=zone,
                    keep=Keep(keep),
                    is_dry_run=not is_confirmed,
                )
            except MeetingRoomsError as refused:
                form.add_error(None, refused.detail)
            else:
                if is_confirmed:
                    self.log_change(request, building, f"Corrected the time zone to {zone}.")
                    message = (
                        f"{building} is in {zone}; {len(report.changed)} bookings were changed."
                    )
                    self.message_user(request, message, messages.SUCCESS)
                    return HttpResponseRedirect(
                        reverse("admin:rooms_building_change", args=[building.pk])
                    )
                context["answer"] = answer
                context |= _in_words(report, ZoneInfo(building.timezone), ZoneInfo(zone))
        return TemplateResponse(request, "admin/booking/zone.html", context)


def _in_words(report: ZoneReport, old: ZoneInfo, new: ZoneInfo) -> dict[str, Any]:
    return {
        "changed_count": len(report.changed),
        "changed": [
            (after.title, _stretch(before, old), _stretch(after, new))
            for before, after in report.changed[:MAX_SHOWN]
        ],
        "clashing_count": len(report.clashing),
        "clashing": [(b.title, _stretch(b, new)) for b in report.clashing[:MAX_SHOWN]],
    }


def _stretch(booking: BookingData, zone: ZoneInfo) -> str:
    return f"{in_words(booking.interval.start, zone)} to {in_words(booking.interval.end, zone)}"


@admin.register(Room)
class BookableRoomAdmin(RoomAdmin):
    """Rooms. Taking one out of use asks what became of its bookings."""

    where_else = (
        "To retire a room, take the mark off 'Is active'. A room that is still booked is closed "
        "first, under 'Closures', where you say what becomes of its bookings."
    )

    def store(self, actor: Actor, form: Any, formsets: list[Any]) -> None:
        """Retire the room or bring it back if that was asked for, then store the rest."""
        obj: Room = form.instance
        if not obj._state.adding and "is_active" in form.changed_data:
            command = reinstate_room if obj.is_active else retire_room
            command(actor=actor, room=obj.uuid)
        super().store(actor, form, formsets)

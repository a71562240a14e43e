"""Django admin of buildings and rooms: correct a time zone, retire or reinstate a room."""

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
    """The correct time zone, and the choice between local times and instants."""

    timezone = forms.CharField(
        max_length=64, validators=[validate_timezone], help_text="For example Europe/Helsinki."
    )
    keep = forms.ChoiceField(
        label="Future bookings keep",
        widget=forms.RadioSelect,
        choices=[
            (Keep.LOCAL.value, "Their local time: 10:00 stays 10:00, at another instant"),
            (Keep.INSTANT.value, "Their instant: the local time changes"),
        ],
    )


@admin.register(Building)
class BuildingWithZoneAdmin(BuildingAdmin):
    """Buildings. The time zone of a stored building is corrected together with its bookings."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002 - Django asks
        """Show the zone of a stored building with a link to its correction."""
        return () if obj is None else ("zone",)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002 - Django asks
        """Remove the zone from the form of a stored building."""
        return () if obj is None else ("timezone",)

    @admin.display(description="Time zone")
    def zone(self, building: Building) -> str:
        """Show the zone and a link to the page that corrects it."""
        link = reverse("admin:rooms_building_zone", args=[building.pk])
        return format_html('{} (<a href="{}">correct the time zone</a>)', building.timezone, link)

    def get_urls(self) -> list[Any]:
        """Add the page that corrects a zone."""
        view = self.admin_site.admin_view(self.zone_view)
        return [path("<int:pk>/zone/", view, name="rooms_building_zone"), *super().get_urls()]

    def zone_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the zone, list the affected bookings, and correct the zone after confirmation."""
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
            # The reported choice. A changed choice is reported again before it is applied.
            answer = f"{keep} {zone}"
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
                context |= _report_context(report, ZoneInfo(building.timezone), ZoneInfo(zone))
        return TemplateResponse(request, "admin/booking/zone.html", context)


def _report_context(report: ZoneReport, old: ZoneInfo, new: ZoneInfo) -> dict[str, Any]:
    return {
        "changed_count": len(report.changed),
        "changed": [
            (after.title, _format_interval(before, old), _format_interval(after, new))
            for before, after in report.changed[:MAX_SHOWN]
        ],
        "clashing_count": len(report.clashing),
        "clashing": [(b.title, _format_interval(b, new)) for b in report.clashing[:MAX_SHOWN]],
    }


def _format_interval(booking: BookingData, zone: ZoneInfo) -> str:
    return f"{in_words(booking.interval.start, zone)} to {in_words(booking.interval.end, zone)}"


@admin.register(Room)
class BookableRoomAdmin(RoomAdmin):
    """Rooms. A room whose bookings are not over cannot be retired."""

    where_else = (
        "To retire a room, clear 'Is active'. If the room still has bookings, close the room under "
        "'Closures' first, where you choose to keep or cancel the bookings."
    )

    def store(self, actor: Actor, form: Any, formsets: list[Any]) -> None:
        """Retire or reinstate the room if `is_active` changed, then store the other fields."""
        obj: Room = form.instance
        if not obj._state.adding and "is_active" in form.changed_data:
            command = reinstate_room if obj.is_active else retire_room
            command(actor=actor, room=obj.uuid)
        super().store(actor, form, formsets)

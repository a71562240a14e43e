"""Django admin of closures. Times are local in the room; `close_room` stores a closure.

A closure is added in two steps, because the room gives the time zone of its times.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect

from booking.commands.close_room import CloseRoom, Fate, close_room, reopen_room
from identity.admin.commands import CommandAdmin
from identity.api_auth import actor_from
from meeting_rooms.http.schema_types import read_wall_time
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import ConflictError, InvalidCommandError
from meeting_rooms.kernel.interval import Interval
from meeting_rooms.kernel.local_time import first_instant, in_words, last_instant
from rooms.models import Closure, Room
from rooms.queries import active_rooms, zone_of

AFFECTED_CHOICES = [
    ("", "Close the room only if no booking is in the way; otherwise list the bookings"),
    (Fate.KEEP.value, "Keep these bookings"),
    (Fate.CANCEL.value, "Cancel these bookings"),
]
MAX_SHOWN = 20  # bookings in one error on the page; REST lists 500


class RoomWithZone(forms.ModelChoiceField[Room]):
    """A choice of rooms, each with its building and time zone."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the label of a room in the list."""
        return f"{obj.floor.building}, {obj.name} ({zone_of(obj).key})"


class WallTimeField(forms.Field):
    """A local date and time, without an offset."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> datetime | None:
        """Return the naive local time. Raises ValidationError if the text cannot be read."""
        if value in self.empty_values:
            return None
        try:
            return read_wall_time(value)
        except ValueError as exc:
            raise forms.ValidationError(str(exc)) from exc
        except InvalidCommandError as exc:
            raise forms.ValidationError(exc.detail) from exc


class ClosureForm(forms.ModelForm[Closure]):
    """The second step: times, reason, and affected bookings. Times are local in the room."""

    room = RoomWithZone(queryset=Room.objects.none())
    starts = WallTimeField()
    ends = WallTimeField(required=False)
    others = forms.ChoiceField(
        choices=AFFECTED_CHOICES,
        required=False,
        widget=forms.RadioSelect,
        label="What to do with bookings in the way",
        help_text="The choice applies to all of these bookings. To choose for each booking, or to "
        "move a booking, use POST /api/v1/rooms/{room_id}/closures.",
    )

    class Meta:
        model = Closure
        fields = ("room", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = str(self["room"].value() or "")
        rooms = active_rooms().filter(pk=chosen if chosen.isdecimal() else 0)
        _offer(self, rooms)  # only the chosen room: the times are in its zone
        for room in rooms:
            zone = zone_of(room).key
            self.fields["starts"].label, self.fields["ends"].label = (
                f"Starts ({zone})", f"Ends ({zone})"
            )  # fmt: skip
            self.fields["starts"].help_text = f"Local time in {zone}."
            self.fields["ends"].help_text = f"Local time in {zone}. Empty: until further notice."

    def clean(self) -> dict[str, Any]:
        """Convert local times to instants; a repeated local time is closed both times."""
        cleaned = super().clean() or self.cleaned_data
        if (room := cleaned.get("room")) is not None:
            for name, read in (("starts", first_instant), ("ends", last_instant)):
                if (local := cleaned.get(name)) is not None:
                    cleaned[name] = read(local, zone_of(room))
        return cleaned


class RoomOnlyForm(forms.ModelForm[Closure]):
    """The first step: the room."""

    room = RoomWithZone(queryset=Room.objects.none())

    class Meta:
        model = Closure
        fields = ("room",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, active_rooms())


def _offer(form: forms.ModelForm[Closure], rooms: QuerySet[Room]) -> None:
    form.fields["room"].queryset = rooms  # type: ignore[attr-defined]  # of the field's class


@admin.register(Closure)
class ClosureAdmin(CommandAdmin):
    """Closures: intervals in which a room is out of service."""

    offers = frozenset({"add"})
    where_else = (
        "A closure cannot be changed. Reopen the room with the action of the list, then close the "
        "room again."
    )
    list_display = ("room", "building", "starts", "ends", "reason")
    list_filter = ("room__floor__building",)
    list_select_related = ("room__floor__building",)
    ordering = ("-starts_at", "-pk")
    actions = ("reopen",)

    @admin.display(ordering="room__floor__building__name")
    def building(self, closure: Closure) -> str:
        """Show the building of the room."""
        return closure.room.floor.building.name

    @admin.display(ordering="starts_at")
    def starts(self, closure: Closure) -> str:
        """Show the start with its zone."""
        return in_words(closure.starts_at, zone_of(closure.room))

    @admin.display(ordering="ends_at")
    def ends(self, closure: Closure) -> str:
        """Show the end with its zone."""
        end = closure.ends_at
        return "further notice" if end is None else in_words(end, zone_of(closure.room))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return the fields of this step; a stored closure shows its times with the zone."""
        if obj is not None:
            return ("room", "starts", "ends", "reason")
        return ("room",) if self._is_first_step(request) else (
            "room", "starts", "ends", "reason", "others"
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002 - Django asks
        """Return the times of a stored closure, which are shown with their zone."""
        return () if obj is None else ("starts", "ends")

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        """Return the form of this step."""
        if obj is None:
            kw["form"] = RoomOnlyForm if self._is_first_step(request) else ClosureForm
        return super().get_form(request, obj, change=change, **kw)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Redirect from the first step to the second, which has the zone of the chosen room."""
        room = request.POST.get("room", "")
        if request.method == "POST" and "starts" not in request.POST and room:
            return HttpResponseRedirect(f"{request.path}?room={room}")
        only_save = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, only_save | (extra_context or {}))

    def store(self, actor: Actor, form: Any, formsets: list[Any]) -> None:  # noqa: ARG002 - no inlines
        """Close the room by the command `close_room`.

        Raises ConflictError with the local times of bookings in the way.
        """
        obj, given = form.instance, form.cleaned_data
        zone = zone_of(obj.room)
        others = Fate(given["others"]) if given["others"] else None
        wanted = CloseRoom(
            obj.room.uuid, given["starts"], given["ends"], given["reason"], others=others
        )
        try:
            obj.pk, _ = close_room(actor=actor, wanted=wanted)
        except ConflictError as refused:
            raise _with_times(refused, zone) from refused
        obj.starts_at, obj.ends_at = given["starts"], given["ends"]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> Any:
        """Show a message with the times of the closure and their zone."""
        text = f"{obj.room} is closed from {self.starts(obj)} until {self.ends(obj)}."
        self.message_user(request, text, messages.INFO)
        return super().response_add(request, obj, post_url_continue)

    @admin.action(
        description="Reopen the rooms: end the selected closures now", permissions=["view"]
    )
    def reopen(self, request: HttpRequest, queryset: QuerySet[Closure]) -> None:
        """End the selected closures: a future closure is deleted, a past closure stays."""
        for closure in queryset.order_by("pk"):
            reopen_room(actor=actor_from(request), closure_id=closure.pk)
        self.message_user(request, "The selected closures were ended.", messages.SUCCESS)

    def _is_first_step(self, request: HttpRequest) -> bool:
        return "starts" not in request.POST and not request.GET.get("room")


def _with_times(refused: ConflictError, zone: ZoneInfo) -> ConflictError:
    """Return the error with the local times of the bookings in the way in its sentence."""
    bookings = refused.facts.get("bookings", [])
    times = [
        f"{in_words(one.start, zone)} to {in_words(one.end, zone)}"
        for one in (Interval.of(*_ends(b)) for b in bookings[:MAX_SHOWN])
    ]
    more = refused.facts.get("count", len(times)) - len(times)
    text = "; ".join([*times, *([f"and {more} more"] if more > 0 else [])])
    detail = f"{refused.detail} Bookings in the way: {text}." if times else refused.detail
    return ConflictError(detail, code=refused.code, facts=refused.facts)


def _ends(booking: dict[str, str]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(booking["starts_at"]), datetime.fromisoformat(booking["ends_at"])

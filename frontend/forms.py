"""The booking form. It validates the fields only; the commands decide about the booking."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet

from booking.domain.titles import MAX_TITLE_LENGTH
from meeting_rooms.kernel.errors import InvalidCommandError
from meeting_rooms.kernel.interval import Interval
from rooms.models import Room

LENGTHS_MIN = (15, 30, 45, 60, 90, 120)  # minutes


class RoomChoice(forms.ModelChoiceField[Room]):
    """A choice of rooms, each shown with its name, floor and seats."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the text of one room in the list."""
        return f"{obj.name}, {obj.floor.name.lower()}, {obj.capacity} seats"


class BookingForm(forms.Form):
    """One room of one building, at a local time, for some minutes."""

    room = RoomChoice(queryset=Room.objects.none(), to_field_name="uuid", empty_label=None)
    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    starts = forms.TimeField(widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    minutes = forms.TypedChoiceField(
        choices=[(m, f"{m} min" if m < 90 else f"{m / 60:g} h") for m in LENGTHS_MIN], coerce=int
    )
    title = forms.CharField(required=False, max_length=MAX_TITLE_LENGTH)
    private = forms.BooleanField(required=False, label="Private: others see only Busy")

    def __init__(self, *args: Any, rooms: QuerySet[Room], zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["room"].queryset = rooms  # type: ignore[attr-defined]  # of the field's class
        self._zone = zone

    def interval(self) -> Interval:
        """Return the interval of a valid form. Raises InvalidCommandError outside the calendar."""
        local = datetime.combine(
            self.cleaned_data["day"], self.cleaned_data["starts"], tzinfo=self._zone
        )
        length = timedelta(minutes=self.cleaned_data["minutes"])
        try:
            start = local.astimezone(UTC)
            return Interval.of(start, start + length)
        except OverflowError as exc:
            raise InvalidCommandError(
                "This day is outside the calendar. Choose another day."
            ) from exc


def current_quarter(now: datetime, zone: ZoneInfo) -> datetime:
    """Return the start of the local quarter of an hour that contains `now`."""
    local = now.astimezone(zone)
    return local.replace(minute=local.minute // 15 * 15, second=0, microsecond=0)

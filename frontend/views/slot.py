"""The state of the slot chosen in the booking form: `/book/<building>/slot`."""

from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from booking.transaction.database_clock import DATABASE_CLOCK
from frontend.forms import BookingForm
from frontend.slots import chosen_slot
from identity.api_auth import actor_from
from meeting_rooms.kernel.errors import InvalidCommandError, NotFoundError
from rooms.queries import RoomFilter, find_rooms, get_building


@require_safe
@never_cache
@login_required
def slot(request: HttpRequest, building: str) -> HttpResponse:
    """Return `#slot` with the state of the slot; empty while the form is incomplete.

    The form requests it after each change of the fields or of the room's bookings.
    """
    try:
        found = get_building(building)
    except NotFoundError as exc:
        raise Http404(exc.detail) from exc
    zone = ZoneInfo(found.timezone)
    form = BookingForm(request.GET, rooms=find_rooms(RoomFilter(building=building)), zone=zone)
    context: dict[str, object] = {"building": found, "form": form}
    if form.is_valid():
        try:
            context["slot"] = chosen_slot(
                form.cleaned_data["room"],
                form.interval(),
                zone,
                viewer=actor_from(request),
                now=DATABASE_CLOCK.now(),
            )
        except InvalidCommandError as refused:
            context["refusal"] = refused.detail
    return render(request, "frontend/_slot.html", context)

"""The booking page, `/book/<building>`: a plain form; htmx replaces it in place after a POST."""

from uuid import uuid4
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from booking.commands.book_room import BookRooms, book_room
from booking.domain.booking_data import BookingData
from booking.domain.errors import SlotTakenError
from booking.transaction.database_clock import DATABASE_CLOCK
from frontend.board import SOCKET_PATH
from frontend.forms import BookingForm, current_quarter
from frontend.slots import choices
from identity.api_auth import actor_from
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.errors import MeetingRoomsError, NotFoundError
from rooms.models import Room
from rooms.queries import RoomFilter, find_rooms, get_building


@login_required
def book(request: HttpRequest, building: str) -> HttpResponse:
    """Show the form; a POST books, or shows the refusal with alternatives and keeps the entries."""
    try:
        found = get_building(building)
    except NotFoundError as exc:
        raise Http404(exc.detail) from exc
    zone = ZoneInfo(found.timezone)
    rooms = find_rooms(RoomFilter(building=building))
    context = {
        "building": found,
        "page": "book",
        "now": SYSTEM_CLOCK.now().astimezone(zone),
        "socket_path": SOCKET_PATH,
    }
    if request.method == "POST":
        form = BookingForm(request.POST, rooms=rooms, zone=zone)
        context |= _answer(request, form, zone)
    else:
        local = current_quarter(SYSTEM_CLOCK.now(), zone)
        chosen = {"day": local.date(), "starts": local.time(), "minutes": 30}
        form = BookingForm(rooms=rooms, zone=zone, initial=chosen | request.GET.dict())
    # One key per form: a double click, or a retry after a lost answer, makes only one booking.
    context |= {"form": form, "key": uuid4().hex}
    status = 422 if form.errors else 409 if "refusal" in context else 200
    is_part = request.headers.get("HX-Request") == "true"
    template = "frontend/_book_form.html" if is_part else "frontend/book.html"
    return render(request, template, context, status=status)


def _answer(request: HttpRequest, form: BookingForm, zone: ZoneInfo) -> dict[str, object]:
    if not form.is_valid():
        return {}
    room: Room = form.cleaned_data["room"]
    try:
        interval = form.interval()
        wanted = BookRooms.one(
            room.uuid, interval, form.cleaned_data["title"], form.cleaned_data["private"]
        )
        key = request.POST.get("key") or None
        facts = book_room(actor=actor_from(request), wanted=wanted, idempotency_key=key)
    except SlotTakenError as taken:
        found = choices(room, interval, zone, now=DATABASE_CLOCK.now())
        return {"refusal": taken.detail, "choices": found}
    except MeetingRoomsError as refusal:
        return {"refusal": refusal.detail}
    return {"booked": _confirmation(facts, room, zone)}


def _confirmation(facts: BookingData, room: Room, zone: ZoneInfo) -> dict[str, object]:
    start, end = facts.interval.start.astimezone(zone), facts.interval.end.astimezone(zone)
    return {"room": room, "title": facts.title, "start": start, "end": end}

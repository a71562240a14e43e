"""REST: create, list and revoke devices at doors, and the operations for devices."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Status
from pydantic import StrictInt

from booking.api.shapes import MAX_TEXT, BookingOut, answer
from booking.api.viewers import viewer_from
from booking.commands.book_walk_up import MAX_MINUTES, book_walk_up
from booking.domain.error_codes import BookingErrorCode
from identity.api_auth import DEVICES_ONLY, actor_from, device_from
from identity.commands.issue_device import MAX_ROOMS, issue_device
from identity.commands.revoke_device import revoke_device
from identity.models import Device
from meeting_rooms.http.problem import Problem
from meeting_rooms.http.schema_types import Answer, Body
from meeting_rooms.kernel.errors import InvalidCommandError, NotFoundError, PermissionDeniedError
from rooms.queries import RoomFilter, find_rooms

router = Router(tags=["devices"])


class DeviceIn(Body):
    """A new device and the rooms that it belongs to."""

    name: str = Field(max_length=MAX_TEXT, examples=["Door of Dogger"])
    rooms: list[UUID] = Field(min_length=1, max_length=MAX_ROOMS)


class DeviceOut(Answer):
    """A device without its token. `prefix` is the beginning of the token."""

    id: UUID
    name: str
    rooms: list[UUID]
    prefix: str
    created_at: datetime
    last_used_at: datetime | None


class NewDeviceOut(DeviceOut):
    """A device with its token `secret`, which is shown only in this answer."""

    secret: str


class WalkUpIn(Body):
    """Length of the booking, and its room. A device with one room may omit `room`."""

    minutes: StrictInt = Field(ge=1, le=MAX_MINUTES)
    room: UUID | None = None


# Stands before the paths with a device id, because the first path that matches is used.
@router.get(
    "/devices/me", response={200: DeviceOut}, summary="Show the calling device", auth=DEVICES_ONLY
)
def show_own_device(request: HttpRequest) -> DeviceOut:
    """Return the calling device and its rooms."""
    return DeviceOut.model_validate(device_from(request))


@router.post(
    "/devices/me/walk-up",
    response={201: BookingOut, 404: Problem, 409: Problem},
    operation_id="take_walk_up",
    summary="Book a free room at the door",
    auth=DEVICES_ONLY,
)
def walk_up(request: HttpRequest, response: HttpResponse, body: WalkUpIn) -> Status[BookingOut]:
    """Book a room of the device from now on. The booking is checked in and has no organizer."""
    device, actor = device_from(request), viewer_from(request)
    if body.room is None and len(device.rooms) > 1:
        raise InvalidCommandError(
            "This device has several rooms. Give the room to book in 'room'.",
            code=BookingErrorCode.WHICH_ROOM,
            facts={"rooms": [str(room) for room in device.rooms]},
        )
    room = body.room or device.rooms[0]
    facts = book_walk_up(actor=actor, room=room, minutes=body.minutes)
    return Status(201, answer(facts, actor, response))


@router.get("/devices", response={200: list[DeviceOut]}, summary="List the devices")
def list_devices(request: HttpRequest) -> list[DeviceOut]:
    """Return the devices that are not revoked. Admins only."""
    if not actor_from(request).is_admin:
        raise PermissionDeniedError("Only admins may list the devices. Ask an admin.")
    return [DeviceOut.model_validate(one) for one in Device.objects.filter(revoked_at=None)]


@router.post("/devices", response={201: NewDeviceOut, 404: Problem}, summary="Create a device")
def make_device(request: HttpRequest, body: DeviceIn) -> Status[NewDeviceOut]:
    """Create a device and its token. The token cannot be read again. Admins only."""
    known = set(find_rooms(RoomFilter()).filter(uuid__in=body.rooms).values_list("uuid", flat=True))
    if missing := [room for room in body.rooms if room not in known]:
        raise NotFoundError(f"There is no room {missing[0]}. List the rooms at /api/v1/rooms.")
    issued = issue_device(actor=actor_from(request), name=body.name, rooms=body.rooms)
    public = DeviceOut.model_validate(issued.record)
    return Status(201, NewDeviceOut(**public.model_dump(), secret=issued.secret))


@router.delete(
    "/devices/{device_id}",
    response={204: None, 404: Problem},
    operation_id="revoke_device",
    summary="Revoke a device",
)
def revoke(request: HttpRequest, device_id: UUID) -> Status[None]:
    """Revoke the token of a device at once. Admins only."""
    revoke_device(actor=actor_from(request), device_id=device_id)
    return Status(204, None)

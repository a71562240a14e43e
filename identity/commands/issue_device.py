"""Command: add a device and give it a token."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from identity.domain.error_codes import IdentityErrorCode
from identity.domain.tokens import DEVICE_MARK, TOKEN_PREFIX_LENGTH, digest_of, new_token
from identity.models import Device
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock
from meeting_rooms.kernel.errors import InvalidCommandError, PermissionDeniedError

MAX_NAME_LENGTH = 100  # characters; the length of the column
MAX_ROOMS = 50  # per device: enough for the board of a corridor


@dataclass(frozen=True, slots=True)
class IssuedDevice:
    """The stored device and the only copy of its token."""

    record: Device
    secret: str


def issue_device(
    *, actor: Actor, name: str, rooms: Collection[UUID], clock: Clock = SYSTEM_CLOCK
) -> IssuedDevice:
    """Create a device for these rooms and return its token, which cannot be read again.

    The caller must check that the rooms exist. Raises PermissionDeniedError unless the actor is an
    admin; InvalidCommandError `bad_name`, `wrong_number_of_rooms`.
    """
    if not actor.is_admin:
        raise PermissionDeniedError("Only admins can add devices.")
    name = name.strip()
    if not name.isprintable() or not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise InvalidCommandError(
            f"Name the device in 1 to {MAX_NAME_LENGTH} printable characters, for example "
            "'Door of Dogger'.",
            code=IdentityErrorCode.BAD_NAME,
        )
    if not 1 <= len(set(rooms)) == len(rooms) <= MAX_ROOMS:
        raise InvalidCommandError(
            f"Name 1 to {MAX_ROOMS} different rooms.", code=IdentityErrorCode.WRONG_NUMBER_OF_ROOMS
        )
    secret = new_token(DEVICE_MARK)
    record = Device.objects.create(
        name=name,
        rooms=sorted(rooms),
        prefix=secret[:TOKEN_PREFIX_LENGTH],
        digest=digest_of(secret),
        created_at=clock.now(),
    )
    return IssuedDevice(record, secret)

"""Command: revoke the token of a device."""

from uuid import UUID

from identity.models import Device
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock
from meeting_rooms.kernel.errors import NotFoundError, PermissionDeniedError


def revoke_device(*, actor: Actor, device_id: UUID, clock: Clock = SYSTEM_CLOCK) -> None:
    """Revoke the token of the device at once.

    Raises PermissionDeniedError unless the actor is an admin, NotFoundError for an unknown or
    revoked device.
    """
    if not actor.is_admin:
        raise PermissionDeniedError("Only admins can revoke devices.")
    if not Device.objects.filter(pk=device_id, revoked_at=None).update(revoked_at=clock.now()):
        raise NotFoundError("There is no active device with this id.")

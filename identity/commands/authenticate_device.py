"""Command: find the device to which a token belongs."""

from identity.commands.authenticate_api_token import LAST_USED_STEP
from identity.domain.tokens import digest_of
from identity.models import Device
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock


def authenticate_device(*, secret: str, clock: Clock = SYSTEM_CLOCK) -> Device | None:
    """Return the device of a token; None if the token is unknown or revoked."""
    device = Device.objects.filter(digest=digest_of(secret), revoked_at=None).first()
    if device is None:
        return None
    now = clock.now()
    if device.last_used_at is None or now - device.last_used_at > LAST_USED_STEP:
        Device.objects.filter(pk=device.pk).update(last_used_at=now)
    return device

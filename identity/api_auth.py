"""Who calls the REST API: a Bearer token, or a signed-in session with its CSRF token.

An operation is for people unless it says otherwise: devices are let in one operation at a time.
"""

from typing import cast

from django.http import HttpRequest
from ninja.security import HttpBearer, django_auth

from identity.commands.authenticate_api_token import authenticate_api_token
from identity.commands.authenticate_device import authenticate_device
from identity.domain.error_codes import IdentityErrorCode
from identity.domain.tokens import is_of_device
from identity.models import Device, User
from identity.queries import actor_of, actor_of_device
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import PermissionDeniedError


class ApiTokenAuth(HttpBearer):
    """`Authorization: Bearer <token>`, never a query parameter: those end up in access logs."""

    def authenticate(self, request: HttpRequest, token: str) -> User | Device | None:
        """Return the token's owner and make them the request's user."""
        if is_of_device(token):
            device = authenticate_device(secret=token)
            return device and self.admit(device)
        user = authenticate_api_token(secret=token)
        if user is not None:
            request.user = user
        return user

    def admit(self, _device: Device) -> Device | None:
        """Refuse devices. Raises PermissionDeniedError `not_for_devices`."""
        raise PermissionDeniedError(
            "A device may show its rooms, check in and take walk-ups. Sign in for more.",
            code=IdentityErrorCode.NOT_FOR_DEVICES,
        )


class DeviceTokenAuth(ApiTokenAuth):
    """The same for the operations that devices may use, too."""

    def admit(self, device: Device) -> Device | None:
        """Let the device in."""
        return device


API_AUTH = [ApiTokenAuth(), django_auth]
PEOPLE_AND_DEVICES = [DeviceTokenAuth(), django_auth]
DEVICES_ONLY = [DeviceTokenAuth()]


def user_from(request: HttpRequest) -> User:
    """Return the person an authenticated API request comes from."""
    return cast("User", request.user)


def actor_from(request: HttpRequest) -> Actor:
    """Return that person, or that device, as the author of a command."""
    caller = getattr(request, "auth", None)
    if isinstance(caller, Device):
        return actor_of_device(caller)
    return actor_of(user_from(request))


def device_from(request: HttpRequest) -> Device:
    """Return the device that calls. Raises PermissionDeniedError where a person does."""
    caller = getattr(request, "auth", None)
    if not isinstance(caller, Device):
        raise PermissionDeniedError(
            "This is for devices only.", code=IdentityErrorCode.ONLY_FOR_DEVICES
        )
    return caller

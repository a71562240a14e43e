"""Authentication of REST requests: a Bearer token, or a session with its CSRF token.

By default an operation is for people only. An operation for devices names another `auth`.
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
    """`Authorization: Bearer <token>`; never a query parameter, which access logs would contain."""

    def authenticate(self, request: HttpRequest, token: str) -> User | Device | None:
        """Return the owner of the token, and set `request.user` for a person.

        Raises PermissionDeniedError `not_for_devices` for a device, unless `admit` accepts devices.
        """
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
            "A device can show its rooms, check in and book walk-ups. Sign in for more.",
            code=IdentityErrorCode.NOT_FOR_DEVICES,
        )


class DeviceTokenAuth(ApiTokenAuth):
    """An ApiTokenAuth that also accepts devices."""

    def admit(self, device: Device) -> Device | None:
        """Return the device."""
        return device


API_AUTH = [ApiTokenAuth(), django_auth]
PEOPLE_AND_DEVICES = [DeviceTokenAuth(), django_auth]
DEVICES_ONLY = [DeviceTokenAuth()]


def user_from(request: HttpRequest) -> User:
    """Return the person who sent an authenticated request."""
    return cast("User", request.user)


def actor_from(request: HttpRequest) -> Actor:
    """Return the person or the device who sent the request as the author of a command."""
    caller = getattr(request, "auth", None)
    if isinstance(caller, Device):
        return actor_of_device(caller)
    return actor_of(user_from(request))


def device_from(request: HttpRequest) -> Device:
    """Return the calling device. Raises PermissionDeniedError `only_for_devices` for a person."""
    caller = getattr(request, "auth", None)
    if not isinstance(caller, Device):
        raise PermissionDeniedError(
            "Only a device can do this. Send the token of a device.",
            code=IdentityErrorCode.ONLY_FOR_DEVICES,
        )
    return caller

"""Django admin of people, tokens and devices, and the admin class of all apps."""

from identity.admin.people import ApiTokenAdmin, DeviceAdmin, PersonAdmin

__all__ = ["ApiTokenAdmin", "DeviceAdmin", "PersonAdmin"]

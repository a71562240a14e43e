"""Queries about people and devices."""

from identity.models import Device, User
from meeting_rooms.kernel.actor import Actor, ActorKind


def actor_of(user: User) -> Actor:
    """Return the person as the author of a command."""
    return Actor(ActorKind.PERSON, user.display_name, user_id=user.pk, is_admin=user.is_admin)


def actor_of_device(device: Device) -> Actor:
    """Return the device as the author of a command, without a person, with its own rooms only."""
    return Actor(ActorKind.DEVICE, device.name, rooms=frozenset(device.rooms))

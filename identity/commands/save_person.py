"""Command: add or change a person."""

from django.db import transaction

from identity.domain.error_codes import IdentityErrorCode
from identity.models import Role, User
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import ConflictError, PermissionDeniedError


@transaction.atomic
def save_person(*, actor: Actor, person: User) -> None:
    """Store a person with name, address, role and activity.

    A person is never deleted, because bookings and the audit log refer to people. To end the access
    of a person, store the person as inactive.
    Raises PermissionDeniedError unless the actor is an admin, ConflictError `last_admin` if no
    active admin would remain.
    """
    if not actor.is_admin:
        raise PermissionDeniedError("Only admins can add and change people.")
    admins = User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True)
    others = [admin for admin in admins.order_by("pk") if admin.pk != person.pk]
    if not others and not (person.is_active and person.is_admin):
        raise ConflictError(
            "This is the last active admin. Make another person an admin first.",
            code=IdentityErrorCode.LAST_ADMIN,
        )
    person.save()

"""Command: let a scope say nothing about booking, so that all of its rules are inherited."""

from django.db import transaction

from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock
from rooms.domain.policy_document import PolicyDocument
from rooms.models import Policy
from rooms.policies.set_policy import record_policy_change, require_may_set
from rooms.policies.store import PolicyScope, document_of


@transaction.atomic
def clear_policy(*, actor: Actor, scope: PolicyScope, clock: Clock = SYSTEM_CLOCK) -> None:
    """Delete the scope's policy, if there is one. Bookings that are there stay as they are.

    Guarantees: one row in the log of changes, or none where the policy said nothing.
    Raises: PermissionDeniedError for others than admins and those who run the building or room.
    """
    require_may_set(actor, scope)
    policy = Policy.objects.select_for_update(of=("self",)).filter(**scope.columns).first()
    if policy is None:
        return
    before = document_of(scope)
    record_policy_change(actor, policy, scope, before, PolicyDocument(), clock=clock)
    policy.delete()

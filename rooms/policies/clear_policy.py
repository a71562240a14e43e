"""Command: remove the policy of a scope, so that the scope inherits all rules."""

from django.db import transaction

from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock
from rooms.domain.policy_document import PolicyDocument
from rooms.models import Policy
from rooms.policies.set_policy import record_policy_change, require_may_set
from rooms.policies.store import PolicyScope, document_of


@transaction.atomic
def clear_policy(*, actor: Actor, scope: PolicyScope, clock: Clock = SYSTEM_CLOCK) -> None:
    """Delete the policy of the scope, if it exists. Existing bookings stay as they are.

    Guarantees: one row in the log of changes, or no row if the policy set no rule.
    Raises: PermissionDeniedError unless the actor is an admin or a manager of the building or room.
    """
    require_may_set(actor, scope)
    policy = Policy.objects.select_for_update(of=("self",)).filter(**scope.columns).first()
    if policy is None:
        return
    before = document_of(scope)
    record_policy_change(actor, policy, scope, before, PolicyDocument(), clock=clock)
    policy.delete()

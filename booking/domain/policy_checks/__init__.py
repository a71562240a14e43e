"""Checks of a booking request against the rules of a room. Pure; all commands use these checks.

`interval_to_read` and `questions` say what to read from the database first; `evaluate` decides.
Each rule has a check function of its own, which returns a RuleViolation or None.
"""

from booking.domain.policy_checks.bookable import (
    TICK,
    bookable_again,
    bookable_times,
    free_until,
    open_times,
    refusal_at,
    shortest_length,
    taken_times,
    turning_points,
)
from booking.domain.policy_checks.evaluate import (
    check_in_deadline,
    evaluate,
    refusals,
    refuse_more_than_seats,
)
from booking.domain.policy_checks.gaps import interval_to_read, own_holds
from booking.domain.policy_checks.hard_limits import (
    refuse_closed,
    refuse_endless,
    refuse_past,
    refuse_shared_floor,
    refuse_taken,
)
from booking.domain.policy_checks.quotas import counted, questions

__all__ = [
    "TICK",
    "bookable_again",
    "bookable_times",
    "check_in_deadline",
    "counted",
    "evaluate",
    "free_until",
    "interval_to_read",
    "open_times",
    "own_holds",
    "questions",
    "refusal_at",
    "refusals",
    "refuse_closed",
    "refuse_endless",
    "refuse_more_than_seats",
    "refuse_past",
    "refuse_shared_floor",
    "refuse_taken",
    "shortest_length",
    "taken_times",
    "turning_points",
]

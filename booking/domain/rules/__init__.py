"""The rules of a room applied to a request. Pure; the one place that says yes or no.

`look_around` and `questions` tell what must be known first; `judge` decides. Each rule is a
function of its own that returns what it finds broken, or None.
"""

from booking.domain.rules.absolute import (
    refuse_closed,
    refuse_endless,
    refuse_past,
    refuse_shared_floor,
    refuse_taken,
)
from booking.domain.rules.judging import (
    check_in_deadline,
    judge,
    refusals,
    refuse_more_than_seats,
)
from booking.domain.rules.neighbours import look_around, own_holds
from booking.domain.rules.quotas import counted, questions

__all__ = [
    "check_in_deadline",
    "counted",
    "judge",
    "look_around",
    "own_holds",
    "questions",
    "refusals",
    "refuse_closed",
    "refuse_endless",
    "refuse_more_than_seats",
    "refuse_past",
    "refuse_shared_floor",
    "refuse_taken",
]

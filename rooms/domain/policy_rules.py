"""The table of the policy rules with one value. Pure.

A new rule is one field of `EffectivePolicy` (type and default) and one row of this table. From both
come the API document, the columns and constraints of the model (and so the admin form), the
resolution, the explanation, and the table in `docs/policies.md` (`rooms.policies.rules_page`). Two
parts are written by hand: a migration, and the check in `booking.domain.policy_checks` that applies
the rule.
"""

from collections.abc import Mapping

from rooms.domain.effective_policy import (
    AdvanceMode,
    Approval,
    BeyondHorizon,
    BookableBy,
    CapacityRule,
    MeasuredTo,
    Presence,
)
from rooms.domain.policy_rule import SingleRule, by_value, counted, switched

DAY = 24 * 60  # minutes
YEAR = 366 * DAY  # minutes

_TABLE = (
    SingleRule(
        name="min_minutes",
        bounds=(1, YEAR),
        sentence=counted("minute", "A booking lasts at least {}."),
        meaning="shortest booking",
        example="15: 14 minutes are refused",
        codes=("too_short",),
    ),
    SingleRule(
        name="max_minutes",
        bounds=(1, YEAR),
        sentence=counted("minute", "A booking lasts at most {}."),
        meaning="longest booking",
        example="120: 121 minutes are refused",
        codes=("too_long",),
    ),
    SingleRule(
        name="step_minutes",
        bounds=(1, DAY),
        sentence=counted(
            "minute",
            "Bookings are made in steps of {}, counted from the opening time.",
            {1: "Bookings may start and end at any minute."},
        ),
        meaning="lengths are multiples of the step; on days with an opening time, starts are "
        "counted from that time, except for a booking that starts now. 1: any minute",
        example="20, opens 08:30: a start at 09:10, not at 09:00",
        codes=("length_not_in_steps", "start_not_in_steps"),
        help_text="Of lengths, and of starts from the opening time on.",
    ),
    SingleRule(
        name="notice_minutes",
        bounds=(0, YEAR),
        sentence=counted(
            "minute",
            "A booking is made at least {} before it starts.",
            {0: "A booking may be made until its start."},
        ),
        meaning="minimum time between booking and start",
        example="60: at 10:00 for 11:00 or later",
        codes=("too_short_notice",),
    ),
    SingleRule(
        name="advance_days",
        bounds=(0, 3660),
        sentence=counted("day", "Bookings are possible up to {} ahead."),
        meaning="how far ahead bookings are possible (the advance window)",
        example="3, on Monday: until Thursday",
        codes=("too_far_ahead",),
    ),
    SingleRule(
        name="advance_mode",
        sentence=by_value(
            {
                AdvanceMode.CALENDAR_DAYS: "The advance window ends with its last day.",
                AdvanceMode.STRICT: "The advance window ends at the current time on its last day.",
            }
        ),
        meaning="`calendar_days`: the window ends with its last local day; `strict`: it ends at "
        "the current local time of that day",
        example="`strict`, Monday 10:32: until Thursday 10:32",
    ),
    SingleRule(
        name="advance_measured_to",
        sentence=by_value(
            {
                MeasuredTo.END: "A booking must end inside the advance window.",
                MeasuredTo.START: "A booking must start inside the advance window.",
            }
        ),
        meaning="which instant of a booking must lie in that window: `end` or `start`",
        example="`start`: a booking may end after the window",
    ),
    SingleRule(
        name="late_start_minutes",
        bounds=(0, DAY),
        sentence=counted(
            "minute",
            "A booking may have started up to {} ago.",
            {0: "A booking may not start in the past."},
        ),
        meaning="how long ago a new booking may have started; also for room managers",
        example="15: at 10:10 for 10:00",
        codes=("in_the_past",),
    ),
    SingleRule(
        name="gap_minutes",
        bounds=(0, DAY),
        sentence=counted(
            "minute",
            "The room stays free for {} between two bookings.",
            {0: "A booking may start when the previous booking ends."},
        ),
        meaning="free time between two bookings",
        example="30: after a booking until 10:00, the next one starts at 10:30 or later",
        codes=("gap_too_short",),
    ),
    SingleRule(
        name="gap_may_leave_hours",
        sentence=switched(
            "The gap after the last booking may extend past closing time.",
            "The gap after the last booking must end by closing time.",
        ),
        meaning="the gap after the last booking may extend past closing time",
        example="off, gap 30, closes 18:00: until 17:30",
        codes=("gap_leaves_hours",),
    ),
    SingleRule(
        name="one_booking_a_day",
        sentence=switched(
            "The room takes one booking a day.", "The room takes any number of bookings a day."
        ),
        meaning="one booking per local day",
        example="a booking from 10 to 12 takes the day; the next booking starts at 00:00 or later",
        codes=("day_taken",),
    ),
    SingleRule(
        name="capacity_rule",
        sentence=by_value(
            {
                CapacityRule.IGNORE: "The number of attendees is not checked.",
                CapacityRule.WARN: "A booking with more attendees than seats is flagged.",
                CapacityRule.REFUSE: "A booking with more attendees than seats is refused.",
            }
        ),
        meaning="more attendees than seats: `ignore`, `warn` (a flag), `refuse`",
        example="`refuse`: 9 people in 8 seats are refused",
        codes=("over_capacity",),
    ),
    SingleRule(
        name="bookable_by",
        sentence=by_value(
            {
                BookableBy.EVERYONE: "Everyone may book.",
                BookableBy.LISTED: "Only listed people and room managers may book.",
                BookableBy.MANAGERS: "Only room managers may book.",
            }
        ),
        meaning="`everyone`, `listed` (bookers and managers) or `managers`",
        example="`listed`: the people of one department",
        codes=("not_bookable_by_you",),
    ),
    SingleRule(
        name="approval",
        sentence=by_value(
            {
                Approval.NONE: "Bookings are confirmed at once.",
                Approval.ALWAYS: "Bookings need approval by a room manager.",
            }
        ),
        meaning="`none`, or `always`: bookings need approval by a room manager",
        example="the state is `pending`",
    ),
    SingleRule(
        name="pending_blocks",
        sentence=switched(
            "A request that awaits approval takes its slot.",
            "A request that awaits approval leaves its slot open to other requests.",
        ),
        meaning="a request that awaits approval takes its slot",
        example="off: several requests may wait for one slot",
    ),
    SingleRule(
        name="check_in_required",
        sentence=switched("A booking without check-in is released.", "Bookings need no check-in."),
        meaning="a booking without check-in is released",
        example="off: for rooms without a display",
    ),
    SingleRule(
        name="check_in_opens_minutes",
        bounds=(0, DAY),
        sentence=counted(
            "minute", "Check-in opens {} before the start.", {0: "Check-in opens at the start."}
        ),
        meaning="how long before the start check-in opens",
        example="5: from 09:55 for 10:00",
        codes=("too_early",),
    ),
    SingleRule(
        name="check_in_grace_minutes",
        bounds=(1, DAY),
        sentence=counted("minute", "A booking without check-in is released {} after its start."),
        meaning="how long after its start a booking without check-in is released",
        example="10: at 10:10:00.000",
        codes=("released",),
    ),
    SingleRule(
        name="check_in_exempt_minutes",
        bounds=(0, YEAR),
        sentence=counted(
            "minute",
            "Bookings of {} or more need no check-in.",
            {0: "No booking is exempt from check-in because of its length."},
        ),
        meaning="bookings of this length or more need no check-in. 0: no booking is exempt",
        example="480: 09:00 to 17:00 is kept",
        help_text="Bookings this long need no check-in. 0: none is exempt.",
    ),
    SingleRule(
        name="presence",
        sentence=by_value(
            {
                Presence.CHECKS_IN: "A sensor that sees people checks the booking in.",
                Presence.WARNS: "A sensor that sees people shows a warning, without check-in.",
                Presence.IGNORED: "Sensors do not affect check-in.",
            }
        ),
        meaning="effect of a sensor that sees people: `checks_in`, `warns`, `ignored`",
    ),
    SingleRule(
        name="absence_minutes",
        bounds=(0, DAY),
        sentence=counted(
            "minute",
            "A room that was empty for {} is released.",
            {None: "An empty room is not released before its booking ends."},
        ),
        meaning="an empty room is released after this time. 0: never",
        example="20",
        help_text="0: an empty room is never released.",
    ),
    SingleRule(
        name="no_show_limit",
        bounds=(0, 100),
        sentence=counted(
            "missed date",
            "A series is released after {} in a row.",
            {None: "A series is never released for missed dates."},
        ),
        meaning="missed dates in a row after which a series is released. 0: never",
        help_text="0: a series never loses the room.",
    ),
    SingleRule(
        name="no_show_notice_days",
        bounds=(0, 60),
        sentence=counted(
            "day",
            "The organizer is warned {} before a series is released.",
            {0: "A series is released without a warning to the organizer."},
        ),
        meaning="warning to the organizer before a series is released",
    ),
    SingleRule(
        name="series_limit",
        bounds=(1, 1000),
        sentence=counted("date", "A series has at most {}."),
        meaning="maximum number of dates of one series",
        codes=("series_too_long",),
    ),
    SingleRule(
        name="beyond_horizon",
        sentence=by_value(
            {
                BeyondHorizon.REFUSE: "A series with dates after the advance window is refused.",
                BeyondHorizon.TRUNCATE: "Dates of a series after the advance window are left out "
                "and reported.",
            }
        ),
        meaning="a series with dates after the advance window: `refuse` the series, or `truncate`:"
        " leave these dates out and report them",
        codes=("beyond_horizon",),
    ),
)
SINGLE_RULES: Mapping[str, SingleRule] = {rule.name: rule for rule in _TABLE}

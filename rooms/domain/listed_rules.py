"""The policy rules that are lists or calendars. Pure."""

from collections.abc import Mapping

from rooms.domain.effective_policy import Period
from rooms.domain.policy_rule import ListedRule

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _explain_hours(hours: Mapping[int, tuple[Period, ...]]) -> str:
    if not hours:
        return "The room is always open."
    days = [
        f"{WEEKDAYS[day]} {' and '.join(f'{a:%H:%M} to {b:%H:%M}' for a, b in periods)}"
        for day, periods in sorted(hours.items())
    ]
    return f"The room is open {', '.join(days)}."


_TABLE = (
    ListedRule(
        name="hours",
        when_empty="always",
        sentence=_explain_hours,
        meaning="opening periods by weekday; `closes` 00:00 is midnight at the end of the day. Two "
        "days that meet at midnight form one period",
        example="Monday 08:00 to 12:00 and 13:00 to 18:00: no booking over noon",
        codes=("outside_opening_hours",),
    ),
    ListedRule(
        name="exceptions",
        sentence=lambda dates: f"Dates with different opening hours: {len(dates)}.",
        meaning="different periods, or closed, from a first to a last date, with a reason",
        example='"closed on Friday 19 June 2026: Midsummer"',
        codes=("outside_opening_hours",),
    ),
    ListedRule(
        name="quotas",
        sentence=lambda quotas: f"Quotas for each person: {len(quotas)}.",
        meaning="bookings or minutes per person and day, week or month",
        example="one booking a day",
        codes=("quota_of_bookings", "quota_of_minutes"),
    ),
    ListedRule(
        name="bookers",
        sentence=lambda people: f"People listed to book: {len(people)}.",
        meaning="the people who may book if `bookable_by` is `listed`",
    ),
    ListedRule(
        name="managers",
        sentence=lambda people: f"Room managers besides the admins: {len(people)}.",
        meaning="room managers, in addition to the admins",
        example="the porter of a building",
    ),
)
LISTED_RULES: Mapping[str, ListedRule] = {rule.name: rule for rule in _TABLE}

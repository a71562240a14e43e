"""Shared helpers of the tests of series, and a strategy for random RRULEs."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import strategies as st

from booking.series.domain.occurrences import Expansion, expand
from booking.series.domain.parse_rule import parse_rule
from booking.series.domain.rule import DAY_CODES, ByDay, Frequency, Rule
from meeting_rooms.kernel.errors import InvalidCommandError

NEW_YORK = ZoneInfo("America/New_York")
HOUR = timedelta(hours=1)
START = datetime(1997, 9, 2, 9)


def parsed(text: str, start: datetime = START, horizon: date | None = None) -> Rule:
    return parse_rule(text, start=start, zone=NEW_YORK, horizon=horizon)


def expanded(text: str, start: datetime = START, **options) -> Expansion:
    rule = parsed(text, start, options.get("horizon"))
    return expand(rule, start=start, length=HOUR, zone=NEW_YORK, **options)


def refusal(code: str, call) -> InvalidCommandError:
    with pytest.raises(InvalidCommandError) as refused:
        call()
    assert refused.value.code == code
    return refused.value


@st.composite
def rules(draw, *, ends: bool = True) -> str:
    """Draw an RRULE with parts that its frequency allows."""
    freq = draw(st.sampled_from(list(Frequency)))
    ordinals = {Frequency.MONTHLY: [0, 1, 2, 5, -1, -2], Frequency.YEARLY: [0, 1, 5, -1]}.get(
        freq, [0]
    )

    def some(of) -> str:
        return ",".join(map(str, draw(st.lists(st.sampled_from(of), min_size=1, max_size=4))))

    parts = {"INTERVAL": str(draw(st.integers(1, 5))), "WKST": draw(st.sampled_from(DAY_CODES))}
    days = [ByDay(d, n).as_text() for d in range(7) for n in ordinals]
    optional = {
        "BYMONTH": range(1, 13),
        "BYDAY": days,
        "BYMONTHDAY": [1, 2, 13, 15, 28, 29, 30, 31, -1, -2, -31],
        "BYYEARDAY": [1, 60, 100, 365, 366, -1, -366],
        "BYWEEKNO": [1, 2, 20, 52, 53, -1, -53],
    }
    if freq is Frequency.WEEKLY:
        del optional["BYMONTHDAY"]
    if freq is not Frequency.YEARLY:
        del optional["BYYEARDAY"], optional["BYWEEKNO"]
    chosen = draw(st.sets(st.sampled_from(sorted(optional)), max_size=3))
    if "BYWEEKNO" in chosen:  # with BYWEEKNO, BYDAY has no ordinals
        chosen.add("BYDAY")
        optional["BYDAY"] = DAY_CODES
    parts |= {name: some(optional[name]) for name in sorted(chosen)}
    if chosen and draw(st.booleans()):
        parts["BYSETPOS"] = some([1, 2, 3, -1, -2])
    if ends:
        parts["COUNT"] = str(draw(st.integers(1, 40)))
    return ";".join([f"FREQ={freq}", *(f"{name}={value}" for name, value in parts.items())])


STARTS = st.datetimes(datetime(2015, 1, 1), datetime(2030, 12, 31)).map(
    lambda at: at.replace(microsecond=0)
)

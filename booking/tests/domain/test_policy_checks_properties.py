"""Properties of the policy checks for any rules, requests and neighbours."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from booking.domain.booking_request import BookingRequest, RoomContext
from booking.domain.policy_checks import evaluate, interval_to_read, questions, refusals
from booking.tests.factories import NOW
from booking.tests.room_rules import ANN, OTHER_ROOM_ID, ROOM_ID, booked, rules
from meeting_rooms.kernel.errors import MeetingRoomsError
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import (
    AdvanceMode,
    BookableBy,
    CapacityRule,
    MeasuredTo,
    Quota,
    QuotaPeriod,
)

ZONES = st.sampled_from(["Europe/Helsinki", "America/Santiago", "Pacific/Apia", "Asia/Kathmandu"])
MINUTES = st.integers(0, 36 * 60)
EDGES = st.sampled_from(
    [datetime.min.replace(tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC), NOW, NOW, NOW]
)
INTERVALS = st.builds(
    lambda edge, ahead, length: Interval(
        edge + timedelta(minutes=ahead), edge + timedelta(minutes=ahead + length)
    ),
    EDGES, st.integers(0, 1000), st.integers(1, 1500),
)  # fmt: skip
HOURS = st.dictionaries(st.integers(0, 6), st.just(((time(8), time(12)), (time(13), time(0)))))
QUOTAS = st.lists(
    st.builds(
        Quota, id=st.just(1), period=st.sampled_from(QuotaPeriod), max_count=st.integers(0, 2),
        max_minutes=st.none() | MINUTES, week_starts=st.none() | st.integers(0, 6),
        window=st.none() | st.just((time(8), time(20))),
    ),
    max_size=2,
).map(tuple)  # fmt: skip
ROOMS = st.builds(
    lambda zone, gaps, **book: rules(
        zone=ZoneInfo(zone),
        gaps={ROOM_ID: gaps[0], OTHER_ROOM_ID: gaps[1]},
        gap_minutes=gaps[0],
        **book,
    ),
    zone=ZONES, gaps=st.tuples(MINUTES, MINUTES), hours=HOURS, quotas=QUOTAS,
    min_minutes=st.integers(1, 60), max_minutes=st.integers(30, 3000),
    step_minutes=st.sampled_from([1, 15, 20]), notice_minutes=st.sampled_from([0, 60]),
    advance_days=st.integers(0, 3), advance_mode=st.sampled_from(AdvanceMode),
    advance_measured_to=st.sampled_from(MeasuredTo), gap_may_leave_hours=st.booleans(),
    one_booking_a_day=st.booleans(), capacity_rule=st.sampled_from(CapacityRule),
    bookable_by=st.sampled_from(BookableBy),
)  # fmt: skip
OTHERS = st.lists(
    st.tuples(st.integers(-2000, 2000), st.integers(1, 600), st.sampled_from([ROOM_ID, 2])),
    max_size=4,
)


@given(ROOMS, INTERVALS, OTHERS, st.booleans(), st.sampled_from([None, 9]))
def test_evaluate__any_request__agrees_with_the_list_of_refusals(
    room, wanted, others, is_manager, attendees
):
    around = interval_to_read(wanted, room)
    assert around.start <= wanted.start < wanted.end <= around.end
    assert all(asked.period.overlaps(wanted) for asked in questions(wanted, room))
    found = [Interval(NOW + timedelta(minutes=start), NOW + timedelta(minutes=start + length))
             for start, length, _ in others]  # fmt: skip
    context = RoomContext(tuple(
        booked(interval, number=number, room_id=others[number][2])
        for number, interval in enumerate(found) if interval.overlaps(around)
    ))  # fmt: skip
    request = BookingRequest(wanted, ANN, is_manager=is_manager, attendees=attendees)
    listed = refusals(request, room, context, now=NOW)
    overridable = {refusal["code"] for refusal in listed if refusal["rule"] is not None}
    assert all(refusal["detail"].endswith(".") for refusal in listed)
    outcome = decision_or_error(request, room, context)
    if isinstance(outcome, MeetingRoomsError):
        assert listed[0]["code"] == outcome.code
        assert not is_manager or listed[0]["rule"] is None
    else:
        assert is_manager or not listed
        assert overridable <= set(outcome.flags) <= overridable | {"over_capacity"}


def decision_or_error(request, room, context):
    try:
        return evaluate(request, room, context, now=NOW)
    except MeetingRoomsError as refused:
        return refused

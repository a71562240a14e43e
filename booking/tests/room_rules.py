"""Rules and requests as values, for tests that need no store. Rooms are in Helsinki."""

from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from booking.domain.booking_data import BookingData
from booking.domain.booking_request import BookingRequest, Decision, RoomContext
from booking.domain.policy_checks import evaluate, refusals
from booking.domain.states import BookingState
from booking.tests.factories import NOW
from meeting_rooms.kernel.interval import Interval
from rooms.domain.effective_policy import EffectivePolicy, Period, RoomPolicy

HELSINKI = ZoneInfo("Europe/Helsinki")
ROOM_ID, OTHER_ROOM_ID = 1, 2
ANN = UUID(int=1)


def rules(*, zone: ZoneInfo = HELSINKI, gaps: dict[int, int] | None = None, **book) -> RoomPolicy:
    return RoomPolicy(
        version=1, id=ROOM_ID, uuid=UUID(int=7), name="Dogger", capacity=8, building_id=1,
        zone=zone, units="[1,1]", lock_id=1, related=(ROOM_ID,), division=(ROOM_ID,),
        policy=EffectivePolicy(**book), gaps=gaps or {ROOM_ID: book.get("gap_minutes", 0)},
    )  # fmt: skip


def daily(opens: str, closes: str) -> dict[int, tuple[Period, ...]]:
    period = (time.fromisoformat(opens), time.fromisoformat(closes))
    return dict.fromkeys(range(7), (period,))


def local(text: str, *, zone: ZoneInfo = HELSINKI, fold: int = 0) -> datetime:
    """Return the instant of `12 10:30`, in March 2026, or of a whole date and time."""
    if text[2] == " ":
        text = f"2026-03-{text}"
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def span(start: str, end: str, *, zone: ZoneInfo = HELSINKI) -> Interval:
    return Interval.of(local(start, zone=zone), local(end, zone=zone))


def booked(interval: Interval, *, number: int = 100, room_id: int = ROOM_ID) -> BookingData:
    return BookingData(
        id=UUID(int=number), room=UUID(int=7), room_id=room_id, interval=interval,
        local_start="", local_end="", title="", organizer="Bob", organizer_id=UUID(int=2),
        private=False, state=BookingState.CONFIRMED, takes_slot=True, lapses_at=None,
        created_at=NOW,
    )  # fmt: skip


def decision(
    room: RoomPolicy,
    wanted: Interval,
    *others: BookingData,
    now: datetime = NOW,
    usage=(),
    **request,
) -> Decision:
    asked = BookingRequest(wanted, request.pop("person", ANN), **request)
    return evaluate(asked, room, RoomContext(others, usage=tuple(usage)), now=now)


def codes(
    room: RoomPolicy,
    wanted: Interval,
    *others: BookingData,
    now: datetime = NOW,
    usage=(),
    **request,
) -> list[str]:
    """Return the codes of all refusals of a booking."""
    asked = BookingRequest(wanted, request.pop("person", ANN), **request)
    found = refusals(asked, room, RoomContext(others, usage=tuple(usage)), now=now)
    return [refusal["code"] for refusal in found]


def refusal_of(
    room: RoomPolicy, wanted: Interval, *others: BookingData, now: datetime = NOW, **request
):
    """Return the only refusal of a booking; fail if there are more or none."""
    asked = BookingRequest(wanted, request.pop("person", ANN), **request)
    [refusal] = refusals(asked, room, RoomContext(others), now=now)
    return refusal

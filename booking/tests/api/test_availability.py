"""Free rooms, alternatives and day views over REST, and their number of queries."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.api.day_view import RoomDayOut
from booking.commands.hold_slot import hold_slot
from booking.models import Booking
from booking.tests.api_calls import Caller, future, slot
from identity.queries import actor_of
from identity.tests.factories import person
from meeting_rooms.kernel.interval import Interval
from rooms.models import Closure, Feature
from rooms.tests.factories import building, every_day, floor, policy, room

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return Caller(person("Ann"))


def names(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["name"] for one in answer.json()]


def at(hour: int, **query) -> dict[str, object]:
    return {"from": future(hour).isoformat(), **query}


def test_free_rooms__several__are_sorted_smallest_first(ann):
    house = floor()
    for name, seats in (("Hall", 40), ("Den", 4), ("Loft", 8)):
        room(name, on=house, capacity=seats)
    assert names(ann.get("/availability", at(0))) == ["Den", "Loft", "Hall"]
    assert names(ann.get("/availability", at(0, min_capacity=5))) == ["Loft", "Hall"]


def test_free_rooms__booked_closed_or_without_the_feature__are_left_out(ann):
    house = floor()
    booked, closed, bare, good = (room(n, on=house) for n in ("Booked", "Closed", "Bare", "Good"))
    beamer = Feature.objects.create(slug="beamer", name="Beamer")
    for one in (booked, closed, good):
        one.features.add(beamer)
    ann.book(slot(0), booked)
    Closure.objects.create(room=closed, starts_at=future(-1), ends_at=future(3), reason="Paint")
    query = at(0, minutes=60, feature="beamer", building=house.building.slug)
    assert names(ann.get("/availability", query)) == ["Good"]
    assert "Bare" in names(ann.get("/availability", at(0, minutes=60)))
    assert bare.features.count() == 0


def test_free_rooms__free_until__is_the_next_booking_or_closure(ann):
    den, loft = room("Den", capacity=2), room("Loft", capacity=3)
    ann.book(slot(2), den)
    Closure.objects.create(room=loft, starts_at=future(5), ends_at=None, reason="Paint")
    found = ann.get("/availability", at(0, minutes=60)).json()
    until = {one["name"]: datetime.fromisoformat(one["free_until"]) for one in found}
    assert until == {"Den": future(2), "Loft": future(5)}


def test_free_rooms__without_a_time__start_now(ann):
    room("Den")
    [found] = ann.get("/availability").json()
    starts = datetime.fromisoformat(found["starts_at"])
    assert datetime.fromisoformat(found["ends_at"]) - starts == timedelta(minutes=30)
    assert abs(starts - datetime.fromisoformat(ann.get("/availability").json()[0]["starts_at"])) < (
        timedelta(seconds=30)
    )


def test_free_rooms__held_by_the_caller__are_free_for_the_caller_only(ann):
    den = room("Den")
    hold_slot(actor=actor_of(ann.who), room=den.uuid, interval=Interval(future(1), future(2)))
    for wanted in (at(1, minutes=60), at(0, minutes=90)):  # the held slot, and over its start
        assert names(ann.get("/availability", wanted)) == ["Den"]
    [found] = ann.get("/availability", at(0, minutes=30)).json()
    assert datetime.fromisoformat(found["free_until"]) == future(24)
    ben = Caller(person("Ben"))
    assert names(ben.get("/availability", at(1, minutes=60))) == []
    [found] = ben.get("/availability", at(0, minutes=30)).json()
    assert datetime.fromisoformat(found["free_until"]) == future(1)
    ann.book(slot(1), den)


def test_free_rooms__now_between_two_steps__can_be_booked(ann):
    den = room("Den")
    policy(den, hours=every_day("00:00", "00:00"), step_minutes=7, min_minutes=7)
    [found] = ann.get("/availability", {"minutes": 14}).json()
    ann.book({"starts_at": found["starts_at"], "ends_at": found["ends_at"]}, den)


def test_room_availability__hours_gaps_and_minimum_length__limit_the_free_intervals(ann):
    den = room("Den", on=floor(building(timezone="UTC")))
    policy(den, hours=every_day("08:00", "18:00"), gap_minutes=30, min_minutes=60)
    day = datetime.combine(future(0).date(), time(0), UTC)

    def span(start: float, end: float) -> dict[str, str]:
        begin, finish = day + timedelta(hours=start), day + timedelta(hours=end)
        return {"starts_at": begin.isoformat(), "ends_at": finish.isoformat()}

    ann.book(span(10, 11), den)
    found = ann.get(f"/rooms/{den.uuid}/availability", span(0, 24)).json()
    assert read(found["busy"]) == read([span(10, 11)])
    assert read(found["closed"]) == read([span(0, 8), span(18, 24)])
    assert read(found["free"]) == read([span(8, 9.5), span(11.5, 18)])


def read(intervals: list[dict[str, str]]) -> list[list[datetime]]:
    return [
        [datetime.fromisoformat(at) for at in (s["starts_at"], s["ends_at"])] for s in intervals
    ]


@pytest.mark.parametrize("query", [{"from": "soon"}, {"minutes": 0}, {"minutes": 1441}])
def test_free_rooms__invalid_query__is_422(ann, query):
    assert ann.refused("get", "/availability", query)["code"] == "invalid"


def test_alternatives__taken_slot__are_the_nearest_times_then_the_nearest_rooms(ann):
    house = floor()
    den, same, large = (
        room(n, on=house, capacity=c) for n, c in (("Den", 4), ("Loft", 4), ("Hall", 9))
    )
    ann.book(slot(0), den)
    found = ann.get(f"/rooms/{den.uuid}/alternatives", slot(0)).json()
    here = [one["starts_at"][:16] for one in found if one["room"] == str(den.uuid)]
    assert future(1).isoformat()[:16] in here
    assert future(-1).isoformat()[:16] in here
    elsewhere = [one["name"] for one in found if one["room"] != str(den.uuid)]
    assert elsewhere == [same.name, large.name]


def test_day__with_a_clock_change__has_23_or_25_hours(ann):
    room("Spree", on=floor(building(timezone="Europe/Berlin", slug="berlin")))
    for day, hours in ((date(2027, 3, 28), 23), (date(2027, 10, 31), 25), (date(2027, 6, 1), 24)):
        [found] = ann.get(f"/days/{day}", {"building": "berlin"}).json()["rooms"]
        starts, ends = (datetime.fromisoformat(found[n]) for n in ("starts_at", "ends_at"))
        assert ends - starts == timedelta(hours=hours)


@pytest.mark.parametrize("day", ["2101-01-01", "1969-01-01"])
def test_day__outside_the_supported_years__is_422(ann, day):
    assert ann.refused("get", f"/days/{day}")["code"] == "invalid_time"


def test_day__unknown_building__is_404(ann):
    assert ann.refused("get", "/days/2036-03-02", {"building": "nowhere"})["status"] == 404


def test_day__answer__matches_its_schema(ann):
    ann.book(slot(0), title="Plan")
    found = ann.get(f"/days/{future(0).date()}").json()["rooms"]
    assert [RoomDayOut.model_validate(one).bookings[0].title for one in found] == ["Plan"]


def fill(rooms: int, bookings: int) -> date:
    """Store this number of rooms, each with this number of bookings, without any command."""
    house = floor(building(timezone="UTC"))
    places = [room(on=house) for _ in range(rooms)]
    day = future(0).date()
    begin = datetime.combine(day, time(8), UTC)
    now = future(-24)
    Booking.objects.bulk_create(
        Booking(
            room=place,
            during=(begin + timedelta(hours=n), begin + timedelta(hours=n + 1)),
            local_start=(begin + timedelta(hours=n)).replace(tzinfo=None).isoformat(),
            local_end=(begin + timedelta(hours=n + 1)).replace(tzinfo=None).isoformat(),
            title=f"Meeting {n}",
            organizer_name="Somebody",
            state="confirmed",
            created_at=now,
        )
        for place in places
        for n in range(bookings)
    )
    return day


@pytest.mark.parametrize("path", ["/days/{day}", "/availability"])
def test_day_and_free_rooms__500_rooms__need_as_many_queries_as_5(ann, path):
    day = fill(5, 8)
    query = {} if path.startswith("/days") else at(9, limit=500)

    def measure() -> tuple[int, object]:
        ann.get("/me")  # stores the last use of the token, at most once a minute
        with CaptureQueriesContext(connection) as queries:
            answer = ann.get(path.format(day=day), query)
        assert answer.status_code == 200
        return len(queries), answer.json()

    few, _ = measure()
    fill(495, 8)
    many, answer = measure()
    assert many == few
    assert len(answer["rooms"] if isinstance(answer, dict) else answer) == 500

"""Imports at the edges: rooms of one name, times off the calendar, locks, what was moved here."""

import pytest

from booking.models import Booking
from booking.tests.import_calls import Importer, row, told
from identity.models import Role
from identity.tests.factories import person
from rooms.tests.factories import building, floor, room

pytestmark = pytest.mark.django_db


def admin() -> Importer:
    return Importer(person(role=Role.ADMIN))


@pytest.mark.parametrize("number", ["", "7"])
def test_table__one_row_for_rooms_of_one_name_in_two_buildings__is_two_bookings(number):
    houses = [building(slug=slug) for slug in ("hq", "annex")]
    blues = [room("Blue", on=floor(house)) for house in houses]
    ada = admin()
    raw = ("id,room,starts_at,ends_at,title\n" + f"{number}," + row("Blue", 0, 1)).encode()
    for again in ("created", "unchanged"):
        for house in houses:
            report = told(ada.csv(raw=raw, query=f"?building={house.slug}"))
            assert (report[again], report["refused"]) == (1, 0)
    assert [Booking.objects.filter(room=blue).count() for blue in blues] == [1, 1]

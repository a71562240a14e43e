import pytest

from rooms.domain.place_names import NamedPlace, place_from_name, slug_from_name


@pytest.mark.parametrize(
    "name,expected",
    [
        ("UB2.252A (Lameere)", NamedPlace("UB", 2)),
        ("K.1.105 (La Fontaine)", NamedPlace("K", 1)),
        ("Janson", NamedPlace("J", 0)),
        ("AW1.120", NamedPlace("AW", 1)),
        ("42", None),
    ],
)
def test_place__of_a_room_name__is_its_capitals_and_the_digit_after_the_dot(name, expected):
    assert place_from_name(name) == expected


def test_slug__of_any_name__is_valid():
    assert slug_from_name("K.1.105 (La Fontaine)") == "k-1-105-la-fontaine"
    assert slug_from_name("会議室") == "room"

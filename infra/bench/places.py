"""Create people, buildings and rooms of a run in Postgres. Import after Django is set up."""

from dataclasses import dataclass

from identity.commands.issue_api_token import issue_api_token
from identity.models import User
from identity.queries import actor_of
from meeting_rooms.kernel.actor import Actor
from rooms.models import Building, Floor, Room

TIMEZONE = "Europe/Helsinki"


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the actor of commands, with an API token."""

    actor: Actor
    token: str


def make_person(name: str) -> Person:
    """Create and return a person with a token."""
    user = User.objects.create_user(f"{name}@bench.example", None, display_name=name)
    return Person(actor_of(user), issue_api_token(user=user, name="bench").secret)


def make_building(slug: str, rooms: int, *, first: int = 0) -> list[Room]:
    """Create a public building with its rooms on two floors.

    Rooms are named `t=<n>` from `first` on: the load client identifies rooms by this marker.
    """
    building = Building.objects.create(
        slug=slug, name=slug, timezone=TIMEZONE, is_board_public=True, shows_titles=True
    )
    floors = [
        Floor.objects.create(building=building, slug=f"{slug}-{n}", name=f"Floor {n}", level=n)
        for n in range(2)
    ]
    return Room.objects.bulk_create(
        Room(floor=floors[n % 2], slug=f"room-{n}", name=f"t={first + n}", capacity=8)
        for n in range(rooms)
    )


def remove_building(slug: str) -> None:
    """Delete a building with all its rooms, which must have no bookings."""
    Room.objects.filter(floor__building__slug=slug).delete()
    Floor.objects.filter(building__slug=slug).delete()
    Building.objects.filter(slug=slug).delete()

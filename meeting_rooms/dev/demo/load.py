"""Loads the demo data into an empty database."""

from collections.abc import Callable

from django.db import transaction
from django.utils.text import slugify

from identity.models import Role, User
from meeting_rooms.dev.demo.accounts import DEMO_ACCOUNTS, DEMO_COLLEAGUES, DEMO_PASSWORD
from meeting_rooms.dev.demo.campus import CAMPUS, FEATURES, DemoBuilding
from meeting_rooms.dev.demo.week import fill_week
from meeting_rooms.kernel.clock import SYSTEM_CLOCK, Clock
from rooms.models import Building, Feature, Floor, Policy, Room


def load_demo_if_empty(*, report: Callable[[str], None], clock: Clock = SYSTEM_CLOCK) -> bool:
    """Create campus, people and a week of bookings. Returns False if a building exists already."""
    if Building.objects.exists():
        return False
    report("Making demo data")
    with transaction.atomic():
        people = _make_people()
        features = {
            slug: Feature.objects.create(slug=slug, name=name) for slug, name in FEATURES.items()
        }
        for building in CAMPUS:
            _make_building(building, features)
    fill_week(people=people, clock=clock)
    return True


def _make_people() -> list[User]:
    # Colleagues cannot sign in, so only the printed accounts need a (slow) password hash.
    accounts = [
        User.objects.create_user(
            account.email,
            DEMO_PASSWORD,
            display_name=account.display_name,
            role=Role(account.role),
        )
        for account in DEMO_ACCOUNTS
    ]
    colleagues = [
        User.objects.create_user(account.email, None, display_name=account.display_name)
        for account in DEMO_COLLEAGUES
    ]
    return accounts + colleagues


def _make_building(demo: DemoBuilding, features: dict[str, Feature]) -> None:
    building = Building.objects.create(
        slug=demo.slug,
        name=demo.name,
        timezone=demo.timezone,
        address=demo.address,
        is_board_public=True,
        shows_titles=True,
    )
    if demo.hours:
        policy = Policy.objects.create(building=building)
        for weekday, (opens, closes) in demo.hours.items():
            policy.opening_hours.create(weekday=weekday, opens=opens, closes=closes)
    for level in demo.floors:
        floor = Floor.objects.create(
            building=building,
            slug=f"{demo.slug}-{level.level}",
            name=f"Floor {level.level}" if level.level else "Ground floor",
            level=level.level,
            direction=level.direction,
            hint=level.hint,
        )
        for entry in level.rooms:
            room = Room.objects.create(
                floor=floor,
                slug=slugify(entry.name),
                name=entry.name,
                capacity=entry.capacity,
                direction=entry.direction,
            )
            room.features.set([features[slug] for slug in entry.features])

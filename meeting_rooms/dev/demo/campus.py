"""The demo campus: three buildings in three time zones, 24 rooms. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time

from rooms.domain.effective_policy import Period


@dataclass(frozen=True, slots=True)
class DemoRoom:
    """A room: name, seats, direction of the arrow on the board, slugs of its features."""

    name: str
    capacity: int
    direction: str
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoFloor:
    """A floor: level, direction of the arrow on the board, hint for the way, rooms."""

    level: int
    direction: str
    hint: str
    rooms: tuple[DemoRoom, ...]


@dataclass(frozen=True, slots=True)
class DemoBuilding:
    """A building. `hours` are its opening hours by weekday; without any it is always open."""

    slug: str
    name: str
    timezone: str
    address: str
    floors: tuple[DemoFloor, ...]
    hours: Mapping[int, Period] = field(default_factory=dict)


FEATURES = {
    "display": "Display",
    "camera": "Video conference",
    "whiteboard": "Whiteboard",
    "phone": "Phone",
    "step-free": "Step-free access",
}

# Only this building closes, at night in New York. That is morning in Europe, so European visitors
# of the demo see a closed board. The other two buildings are always open and never look empty.
FOUNDRY_HOURS = {day: (time(7), time(21)) for day in range(6)}  # closed on Sunday

CAMPUS = (
    DemoBuilding(
        "harbour-house",
        "Harbour House",
        "Europe/Helsinki",
        "1 Quay Street",
        (
            DemoFloor(
                2,
                "up",
                "stairs ahead",
                (
                    DemoRoom("Dogger", 8, "left", ("display", "camera")),
                    DemoRoom("Fisher", 4, "left", ("display",)),
                    DemoRoom("Forties", 14, "right", ("display", "camera", "whiteboard")),
                    DemoRoom("Humber", 6, "right", ("whiteboard",)),
                    DemoRoom("Thames", 20, "right", ("display", "camera", "step-free")),
                ),
            ),
            DemoFloor(
                3,
                "up-right",
                "lift on your right",
                (
                    DemoRoom("Cromarty", 10, "left", ("display", "camera")),
                    DemoRoom("Lundy", 4, "left", ("phone",)),
                    DemoRoom("Plymouth", 6, "left", ("display",)),
                    DemoRoom("Shannon", 12, "right", ("display", "camera", "whiteboard")),
                    DemoRoom("Viking", 8, "right", ("display",)),
                ),
            ),
        ),
    ),
    DemoBuilding(
        "mill-yard",
        "Mill Yard",
        "Europe/London",
        "40 Weaver Lane",
        (
            DemoFloor(
                0,
                "right",
                "past the desk",
                (
                    DemoRoom("Bobbin", 4, "right", ("phone",)),
                    DemoRoom("Loom", 16, "right", ("display", "camera", "step-free")),
                    DemoRoom("Shuttle", 8, "left", ("display",)),
                    DemoRoom("Spindle", 6, "left", ("whiteboard",)),
                ),
            ),
            DemoFloor(
                1,
                "up",
                "stairs ahead",
                (
                    DemoRoom("Felt", 10, "left", ("display", "camera")),
                    DemoRoom("Tweed", 6, "right", ("display",)),
                    DemoRoom("Worsted", 12, "right", ("display", "whiteboard")),
                ),
            ),
        ),
    ),
    DemoBuilding(
        "foundry",
        "The Foundry",
        "America/New_York",
        "212 Iron Avenue",
        (
            DemoFloor(
                4,
                "left",
                "lift on your left",
                (
                    DemoRoom("Anvil", 8, "left", ("display", "camera")),
                    DemoRoom("Bellows", 4, "left", ("phone",)),
                    DemoRoom("Crucible", 18, "right", ("display", "camera", "whiteboard")),
                    DemoRoom("Hammer", 6, "right", ("display",)),
                ),
            ),
            DemoFloor(
                5,
                "up-left",
                "stairs on the left",
                (
                    DemoRoom("Ingot", 6, "left", ("whiteboard",)),
                    DemoRoom("Rivet", 4, "right", ("display",)),
                    DemoRoom("Tongs", 10, "right", ("display", "camera")),
                ),
            ),
        ),
        FOUNDRY_HOURS,
    ),
)
CLOSED_ROOM, CLOSED_REASON = "Viking", "Screen being repaired"

TITLES = (
    "Architecture review",
    "Board prep",
    "Budget",
    "Candidate interview",
    "Customer call",
    "Data workshop",
    "Design critique",
    "Hiring sync",
    "Incident review",
    "Legal",
    "Onboarding",
    "One to one",
    "Planning",
    "Pricing review",
    "Quarterly planning",
    "Release check",
    "Retro",
    "Roadmap",
    "Sales weekly",
    "Security round",
    "Stand-up",
    "Supplier call",
    "Team lunch talk",
    "Usability test",
)

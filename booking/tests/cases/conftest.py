"""Rooms with rules of their own."""

from collections.abc import Callable

import pytest

from rooms.models import Policy, Room


@pytest.fixture
def with_rules() -> Callable[..., None]:
    """Give a room rules by the names of the rulebook."""

    def give(room: Room, **rules: object) -> None:
        Policy.objects.update_or_create(room=room, defaults=rules)

    return give

"""Fixtures of the numbered cases: rooms with their own policy rules."""

from collections.abc import Callable

import pytest

from rooms.models import Policy, Room


@pytest.fixture
def with_rules() -> Callable[..., None]:
    """Return a function that sets rules of a room's policy by their names."""

    def give(room: Room, **rules: object) -> None:
        Policy.objects.update_or_create(room=room, defaults=rules)

    return give

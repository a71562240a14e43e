"""Builders of people and of their bearer tokens."""

from itertools import count

from identity.commands.issue_api_token import issue_api_token
from identity.models import Role, User
from identity.queries import actor_of
from meeting_rooms.kernel.actor import Actor

_numbers = count(1)


def person(name: str = "", role: Role = Role.STAFF) -> User:
    n = next(_numbers)
    return User.objects.create_user(
        f"person{n}@example.org", None, display_name=name or f"Person {n}", role=role
    )


def actor(name: str = "", role: Role = Role.STAFF) -> Actor:
    return actor_of(person(name, role))


def bearer(user: User) -> dict[str, str]:
    """Return the header with which a program acts as `user`."""
    secret = issue_api_token(user=user, name="test").secret
    return {"Authorization": f"Bearer {secret}"}

"""Calls of the REST API as a person or a device."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client

from identity.commands.issue_device import issue_device
from identity.models import User
from identity.queries import actor_of
from identity.tests.factories import bearer
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from rooms.models import Room
from rooms.tests.factories import room

Answer = Any  # Django's test response


def future(hour: int) -> datetime:
    """Return an instant tomorrow, the same all day long: hours count from 08:00 UTC."""
    day = SYSTEM_CLOCK.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return day.replace(hour=8) + timedelta(days=1, hours=hour)


def slot(hour: int, hours: int = 1) -> dict[str, str]:
    return {
        "starts_at": future(hour).isoformat(),
        "ends_at": future(hour + hours).isoformat(),
    }


class Caller:
    """Whoever has the token; paths are below /api/v1."""

    def __init__(self, who: User | None = None, *, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if who is None else bearer(who)
        self.who = who
        self._client = Client(headers=headers, raise_request_exception=True)

    def call(self, method: str, path: str, body: Any = None, **extra: Any) -> Answer:
        send = getattr(self._client, method)
        if method == "get":
            return send(f"/api/v1{path}", body or {}, **extra)
        given = {} if body is None else {"data": body}
        return send(f"/api/v1{path}", content_type="application/json", **given, **extra)

    def get(self, path: str, query: Any = None, **extra: Any) -> Answer:
        return self.call("get", path, query, **extra)

    def post(self, path: str, body: Any = None, **extra: Any) -> Answer:
        return self.call("post", path, body, **extra)

    def patch(self, path: str, body: Any = None, **extra: Any) -> Answer:
        return self.call("patch", path, body, **extra)

    def refused(self, method: str, path: str, body: Any = None, **extra: Any) -> dict[str, Any]:
        """Return the problem of a call that is refused."""
        answer = self.call(method, path, body, **extra)
        assert answer.status_code >= 400, answer.content
        assert answer["Content-Type"] == "application/problem+json"
        return answer.json()

    def book(
        self, when: dict[str, str], place: Room | None = None, **details: Any
    ) -> dict[str, Any]:
        body = {"room": str((place or room()).uuid), **when, **details}
        answer = self.post("/bookings", body)
        assert answer.status_code == 201, answer.content
        return answer.json()


def device(admin: User, *rooms: Room, name: str = "Door of Den") -> Caller:
    """Issue a device of these rooms; return its caller."""
    known = [one.uuid for one in rooms]
    return Caller(token=issue_device(actor=actor_of(admin), name=name, rooms=known).secret)

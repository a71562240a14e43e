"""A client that books over HTTP, repeats unanswered commands by key, and records the answers."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import httpx

from realtime.tests.faults.artifacts import Acknowledged

SLOT = timedelta(minutes=15)
RETRY_S = 0.3


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the driver's clock is the right one, by definition


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request; status 0: no answer."""

    status: int
    took_s: float
    body: Any = None
    retry_after: str = ""


class Booker:
    """Books slots of tomorrow, one after another in each room."""

    def __init__(self, url: str, headers: Mapping[str, str], *, is_patient: bool = False) -> None:
        """Let `book` repeat commands if the machine is too busy for the product's time-outs."""
        self._is_patient = is_patient
        self._http = httpx.AsyncClient(
            base_url=url, headers=dict(headers), timeout=30, trust_env=False
        )
        self._next: dict[str, int] = {}
        self._commands = 0
        self.acknowledged: list[Acknowledged] = []
        self.answers: list[Answer] = []

    def turn_to(self, url: str) -> None:
        """Send all later requests to another process."""
        self._http.base_url = httpx.URL(url)

    async def close(self) -> None:
        await self._http.aclose()

    def command(
        self, room: str, start: datetime | None = None, length: timedelta = SLOT
    ) -> dict[str, Any]:
        """Return a new command for the next slot that this client has not requested yet."""
        self._commands += 1
        if start is None:
            n = self._next[room] = self._next.get(room, -1) + 1
            noon = now().replace(hour=6, minute=0, second=0, microsecond=0) + timedelta(days=1)
            start = noon + n * SLOT
        return {
            "room": room,
            "starts_at": start.isoformat(),
            "ends_at": (start + length).isoformat(),
            "title": f"meeting-{self._commands}",
        }

    async def send(self, command: Mapping[str, Any], *, timeout_s: float = 30.0) -> Answer:
        """Send a command once, with its title as its key; record a 201."""
        began = monotonic()
        headers = {"Idempotency-Key": command["title"]}
        try:
            got = await self._http.post(
                "/api/v1/bookings", json=dict(command), headers=headers, timeout=timeout_s
            )
        except httpx.HTTPError:
            answer = Answer(0, monotonic() - began)
        else:
            body = got.json() if "json" in got.headers.get("content-type", "") else None
            answer = Answer(
                got.status_code, monotonic() - began, body, got.headers.get("retry-after", "")
            )
        self.answers.append(answer)
        if answer.status == 201:
            self.acknowledged.append(
                Acknowledged(command["title"], answer.body["id"], command["room"])
            )
        return answer

    async def book(self, room: str, **more: Any) -> Answer:
        command = self.command(room, **more)
        return await (self.insist(command) if self._is_patient else self.send(command))

    async def insist(self, command: Mapping[str, Any], *, limit_s: float = 30.0) -> Answer:
        """Repeat a command until it is answered, as a correct client does."""
        deadline = monotonic() + limit_s
        while True:
            answer = await self.send(command)
            if answer.status not in (0, 502, 503, 504) or monotonic() > deadline:
                return answer
            await asyncio.sleep(RETRY_S)

    async def cancel(self, booking: str) -> int:
        """Cancel a booking; return the status of the answer, 0 for no answer."""
        try:
            return (await self._http.post(f"/api/v1/bookings/{booking}/cancel")).status_code
        except httpx.HTTPError:
            return 0

    async def get(self, path: str, *, timeout_s: float = 30.0) -> Answer:
        began = monotonic()
        try:
            got = await self._http.get(path, timeout=timeout_s)
        except httpx.HTTPError:
            return Answer(0, monotonic() - began)
        return Answer(got.status_code, monotonic() - began)

"""The claims of a row's run, the waiting for them, and the checker's result for the run."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import psycopg

from realtime.state.live_state import Audience
from realtime.tests.faults.artifacts import Evidence
from realtime.tests.faults.booking_client import Booker
from realtime.tests.faults.checker import violations
from realtime.tests.faults.expected_state import Truth, as_shown
from realtime.tests.faults.followers import Follower
from realtime.tests.faults.matrix import Amount, Claim, Outcome, Sized

HEALED_WITHIN_S = 10.0
POLL_S = 0.05
# The short form proves that a row works, not the speed of the product: other tests run beside it.
PATIENCE = Sized(1.0, 8.0)  # factor for each limit

Condition = Callable[[], bool] | Callable[[], Awaitable[bool]]


class Measuring:
    """The claims of one run. Limits are those of the matrix; the short form waits longer."""

    truth: Truth
    booker: Booker

    def __init__(self, *, is_short: bool) -> None:
        self.is_short = is_short
        self.outcome = Outcome()
        self.followers: list[Follower] = []

    def size(self, sized: Sized[Amount]) -> Amount:
        """Return the amount for this run."""
        return sized.short if self.is_short else sized.full

    def limit(self, limit_s: float) -> float:
        """Return how long this run waits for a limit of the matrix."""
        return limit_s * self.size(PATIENCE)

    def claim(self, what: str, is_kept: bool, measured: object = "") -> None:
        self.outcome.claims.append(Claim(what, str(measured), is_kept))

    def claim_quick(self, what: str, took_s: float, limit_s: float) -> None:
        """Claim that an action took no longer than `limit_s`."""
        self.claim(what, took_s <= self.limit(limit_s), f"{took_s:.2f} s")

    async def until(self, limit_s: float, condition: Condition, otherwise: str) -> float:
        """Wait for a condition before the row begins. Raises AssertionError if it stays false."""
        took = await self.took(limit_s, condition)
        if took is None:
            raise AssertionError(f"{otherwise} within {self.limit(limit_s):.0f} s")
        return took

    async def within(self, limit_s: float, what: str, condition: Condition) -> float | None:
        """Claim that `condition` becomes true in time; return the seconds until then."""
        took = await self.took(limit_s, condition)
        measured = f"> {self.limit(limit_s):.0f} s" if took is None else f"{took:.2f} s"
        self.claim(what, took is not None, measured)
        return took

    async def took(self, limit_s: float, condition: Condition) -> float | None:
        """Wait for `condition`; return the seconds until it became true, None if it did not."""
        began = monotonic()
        while True:
            answer = condition()
            if (await answer) if asyncio.iscoroutine(answer) else answer:
                return monotonic() - began
            if monotonic() - began > self.limit(limit_s):
                return None
            await asyncio.sleep(POLL_S)

    async def all_live(self, followers: list[Follower] | None = None) -> bool:
        return all(one.is_live() for one in followers or self.followers)

    async def is_settled(self) -> bool:
        """Return whether Postgres, MongoDB and every screen have the same states."""
        try:
            async with asyncio.timeout(5):
                states = await self.truth.states()
                versions = await self.truth.schedule_versions()
        except (TimeoutError, psycopg.Error, OSError):
            return False
        if versions != {room: state.schedule.version for room, state in states.items()}:
            return False
        marks = {room: state.mark for room, state in states.items()}
        return all(one.screen.have() == one.part_of(marks) for one in self.followers)

    async def settles(self, what: str, limit_s: float = HEALED_WITHIN_S) -> float | None:
        return await self.within(limit_s, what, self.is_settled)

    async def evidence(self) -> Evidence:
        states = await self.truth.states()
        shown = {a: {r: as_shown(s, a) for r, s in states.items()} for a in Audience}
        theirs = {
            f.name: f.part_of(shown[Audience.PUBLIC if f.is_public else Audience.STAFF])
            for f in self.followers
        }
        return Evidence(
            histories={f.name: f.screen.applied for f in self.followers},
            screens={f.name: f.screen.rooms for f in self.followers},
            truth=theirs,
            stored=await self.truth.bookings(),
            acknowledged=self.booker.acknowledged,
        )

    async def judge(self) -> None:
        """Run the checker on the finished run."""
        broken = violations(await self.evidence())
        self.claim("nothing violated", not broken, "; ".join(broken) or "0 violations")

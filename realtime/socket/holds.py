"""The holds of one connection: taken, renewed and let go over the socket, in a thread each.

A hold outlives a socket that was cut: its owner may be back before it runs out. It does not outlive
one that was closed on purpose.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError

from booking.commands.hold_slot import hold_slot
from booking.commands.release_hold import release_hold
from booking.commands.renew_hold import renew_hold
from booking.domain.booking_data import BookingData
from booking.domain.holds import HOLD_LASTS_AT_MOST
from meeting_rooms.kernel.actor import Actor
from meeting_rooms.kernel.errors import (
    MeetingRoomsError,
    NotAuthenticatedError,
    UnavailableError,
)
from meeting_rooms.kernel.interval import Interval
from realtime.protocol import messages
from realtime.protocol.messages import HoldSlot, ReleaseHold, RenewHold
from realtime.threads import in_thread

log = structlog.get_logger(__name__)
CLOSED_ON_PURPOSE = frozenset({1000, 1001, 1005})  # RFC 6455 7.4.1: done, page left, no code given
LEFT = "The page was closed"

AskActor = Callable[[], Awaitable[Actor | None]]


class ConnectionHolds:
    """What one connection holds. Who it is, is asked afresh for every frame."""

    def __init__(self, ask_actor: AskActor) -> None:
        self._ask_actor = ask_actor
        self._holds: set[UUID] = set()

    async def answer(self, frame: HoldSlot | RenewHold | ReleaseHold) -> str:
        """Do what the frame says and return the answer's text.

        Raises NotAuthenticatedError for nobody in particular, UnavailableError while Postgres is
        away, and whatever the commands raise.
        """
        try:
            actor = await self._ask_actor()
            if actor is None:
                raise NotAuthenticatedError("Sign in to hold a room.")
            return await self._do(frame, actor)
        except (OperationalError, InterfaceError) as exc:
            raise UnavailableError("Bookings cannot be reached right now. Try again.") from exc

    async def _do(self, frame: HoldSlot | RenewHold | ReleaseHold, actor: Actor) -> str:
        match frame:
            case HoldSlot():
                interval = Interval.of(frame.start, frame.end)
                take = partial(hold_slot, actor=actor, room=frame.room, interval=interval)
                return self._held(await in_thread(take), frame.ref)
            case RenewHold():
                renew = partial(renew_hold, actor=actor, hold=frame.hold)
                return self._held(await in_thread(renew), frame.ref)
            case ReleaseHold():
                await in_thread(partial(release_hold, actor=actor, hold=frame.hold))
                self._holds.discard(frame.hold)
                return messages.released(str(frame.hold), frame.ref)

    def _held(self, hold: BookingData, ref: messages.Ref) -> str:
        self._holds.add(hold.id)
        expires_at = hold.expires_at or hold.interval.end
        return messages.held(
            hold=str(hold.id),
            room=str(hold.room),
            slot=(hold.interval.start, hold.interval.end),
            expires_at=expires_at,
            renewable_until=max(hold.created_at + HOLD_LASTS_AT_MOST, expires_at),
            ref=ref,
        )

    async def closed(self, code: int) -> None:
        """Let go of what was held, if the client closed the socket on purpose."""
        if code not in CLOSED_ON_PURPOSE or not self._holds:
            return
        try:
            if actor := await self._ask_actor():
                release = partial(release_hold, actor=actor, reason=LEFT)
                await asyncio.gather(*(in_thread(release, hold=hold) for hold in self._holds))
        except (MeetingRoomsError, OperationalError, InterfaceError) as exc:
            log.warning("holds_run_out_instead", holds=len(self._holds), error=exc)

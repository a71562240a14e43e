"""The holds of one connection: hold, renew and release slots over the socket.

If the connection is lost, its holds stay: the person may reconnect before they expire. If the
client closes the socket, its holds are released.
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
PAGE_CLOSED = "The page was closed"  # reason in the audit entry

AskActor = Callable[[], Awaitable[Actor | None]]


class ConnectionHolds:
    """The holds of one connection. The actor is looked up again for every frame."""

    def __init__(self, ask_actor: AskActor) -> None:
        self._ask_actor = ask_actor
        self._holds: set[UUID] = set()

    async def answer(self, frame: HoldSlot | RenewHold | ReleaseHold) -> str:
        """Run the command of the frame and return the encoded answer.

        Raises NotAuthenticatedError for an anonymous client, UnavailableError if Postgres does not
        answer, and the errors of `hold_slot`, `renew_hold` and `release_hold`.
        """
        try:
            actor = await self._ask_actor()
            if actor is None:
                raise NotAuthenticatedError("Sign in to hold a room.")
            return await self._do(frame, actor)
        except (OperationalError, InterfaceError) as exc:
            raise UnavailableError(
                "The bookings cannot be read or changed at the moment. Try again."
            ) from exc

    async def _do(self, frame: HoldSlot | RenewHold | ReleaseHold, actor: Actor) -> str:
        match frame:
            case HoldSlot():
                interval = Interval.of(frame.start, frame.end)
                take = partial(hold_slot, actor=actor, room=frame.room, interval=interval)
                return self._add(await in_thread(take), frame.ref)
            case RenewHold():
                renew = partial(renew_hold, actor=actor, hold=frame.hold)
                return self._add(await in_thread(renew), frame.ref)
            case ReleaseHold():
                await in_thread(partial(release_hold, actor=actor, hold=frame.hold))
                self._holds.discard(frame.hold)
                return messages.released(str(frame.hold), frame.ref)

    def _add(self, hold: BookingData, ref: messages.Ref) -> str:
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

    async def release_on_close(self, code: int) -> None:
        """Release the holds if the close code shows that the client closed the socket."""
        if code not in CLOSED_ON_PURPOSE or not self._holds:
            return
        try:
            if actor := await self._ask_actor():
                release = partial(release_hold, actor=actor, reason=PAGE_CLOSED)
                await asyncio.gather(*(in_thread(release, hold=hold) for hold in self._holds))
        except (MeetingRoomsError, OperationalError, InterfaceError) as exc:
            log.warning("holds_not_released", holds=len(self._holds), error=exc)

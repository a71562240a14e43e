"""Redaction of live states for an audience. The only module that hides titles of live states."""

from dataclasses import replace

from booking.domain.privacy import BUSY_TITLE
from realtime.state.live_state import Audience, LiveState, RoomStatus, Slot, SlotState


def may_read(state: LiveState, audience: Audience) -> bool:
    """Return whether the audience may read any data of this room."""
    return audience is Audience.STAFF or state.is_public


def redact(state: LiveState, audience: Audience) -> LiveState:
    """Return `state` without the data that `audience` may not read.

    The title of a private booking is "Busy" for everyone. For the public every title is "Busy",
    unless the building shows titles and the booking is not pending. The public gets no organizers,
    head counts and holds; a held room is free for the public.
    """
    schedule = state.schedule
    slots = (*schedule.agenda, schedule.current, schedule.next)
    if audience is Audience.STAFF and not any(value.private for value in slots if value):
        return state
    titles = audience is Audience.STAFF or state.shows_titles

    def slot(value: Slot | None) -> Slot | None:
        if value is None:
            return None
        unapproved = audience is Audience.PUBLIC and value.state is SlotState.PENDING
        hidden = value.private or not titles or unapproved
        return replace(
            value,
            title=BUSY_TITLE if hidden else value.title,
            organizer="" if hidden or audience is Audience.PUBLIC else value.organizer,
        )

    public = audience is Audience.PUBLIC
    redacted = replace(
        state,
        schedule=replace(
            schedule,
            agenda=tuple(s for s in map(slot, schedule.agenda) if s),
            current=slot(schedule.current),
            next=slot(schedule.next),
        ),
        occupancy=replace(state.occupancy, count=None) if public else state.occupancy,
    )
    return _without_holds(redacted) if public else redacted


def _without_holds(state: LiveState) -> LiveState:
    """Return the state as if the room had no holds."""
    if not state.holds:
        return state
    return replace(
        state,
        status=RoomStatus.FREE if state.status is RoomStatus.HELD else state.status,
        next_change_at=state.next_public_change_at,
        next_public_change_at=None,
        holds=(),
    )

"""Redaction: what of a live state an audience may read. The only place where titles are hidden."""

from dataclasses import replace

from booking.domain.privacy import BUSY_TITLE
from realtime.domain.state import Audience, LiveState, Slot


def may_read(state: LiveState, audience: Audience) -> bool:
    """Say whether the audience may know of this room at all."""
    return audience is Audience.STAFF or state.is_public


def redact(state: LiveState, audience: Audience) -> LiveState:
    """Return `state` without anything that `audience` may not read.

    A private booking is "Busy" to everyone; to the public every booking is, unless its building
    shows titles; organizers and head counts never leave for the public.
    """
    titles = audience is Audience.STAFF or state.shows_titles

    def slot(value: Slot | None) -> Slot | None:
        if value is None:
            return None
        hidden = value.private or not titles
        return replace(
            value,
            title=BUSY_TITLE if hidden else value.title,
            organizer="" if hidden or audience is Audience.PUBLIC else value.organizer,
        )

    schedule = state.schedule
    public = audience is Audience.PUBLIC
    return replace(
        state,
        schedule=replace(
            schedule,
            agenda=tuple(s for s in map(slot, schedule.agenda) if s),
            current=slot(schedule.current),
            next=slot(schedule.next),
        ),
        occupancy=replace(state.occupancy, count=None) if public else state.occupancy,
    )

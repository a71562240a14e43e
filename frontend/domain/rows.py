"""The row of one room on a board: its status, texts and arrow. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from booking.domain.privacy import BUSY_TITLE
from frontend.domain.times import local_time, span
from realtime.state.live_state import LiveState, RoomStatus, SlotState

_DETAIL = re.compile(r"(?P<name>.+?)\s*\((?P<detail>[^()]+)\)\s*")
_LONG_NAME = 12  # characters that fit beside a status in the largest type size

# The reason on a closed room's row, by the code of the refusal; other codes have no text.
_BY_BOOKINGS = frozenset({"slot_taken", "gap_too_short"})
_REASONS = {
    "outside_opening_hours": "outside opening hours",
    "gap_leaves_hours": "outside opening hours",
    "out_of_service": "out of service soon",
    "too_short_notice": "only booked ahead",
    "day_taken": "one booking a day",
}
_WAYS = {"up": "ahead", "up-left": "ahead on the left", "up-right": "ahead on the right"}


class Kind(StrEnum):
    """The look of a row: its CSS class and its glyph."""

    FREE = "free"
    SOON = "soon"  # busy, free in minutes
    BUSY = "busy"
    WAIT = "wait"  # booked, but without a check-in yet
    OFF = "off"


class Countdown(StrEnum):
    """The kind of countdown in the second line: `for 21 min`, `free in 6 min`."""

    FOR = "for"
    IN = "in"


@dataclass(frozen=True, slots=True)
class RoomRow:
    """The content of the row template. `counts_to` is the instant to which `sub` counts down."""

    id: str
    epoch: str
    version: int
    kind: Kind
    glyph: str
    word: str
    line: str
    sub: str
    countdown: Countdown | None
    counts_to: datetime | None
    name: str
    detail: str
    meta: str
    arrow: str

    @property
    def was(self) -> str:
        """Return the word to show when the board is no longer live."""
        return f"Was {self.word.lower()}"

    @property
    def way(self) -> str:
        """Return the arrow in words, for screen readers."""
        return _WAYS.get(self.arrow, self.arrow)

    @property
    def is_long(self) -> bool:
        """Return whether the name needs a smaller type size and two lines."""
        return len(self.name) > _LONG_NAME


@dataclass(frozen=True, slots=True)
class _Words:
    """The part of a row that depends on the status."""

    kind: Kind
    word: str
    line: str
    sub: str = ""
    countdown: Countdown | None = None


def room_row(state: LiveState, now: datetime) -> RoomRow:
    """Return the row of one room, whose state is already redacted for the audience."""
    words = _words(state, now)
    name, detail = short_name(state.name)
    return RoomRow(
        id=state.id,
        epoch=state.epoch,
        version=state.version,
        kind=words.kind,
        glyph=words.kind,
        word=words.word,
        line=words.line,
        sub=words.sub,
        countdown=words.countdown,
        counts_to=state.until if words.countdown else None,
        name=name,
        detail=detail,
        meta="1 seat" if state.capacity == 1 else f"{state.capacity} seats",
        arrow=state.direction,
    )


def short_name(name: str) -> tuple[str, str]:
    """Split `K.1.105 (La Fontaine)` into the name of the room and a detail."""
    match = _DETAIL.fullmatch(name)
    return (match["name"], match["detail"]) if match else (name, "")


def shown_title(title: str) -> str:
    """Return the title, or "" if it is redacted."""
    return "" if title == BUSY_TITLE else title


def _words(state: LiveState, now: datetime) -> _Words:
    match state.status:
        case RoomStatus.FREE | RoomStatus.HELD:  # a hold is no booking yet
            return _free(state, now)
        case RoomStatus.RESERVED:
            title = _current_title(state)
            return _Words(
                Kind.WAIT,
                "Waiting",
                _until(state, now),
                f"for {title}" if title else _waiting_for(state),
            )
        case RoomStatus.OCCUPIED:
            line = _until(state, now) or "now"
            return _Words(Kind.BUSY, "Busy", line, _occupied_by(state))
        case RoomStatus.ENDING:
            return _ending(state, now)
        case RoomStatus.CLOSED:
            return _closed(state, now)
        case RoomStatus.OUT_OF_SERVICE:
            reason = state.closure.reason if state.closure else ""
            return _Words(Kind.OFF, "Closed", _until(state, now), reason)
        case _:
            assert_never(state.status)


def _free(state: LiveState, now: datetime) -> _Words:
    if state.until is None:
        return _Words(Kind.FREE, "Free", "rest of the day", "nothing else booked")
    sub = f"for {span(state.until - now)}"
    return _Words(Kind.FREE, "Free", _until(state, now), sub, Countdown.FOR)


def _ending(state: LiveState, now: datetime) -> _Words:
    if state.until is None:
        return _Words(Kind.SOON, "Busy", "now", "free soon")
    sub = f"free in {span(state.until - now)}"
    return _Words(Kind.SOON, "Busy", _until(state, now), sub, Countdown.IN)


def _closed(state: LiveState, now: datetime) -> _Words:
    """Return the words of a room that cannot be booked from now on.

    The row says Busy if a booking is the reason, because the room is open to the people who booked.
    """
    upcoming = state.schedule.next
    if state.refusal in _BY_BOOKINGS:
        is_before = upcoming is not None and (state.until is None or upcoming.start < state.until)
        if upcoming is not None and is_before:
            starts = f"from {local_time(upcoming.start, state.timezone, now)}"
            return _Words(Kind.BUSY, "Busy", starts, shown_title(upcoming.title))
        return _Words(Kind.BUSY, "Busy", _until(state, now), "being prepared")
    return _Words(Kind.OFF, "Closed", _until(state, now), _REASONS.get(state.refusal or "", ""))


def _until(state: LiveState, now: datetime) -> str:
    if state.until is None:
        return ""
    return f"until {local_time(state.until, state.timezone, now)}"


def _occupied_by(state: LiveState) -> str:
    return _current_title(state) if state.schedule.current else "no booking"


def _waiting_for(state: LiveState) -> str:
    current = state.schedule.current
    is_pending = current is not None and current.state is SlotState.PENDING
    return "awaiting approval" if is_pending else "no check-in yet"


def _current_title(state: LiveState) -> str:
    current = state.schedule.current
    return shown_title(current.title) if current else ""

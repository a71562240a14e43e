"""One room as one row of a board. Pure; the words are those people say at the door."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from booking.domain.privacy import BUSY_TITLE
from frontend.domain.times import local_time, span
from realtime.state.live_state import LiveState, RoomStatus, SlotState

_DETAIL = re.compile(r"(?P<name>.+?)\s*\((?P<detail>[^()]+)\)\s*")
_LONG_NAME = 12  # letters that fit beside a status at the first type tier

# Why a room is closed, by the code with which a booking is refused; other codes need no words.
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
    """How a row looks: names the css class and the glyph."""

    FREE = "free"
    SOON = "soon"  # busy, free in minutes
    BUSY = "busy"
    WAIT = "wait"  # booked, nobody there yet
    OFF = "off"


class Countdown(StrEnum):
    """How the second line ages by the minute: `for 21 min`, `free in 6 min`."""

    FOR = "for"
    IN = "in"


@dataclass(frozen=True, slots=True)
class RoomRow:
    """Everything the row template prints. `counts_to` is the instant that `sub` counts towards."""

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
        """The word once the board is no longer live."""
        return f"Was {self.word.lower()}"

    @property
    def way(self) -> str:
        """The arrow in words, for those who do not see it."""
        return _WAYS.get(self.arrow, self.arrow)

    @property
    def is_long(self) -> bool:
        """Whether the name needs the smaller type tier and two lines."""
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
    """Return the row of one room, already redacted for whoever reads it."""
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
    """Split `K.1.105 (La Fontaine)` into what a board calls the room and what it adds."""
    match = _DETAIL.fullmatch(name)
    return (match["name"], match["detail"]) if match else (name, "")


def shown_title(title: str) -> str:
    """Return the title, or nothing where redaction took it away."""
    return "" if title == BUSY_TITLE else title


def _words(state: LiveState, now: datetime) -> _Words:
    match state.status:
        case RoomStatus.FREE | RoomStatus.HELD:  # not booked yet, so one may walk in
            return _free(state, now)
        case RoomStatus.RESERVED:
            title = _current_title(state)
            return _Words(
                Kind.WAIT,
                "Waiting",
                _until(state, now),
                f"for {title}" if title else _nobody_yet(state),
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

    Where a booking is the reason the row says Busy: the room is closed to nobody who has booked it.
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


def _nobody_yet(state: LiveState) -> str:
    current = state.schedule.current
    is_pending = current is not None and current.state is SlotState.PENDING
    return "awaiting approval" if is_pending else "nobody has checked in"


def _current_title(state: LiveState) -> str:
    current = state.schedule.current
    return shown_title(current.title) if current else ""

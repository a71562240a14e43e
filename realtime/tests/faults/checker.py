"""The checker of every run: the guarantees that hold under every fault. Pure.

Each rule returns sentences, one per violation; no sentence means that the guarantee held.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator

from realtime.tests.faults.artifacts import Applied, Evidence, Stored

MAX_TOLD = 5  # violations of one rule that a report repeats


def violations(evidence: Evidence) -> list[str]:
    """Return the violations of a run."""
    found = []
    for rule in RULES:
        broken = list(rule(evidence))
        found += broken[:MAX_TOLD]
        if len(broken) > MAX_TOLD:
            found.append(f"… and {len(broken) - MAX_TOLD} more of the same rule")
    return found


def versions_only_rise(evidence: Evidence) -> Iterator[str]:
    """Within an epoch every state on a screen is newer than the state before it."""
    for client, history in evidence.histories.items():
        highest: dict[tuple[str, str], int] = {}
        for one in history:
            seen = highest.get((one.room, one.epoch))
            if seen is not None and one.version <= seen:
                yield f"{client}: room {one.room[:8]} went from version {seen} to {one.version}"
            highest[one.room, one.epoch] = max(one.version, seen or 0)


def epochs_never_return(evidence: Evidence) -> Iterator[str]:
    """A room never returns to an earlier epoch."""
    for client, history in evidence.histories.items():
        current: dict[str, str] = {}
        over: set[tuple[str, str]] = set()
        for one in history:
            before = current.get(one.room)
            if before is not None and before != one.epoch:
                over.add((one.room, before))
            if (one.room, one.epoch) in over:
                yield f"{client}: room {one.room[:8]} went back to epoch {one.epoch}"
            current[one.room] = one.epoch


def same_mark_same_content(evidence: Evidence) -> Iterator[str]:
    """Room, epoch and version name one state, on every screen of an audience."""
    contents: dict[tuple[str, str, str, int], str] = {}
    for client, history in evidence.histories.items():
        for one in history:
            known = contents.setdefault(_mark(one), one.content)
            if known != one.content:
                yield f"{client}: room {one.room[:8]} version {one.version} has two contents"


def screens_equal_the_store(evidence: Evidence) -> Iterator[str]:
    """At the end every screen shows exactly the states in MongoDB."""
    for client, screen in evidence.screens.items():
        truth = evidence.truth.get(client, {})
        for room in truth.keys() | screen.keys():
            if screen.get(room) != truth.get(room):
                shown, held = (_named(one.get(room)) for one in (screen, truth))
                yield f"{client}: room {room[:8]} shows {shown}, the store holds {held}"


def no_two_share_a_slot(evidence: Evidence) -> Iterator[str]:
    """No two live bookings of a room overlap."""
    rooms: dict[str, list[Stored]] = defaultdict(list)
    for booking in evidence.stored:
        if booking.is_live:
            rooms[booking.room].append(booking)
    for room, bookings in rooms.items():
        bookings.sort(key=lambda b: b.start)
        latest = bookings[0]
        for booking in bookings[1:]:
            if booking.start < latest.end:
                yield f"room {room[:8]}: bookings {latest.id[:8]} and {booking.id[:8]} overlap"
            latest = max(latest, booking, key=lambda b: b.end)


def acknowledged_exist_once(evidence: Evidence) -> Iterator[str]:
    """Every acknowledged booking exists, is live, and exists only once."""
    by_id = {booking.id: booking for booking in evidence.stored}
    by_title: dict[str, int] = defaultdict(int)
    for booking in evidence.stored:
        by_title[booking.title] += 1
    for one in evidence.acknowledged:
        booking = by_id.get(one.booking)
        if booking is None:
            yield f"booking {one.booking[:8]} was acknowledged and is not there"
        elif booking.room != one.room or not booking.is_live:
            yield f"booking {one.booking[:8]} was acknowledged and is {booking.state}"
        if by_title[one.key] > 1:
            yield f"{by_title[one.key]} bookings were made of the one command {one.key}"


def one_key_one_booking(evidence: Evidence) -> Iterator[str]:
    """A command that is repeated with its key returns the same booking every time."""
    named: dict[str, str] = {}
    for one in evidence.acknowledged:
        first = named.setdefault(one.key, one.booking)
        if first != one.booking:
            yield f"key {one.key} was answered {first[:8]} and then {one.booking[:8]}"


def _mark(one: Applied) -> tuple[str, str, str, int]:
    return one.audience, one.room, one.epoch, one.version


def _named(body: object) -> str:
    if not isinstance(body, dict):
        return "nothing"
    return f"{body.get('status')} {body.get('epoch')}:{body.get('version')}"


RULES: tuple[Callable[[Evidence], Iterator[str]], ...] = (
    versions_only_rise,
    epochs_never_return,
    same_mark_same_content,
    screens_equal_the_store,
    no_two_share_a_slot,
    acknowledged_exist_once,
    one_key_one_booking,
)

"""The checker refuses every run that breaks a guarantee; otherwise a passed run proves nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from realtime.tests.faults.artifacts import Acknowledged, Applied, Evidence, Stored
from realtime.tests.faults.checker import RULES, violations

NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)
ROOM, OTHER = "room-1", "room-2"


def applied(version: int, *, epoch: str = "a", room: str = ROOM, content: str = "") -> Applied:
    return Applied(room, epoch, version, content or f"{room}:{epoch}:{version}")


def stored(id_: str, start_min: int, end_min: int, **more: str) -> Stored:
    at = [NOON + timedelta(minutes=m) for m in (start_min, end_min)]
    fields = {"room": ROOM, "state": "confirmed", "title": f"key-{id_}", **more}
    return Stored(id=id_, start=at[0], end=at[1], **fields)


def histories(*all_: list[Applied]) -> Evidence:
    return Evidence(histories={f"client-{n}": history for n, history in enumerate(all_)})


def good() -> Evidence:
    body = {"epoch": "b", "version": 2, "status": "free"}
    return Evidence(
        histories={
            "ann": [applied(1), applied(3), applied(1, epoch="b"), applied(2, epoch="b")],
            "ben": [applied(2), applied(9, room=OTHER), applied(2, epoch="b")],
        },
        screens={"ann": {ROOM: body}},
        truth={"ann": {ROOM: dict(body)}},
        stored=[
            stored("one", 0, 30),
            stored("two", 30, 60),
            stored("old", 10, 40, state="cancelled"),
            stored("far", 0, 60, room=OTHER),
        ],
        acknowledged=[Acknowledged("key-one", "one", ROOM), Acknowledged("key-one", "one", ROOM)],
    )


def with_booking(booking: Stored) -> Evidence:
    return Evidence(stored=[stored("one", 0, 30), booking])


def test_good_run__passes_every_rule():
    assert violations(good()) == []


REFUSED = {
    "version goes back": histories([applied(3), applied(2)]),
    "version applied twice": histories([applied(3), applied(3)]),
    "version goes back after another epoch": histories(
        [applied(3), applied(1, epoch="b"), applied(1, epoch="b")]
    ),
    "epoch comes back": histories([applied(3), applied(1, epoch="b"), applied(4)]),
    "one mark, two contents, two screens": histories(
        [applied(1, content="free")], [applied(1, content="busy")]
    ),
    "screen behind": replace(
        good(), screens={"ann": {ROOM: {"epoch": "b", "version": 1, "status": "free"}}}
    ),
    "screen with other content": replace(
        good(), screens={"ann": {ROOM: {"epoch": "b", "version": 2, "status": "occupied"}}}
    ),
    "screen without the room": replace(good(), screens={"ann": {}}),
    "screen with a room that is gone": replace(good(), truth={"ann": {}}),
    "overlap": with_booking(stored("two", 29, 60)),
    "overlap inside a longer one": Evidence(
        stored=[stored("day", 0, 600), stored("one", 10, 20), stored("two", 30, 40)]
    ),
    "overlap of the very same slot": with_booking(stored("two", 0, 30)),
    "acknowledged and lost": Evidence(acknowledged=[Acknowledged("key-one", "one", ROOM)]),
    "acknowledged and cancelled": Evidence(
        stored=[stored("one", 0, 30, state="cancelled")],
        acknowledged=[Acknowledged("key-one", "one", ROOM)],
    ),
    "acknowledged in another room": Evidence(
        stored=[stored("one", 0, 30, room=OTHER)],
        acknowledged=[Acknowledged("key-one", "one", ROOM)],
    ),
    "stored twice": Evidence(
        stored=[stored("one", 0, 30), stored("two", 60, 90, title="key-one")],
        acknowledged=[Acknowledged("key-one", "one", ROOM)],
    ),
    "one key, two bookings": Evidence(
        stored=[stored("one", 0, 30), stored("two", 60, 90)],
        acknowledged=[Acknowledged("k", "one", ROOM), Acknowledged("k", "two", ROOM)],
    ),
}


@pytest.mark.parametrize("evidence", REFUSED.values(), ids=REFUSED.keys())
def test_bad_run__is_refused(evidence: Evidence):
    assert violations(evidence)


def test_rules__each__is_needed_by_some_bad_run():
    for rule in RULES:
        assert any(list(rule(evidence)) for evidence in REFUSED.values()), rule.__name__


def test_many_violations__are_told_in_short():
    broken = violations(histories([applied(n) for n in range(100, 0, -1)]))
    assert len(broken) == 6
    assert broken[-1] == "… and 94 more of the same rule"

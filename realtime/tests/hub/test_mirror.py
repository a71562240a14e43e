"""The mirror: the version of a room never falls, and only the store decides about epochs."""

from realtime.hub.mirror import Mirror, Verdict
from realtime.state.topics import Topic
from realtime.tests.factories import live


def mirror_of(*states) -> Mirror:
    mirror = Mirror()
    for state in states:
        mirror.accept(state)
    return mirror


def test_accept__swapped_and_repeated__never_lowers_a_version():
    mirror = mirror_of(live(version=5))
    verdicts = [mirror.accept(live(version=v)) for v in (7, 6, 7, 8)]
    assert verdicts == [Verdict.GAP, Verdict.OLD, Verdict.OLD, Verdict.NEXT]
    assert mirror.get("r1").version == 8


def test_accept__another_epoch__is_left_to_the_store():
    mirror = mirror_of(live(version=5))
    assert mirror.accept(live(version=9, epoch="e2")) is Verdict.OTHER_EPOCH
    assert mirror.get("r1").mark == ("e1", 5)
    assert mirror.correct(live(version=1, epoch="e2"))
    assert mirror.get("r1").mark == ("e2", 1)


def test_correct__older_than_the_state_from_the_layer__is_ignored():
    mirror = mirror_of(live(version=5))
    assert not mirror.correct(live(version=4))
    assert mirror.get("r1").version == 5


def test_differing__other_states_in_the_store__names_them():
    mirror = mirror_of(live("r1"), live("r2", 2))
    marks = {"r1": ("e1", 1), "r2": ("e1", 3), "r3": ("e1", 1)}
    assert mirror.differing(marks) == ["r2", "r3"]


def test_states__room_moves__changes_topic():
    mirror = mirror_of(live("r1", floor="one"), live("r2", floor="one"))
    mirror.accept(live("r1", 2, floor="two"))
    assert [s.id for s in mirror.states(Topic("floor", "one"))] == ["r2"]
    assert [s.id for s in mirror.states(Topic("floor", "two"))] == ["r1"]
    mirror.forget("r2")
    assert mirror.states(Topic("floor", "one")) == []
    assert {s.id for s in mirror.states(Topic("campus"))} == {"r1"}

from datetime import date, time

import pytest
from django.db import IntegrityError, connection, transaction

from identity.models import Role
from identity.queries import actor_of
from identity.tests.factories import actor, person
from meeting_rooms.kernel.errors import (
    InvalidCommandError,
    NotFoundError,
    OutdatedCommandError,
    PermissionDeniedError,
)
from rooms.domain.effective_policy import Approval, EffectivePolicy
from rooms.domain.explain_policy import explain
from rooms.domain.listed_rules import LISTED_RULES
from rooms.domain.policy_document import PolicyDocument
from rooms.domain.policy_rules import SINGLE_RULES
from rooms.models import ExceptionPeriod, OpeningException, Policy, PolicyChange, RulesVersion
from rooms.policies.cache import current_room_policies, room_policies
from rooms.policies.set_policy import set_policy
from rooms.policies.store import CAMPUS, building_scope, document_of, room_scope
from rooms.tests.factories import divide, every_day, floor, policy, room

pytestmark = pytest.mark.django_db


def effective_policy_of(one):
    [rules] = current_room_policies([one.uuid])
    return rules.policy


def document(**members):
    return PolicyDocument.model_validate(members)


def test_effective_policy__without_policies__has_the_defaults():
    effective = effective_policy_of(room())
    assert effective == EffectivePolicy(sources=effective.sources)
    assert set(effective.sources.values()) == {"default"}


def test_effective_policy__three_scopes__the_most_specific_wins():
    dogger = room()
    building = dogger.floor.building
    policy(max_minutes=60, gap_minutes=5, notice_minutes=30, absence_minutes=20)
    policy(building, gap_minutes=10, notice_minutes=0)
    policy(dogger, approval="always", absence_minutes=0)
    effective = effective_policy_of(dogger)
    assert (effective.max_minutes, effective.gap_minutes, effective.notice_minutes) == (60, 10, 0)
    assert (effective.approval, effective.absence_minutes) == (Approval.ALWAYS, None)
    result = [
        effective.sources[name] for name in ("max_minutes", "gap_minutes", "approval", "presence")
    ]
    assert result == ["campus", "building", "room", "default"]
    assert effective_policy_of(room()).gap_minutes == 5


def test_effective_policy__hours_of_a_scope__replace_all_inherited_hours():
    dogger = room()
    policy(hours=every_day("08:00", "18:00"))
    policy(dogger, hours={1: [("12:00", "14:00"), ("14:00", "16:00")]})
    assert effective_policy_of(dogger).hours == {1: ((time(12), time(16)),)}
    assert len(effective_policy_of(room()).hours) == 7


def test_effective_policy__exceptions__merge_by_date():
    dogger = room()
    for of, reason, first in ((None, "Holiday", 24), (dogger, "Party", 25)):
        policy(of).exceptions.create(
            first_date=date(2026, 12, first), last_date=date(2026, 12, 25), reason=reason
        )
    ExceptionPeriod.objects.create(
        exception=OpeningException.objects.get(reason="Party"), opens="20:00", closes="00:00"
    )
    result = effective_policy_of(dogger).exceptions
    assert [(day.day, result[day].reason) for day in sorted(result)] == [
        (24, "Holiday"),
        (25, "Party"),
    ]
    assert result[date(2026, 12, 25)].periods == ((time(20), time(0)),)


def test_effective_policy__people_and_quotas__are_those_of_all_scopes():
    dogger, ann, bob = room(), person(), person()
    policy(managers=[ann]).quotas.create(period="day", max_count=5)
    stored = policy(dogger, managers=[bob], bookers=[ann])
    stored.quotas.create(period="week", max_minutes=60)
    effective = effective_policy_of(dogger)
    assert (effective.managers, effective.bookers) == ({ann.pk, bob.pk}, {ann.pk})
    assert [(q.building_id, q.room_id) for q in effective.quotas] == [
        (None, None),
        (None, dogger.pk),
    ]


def test_rules__of_the_parts_of_a_hall__have_the_gaps_of_hall_and_part():
    hall, left, right = room(), room(), room()
    divide(hall, left, right)
    policy(hall, gap_minutes=30)
    [rules] = current_room_policies([left.uuid])
    assert rules.gaps == {hall.pk: 30, left.pk: 0}
    assert rules.division == (hall.pk, left.pk, right.pk)


@pytest.mark.parametrize("count", [1, 40])
def test_rules__of_any_number_of_rooms__take_the_same_number_of_queries(
    count, django_assert_num_queries
):
    here = floor()
    policy(hours=every_day("08:00", "18:00")).exceptions.create(
        first_date="2026-12-24", last_date="2026-12-24", reason="Closed"
    )
    rooms = [room(on=here) for _ in range(count)]
    for one in rooms[::2]:
        policy(one, gap_minutes=5)
    with django_assert_num_queries(9):  # the version twice, the rooms, six for policies
        room_policies([one.uuid for one in rooms])


def test_version__after_any_change_of_a_policy__is_new():
    dogger, versions = room(), set()

    def has_changed() -> bool:
        [version] = RulesVersion.objects.values_list("version", flat=True)
        is_new = version not in versions
        versions.add(version)
        return is_new

    stored = policy(dogger)
    assert has_changed()
    stored.opening_hours.create(weekday=0, opens="08:00", closes="12:00")
    assert has_changed()
    result = stored.exceptions.create(first_date="2026-12-24", last_date="2026-12-24", reason="x")
    assert has_changed()
    result.periods.create(opens="08:00", closes="12:00")
    assert has_changed()
    stored.quotas.create(period="day", max_count=1)
    assert has_changed()
    stored.people.create(user=person(), role="booker")
    assert has_changed()
    stored.delete()
    assert has_changed()


@pytest.mark.parametrize(
    "members",
    [
        {"max_minutes": 0},
        {"min_minutes": 60, "max_minutes": 30},
        {"approval": "sometimes"},
        {"gap_minutes": 24 * 60 + 1},
    ],
)
def test_policy__impossible_values__are_refused_by_the_database(members):
    with pytest.raises(IntegrityError), transaction.atomic():
        Policy.objects.create(**members)


def test_policy__second_one_of_a_scope__is_refused_by_the_database():
    policy()
    with pytest.raises(IntegrityError), transaction.atomic():
        Policy.objects.create()


def test_set__some_members__keeps_the_others_and_logs_what_differs():
    dogger, ann = room(), actor("Ann", Role.ADMIN)
    scope = room_scope(dogger.uuid)
    set_policy(actor=ann, scope=scope, changes=document(gap_minutes=10, max_minutes=60))
    done = set_policy(actor=ann, scope=scope, changes=document(gap_minutes=None, notice_minutes=5))
    assert (done.gap_minutes, done.max_minutes, done.notice_minutes) == (None, 60, 5)
    last = PolicyChange.objects.first()
    assert (last.actor_name, last.scope) == ("Ann", f"rooms/{dogger.uuid}")
    assert last.before == {"notice_minutes": None, "gap_minutes": 10}
    assert last.after == {"notice_minutes": 5, "gap_minutes": None}
    set_policy(actor=ann, scope=scope, changes=document(notice_minutes=5))
    assert PolicyChange.objects.count() == 2


def test_set__lists__replaces_each_complete_list():
    dogger, ann, bob = room(), actor(role=Role.ADMIN), person()
    scope = room_scope(dogger.uuid)
    complete = {
        "hours": [{"weekday": 1, "opens": "08:00", "closes": "00:00"}],
        "exceptions": [
            {"first_date": "2026-12-24", "last_date": "2026-12-26", "reason": "Closed",
             "is_holiday": True, "periods": [{"opens": "08:00", "closes": "12:00"}]},
        ],
        "quotas": [{"period": "week", "max_count": 2, "max_minutes": None, "week_starts": None,
                    "window": {"opens": "08:00", "closes": "20:00"}}],
        "bookers": [str(bob.pk)],
        "managers": [str(bob.pk)],
    }  # fmt: skip
    set_policy(actor=ann, scope=scope, changes=document(**complete))
    version = dogger.schedule_version
    dogger.refresh_from_db()
    assert dogger.schedule_version > version
    assert {name: document_of(scope).as_json()[name] for name in complete} == complete
    assert len(effective_policy_of(dogger).exceptions) == 3
    set_policy(actor=ann, scope=scope, changes=document(hours=[], quotas=[]))
    effective = effective_policy_of(dogger)
    assert (effective.hours, effective.quotas, effective.managers) == ({}, (), {bob.pk})


def test_set__by_a_room_manager__is_allowed_only_in_their_scope():
    dogger, ann = room(), actor_of(person())
    here = building_scope(dogger.floor.building.slug)
    for scope in (room_scope(dogger.uuid), here, CAMPUS):
        with pytest.raises(PermissionDeniedError):
            set_policy(actor=ann, scope=scope, changes=document(gap_minutes=1))
    policy(dogger.floor.building).people.create(user_id=ann.user_id, role="manager")
    for scope in (room_scope(dogger.uuid), here):
        set_policy(actor=ann, scope=scope, changes=document(gap_minutes=1))
    for scope in (room_scope(room().uuid), CAMPUS):
        with pytest.raises(PermissionDeniedError):
            set_policy(actor=ann, scope=scope, changes=document(gap_minutes=1))


@pytest.mark.parametrize(
    "members,code",
    [
        ({"min_minutes": 60, "max_minutes": 30}, "impossible_policy"),
        ({"managers": ["00000000-0000-0000-0000-000000000001"]}, "unknown_person"),
    ],
)
def test_set__invalid_members__changes_nothing(members, code):
    with pytest.raises(InvalidCommandError) as refused:
        set_policy(actor=actor(role=Role.ADMIN), scope=CAMPUS, changes=document(**members))
    assert refused.value.code == code
    assert not Policy.objects.exists()


def test_set__read_before_another_change__is_stale():
    admin = actor(role=Role.ADMIN)
    read = document_of(CAMPUS).fingerprint()
    done = set_policy(actor=admin, scope=CAMPUS, changes=document(gap_minutes=5), expected=read)
    with pytest.raises(OutdatedCommandError) as refused:
        set_policy(actor=admin, scope=CAMPUS, changes=document(gap_minutes=6), expected=read)
    assert refused.value.facts == {"etag": done.fingerprint()}


@pytest.mark.parametrize("change", ["UPDATE rooms_policychange SET actor_name = 'x'",
                                    "DELETE FROM rooms_policychange"])  # fmt: skip
def test_log__update_or_delete__is_refused(change):
    set_policy(actor=actor(role=Role.ADMIN), scope=CAMPUS, changes=document(gap_minutes=5))
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        connection.cursor().execute(change)


def test_explain__every_rule__has_a_sentence_and_a_source():
    dogger = room()
    policy(dogger, gap_minutes=15, hours=every_day("08:00", "18:00"))
    [rules] = current_room_policies([dogger.uuid])
    result = {one.rule: one for one in explain(rules)}
    assert result.keys() == {*SINGLE_RULES, *LISTED_RULES}
    assert result["gap_minutes"] == (
        "gap_minutes", 15, "room", "The room stays free for 15 minutes between two bookings."
    )  # fmt: skip
    assert result["hours"].value[0] == {"weekday": 0, "opens": "08:00", "closes": "18:00"}
    assert all(one.sentence.endswith(".") for one in result.values())
    with pytest.raises(NotFoundError):
        explain(rules, "colour")

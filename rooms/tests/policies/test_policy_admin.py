import pytest

from identity.models import Role
from identity.tests.factories import person
from rooms.models import OpeningException, Policy, PolicyChange
from rooms.policies.cache import current_room_policies
from rooms.tests.factories import every_day, policy, room

pytestmark = pytest.mark.django_db
LISTS = ("opening_hours", "exceptions", "quotas", "people")


@pytest.fixture
def admin(client):
    client.force_login(person("Ann", Role.ADMIN))
    return client


def form(*, lists=LISTS, **fields):
    """Return the fields that the page sends; each list has the new rows given by its name."""
    sent = {}
    for name in lists:
        rows = fields.pop(name, [])
        sent |= {f"{name}-TOTAL_FORMS": len(rows), f"{name}-INITIAL_FORMS": 0}
        sent |= {f"{name}-{n}-{key}": v for n, row in enumerate(rows) for key, v in row.items()}
    return sent | fields


def test_admin__new_policy__is_stored_logged_and_shown(admin):
    dogger = room()
    hours = [{"weekday": 0, "opens": "08:00", "closes": "12:00"}]
    answer = admin.post(
        "/admin/rooms/policy/add/", form(room=dogger.pk, gap_minutes=15, opening_hours=hours)
    )
    assert answer.status_code == 302, answer.context["errors"]
    [rules] = current_room_policies([dogger.uuid])
    assert (rules.policy.gap_minutes, list(rules.policy.hours)) == (15, [0])
    [logged] = PolicyChange.objects.all()
    assert (logged.actor_name, logged.scope) == ("Ann", f"rooms/{dogger.uuid}")
    assert logged.before == {"gap_minutes": None, "hours": []}
    assert logged.after["gap_minutes"] == 15
    dogger.refresh_from_db()
    assert dogger.schedule_version > 1


@pytest.mark.parametrize(
    "fields,message",
    [
        ({"gap_minutes": 9999}, "gap_minutes: 0 to 1440"),
        ({"min_minutes": 60, "max_minutes": 30}, "The shortest booking is longer"),
    ],
)
def test_admin__impossible_values__are_reported_in_the_form(admin, fields, message):
    answer = admin.post("/admin/rooms/policy/add/", form(**fields))
    assert message in answer.content.decode()
    assert not Policy.objects.exists()


def test_admin__second_campus_policy__is_reported_in_the_form(admin):
    policy()
    answer = admin.post("/admin/rooms/policy/add/", form())
    assert "This scope has a policy already." in answer.content.decode()


def test_admin__exception_with_periods__is_stored_and_logged(admin):
    stored = policy(hours=every_day("08:00", "18:00"))
    dates = {"policy": stored.pk, "first_date": "2026-12-24", "last_date": "2026-12-24"}
    periods = [{"opens": "08:00", "closes": "12:00"}]
    answer = admin.post(
        "/admin/rooms/openingexception/add/",
        form(lists=("periods",), reason="Eve", periods=periods, **dates),
    )
    assert answer.status_code == 302
    [logged] = PolicyChange.objects.all()
    assert logged.before == {"exceptions": []}
    assert logged.after["exceptions"][0]["periods"] == [{"opens": "08:00", "closes": "12:00"}]


def test_admin__exception_changed_or_deleted_in_a_list__keeps_the_others(admin):
    stored = policy(hours=every_day("08:00", "18:00"))
    for day in (24, 25, 26):
        date = f"2026-12-{day}"
        row = stored.exceptions.create(first_date=date, last_date=date, reason=f"Day {day}")
        row.periods.create(opens="09:00", closes="10:00")
    first = stored.exceptions.first()
    dates = {"first_date": "2026-12-24", "last_date": "2026-12-24"}
    answer = admin.post(
        f"/admin/rooms/openingexception/{first.pk}/change/",
        form(lists=(), reason="Eve", **dates)
        | {"periods-TOTAL_FORMS": 1, "periods-INITIAL_FORMS": 1,
           "periods-0-id": first.periods.get().pk, "periods-0-exception": first.pk,
           "periods-0-opens": "09:00", "periods-0-closes": "11:00"},
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["errors"]
    days = [(one.reason, str(one.periods.get().closes)) for one in stored.exceptions.all()]
    assert days == [("Eve", "11:00:00"), ("Day 25", "10:00:00"), ("Day 26", "10:00:00")]
    chosen = [one.pk for one in stored.exceptions.exclude(reason="Day 25")]
    admin.post(
        "/admin/rooms/openingexception/",
        {"action": "delete_selected", "_selected_action": chosen, "post": "yes"},
    )
    assert [one.reason for one in stored.exceptions.all()] == ["Day 25"]


def test_admin__hours_in_seconds__are_refused_in_the_form(admin):
    hours = [{"weekday": 0, "opens": "08:00:30", "closes": "12:00"}]
    answer = admin.post("/admin/rooms/policy/add/", form(opening_hours=hours))
    assert "without seconds" in answer.content.decode()
    assert not Policy.objects.exists()


def test_admin__deletions__are_logged(admin):
    stored = policy(gap_minutes=5)
    exception = stored.exceptions.create(
        first_date="2026-12-24", last_date="2026-12-24", reason="x"
    )
    admin.post(f"/admin/rooms/openingexception/{exception.pk}/delete/", {"post": "yes"})
    admin.post(
        "/admin/rooms/policy/",
        {"action": "delete_selected", "_selected_action": [stored.pk], "post": "yes"},
    )
    assert not Policy.objects.exists()
    assert not OpeningException.objects.exists()
    assert [list(change.after) for change in PolicyChange.objects.all()] == [
        ["gap_minutes"], ["exceptions"]
    ]  # fmt: skip


@pytest.mark.parametrize("page", ["policy", "openingexception", "policychange"])
def test_admin__each_list_and_page__opens(admin, page):
    stored = policy(room(), gap_minutes=5)
    stored.exceptions.create(first_date="2026-12-24", last_date="2026-12-24", reason="x")
    assert admin.get(f"/admin/rooms/{page}/").status_code == 200
    if page == "policy":
        assert admin.get(f"/admin/rooms/policy/{stored.pk}/change/").status_code == 200

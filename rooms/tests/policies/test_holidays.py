import json
from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from rooms.models import OpeningException, PolicyChange
from rooms.policies.cache import current_room_policies
from rooms.tests.factories import policy, room

pytestmark = pytest.mark.django_db


def run(*options):
    out = StringIO()
    call_command("import_holidays", "--country", "FI", *options, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_import__of_two_years__closes_the_campus_once():
    done = run("--years", "2026-2027", "--campus")
    assert {"date": "2026-12-06", "reason": "Independence Day"} in done["added"]
    assert done["known"] == []
    [rules] = current_room_policies([room().uuid])
    exception = rules.policy.exceptions[date(2027, 12, 6)]
    assert (exception.reason, exception.is_holiday, exception.periods) == (
        "Independence Day",
        True,
        (),
    )
    again = run("--years", "2026-2027", "--campus")
    assert (again["added"], len(again["known"])) == ([], len(done["added"]))
    [logged] = PolicyChange.objects.all()
    assert logged.actor_name == "import_holidays"


def test_import__date_with_an_exception__keeps_it():
    dogger = room()
    building = dogger.floor.building
    stored = policy(building).exceptions.create(
        first_date="2026-12-24", last_date="2026-12-26", reason="Winter hours"
    )
    stored.periods.create(opens="10:00", closes="14:00")
    done = run("--years", "2026", "--building", building.slug)
    assert [entry["date"] for entry in done["known"]] == ["2026-12-24", "2026-12-25", "2026-12-26"]
    [rules] = current_room_policies([dogger.uuid])
    assert rules.policy.exceptions[date(2026, 12, 25)].reason == "Winter hours"


def test_import__dry_run__stores_nothing():
    done = run("--years", "2026", "--campus", "--dry-run")
    assert done["dry_run"]
    assert len(done["added"]) > 10
    assert not OpeningException.objects.exists()


def test_import__without_json__lists_the_days():
    out = StringIO()
    call_command(
        "import_holidays", "--country", "de", "--subdivision", "BY", "--years", "2026", "--campus",
        stdout=out,
    )  # fmt: skip
    assert "2026-01-06 Epiphany" in out.getvalue()
    assert out.getvalue().strip().endswith("holidays to campus; 0 dates were known.")


@pytest.mark.parametrize(
    "options",
    [
        ["--country", "XX", "--years", "2026", "--campus"],
        ["--country", "FI", "--subdivision", "ZZ", "--years", "2026", "--campus"],
        ["--country", "FI", "--years", "2026", "--building", "nowhere"],
        ["--country", "FI", "--years", "2028-2026", "--campus"],
        ["--country", "FI", "--years", "2000-2026", "--campus"],
        ["--country", "FI", "--years", "soon", "--campus"],
        ["--country", "FI", "--years", "2026"],
    ],
)
def test_import__invalid_options__are_refused(options):
    with pytest.raises(CommandError):
        call_command("import_holidays", *options)

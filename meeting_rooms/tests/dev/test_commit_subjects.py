"""The commit subjects that the check refuses, and the reason for each."""

import pytest

from meeting_rooms.dev.commit_subjects import MAX_COLUMNS, fault_of

GOOD = [
    "fix(booking): retry a command after a concurrent change",
    "feat: add a glossary",
    "perf(infra)!: embed the fonts",
    "test(rooms): speed up the policy tests",
]
BAD = {
    "what was lost is looked at again": "not 'type",
    "fix(booking): the race is mended": "'the' is no imperative",
    "fix(booking): mended the race": "'mended' is no imperative",
    "fix(booking): mending the race": "'mending' is no imperative",
    "fix(Booking): mend the race": "not 'type",
    "fix(booking): mend the race.": "not 'type",
    "wip": "not 'type",
    "fix(booking): mend " + "x" * MAX_COLUMNS: "columns",
}


@pytest.mark.parametrize("subject", GOOD)
def test_subject__in_the_form__is_accepted(subject: str):
    assert fault_of(subject) is None


@pytest.mark.parametrize("subject,fault", BAD.items())
def test_subject__not_in_the_form__is_refused(subject: str, fault: str):
    assert fault in (fault_of(subject) or "")

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from identity.commands.authenticate_api_token import (
    authenticate_api_token,
    authenticate_api_tokens,
)
from identity.commands.issue_api_token import MAX_ACTIVE_TOKENS, issue_api_token
from identity.commands.revoke_api_token import revoke_api_token
from identity.models import ApiToken, Role, User
from identity.tests.factories import bearer, person
from meeting_rooms.kernel.clock import FixedClock
from meeting_rooms.kernel.errors import (
    InvalidCommandError,
    LimitExceededError,
    NotFoundError,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)
CLOCK = FixedClock(NOW)


def test_token__issued__authenticates_and_is_stored_only_as_a_hash():
    ann = person()
    issued = issue_api_token(user=ann, name="bot", clock=CLOCK)
    assert authenticate_api_token(secret=issued.secret, clock=CLOCK) == ann
    row = ApiToken.objects.values().get()
    assert issued.secret not in str(row)
    assert issued.secret.startswith(row["prefix"])
    assert row["last_used_at"] == NOW


def test_token__expired_revoked_or_owner_inactive__is_not_authenticated():
    ann = person()
    expired = issue_api_token(user=ann, name="a", expires_at=NOW + timedelta(hours=1), clock=CLOCK)
    later = FixedClock(NOW + timedelta(hours=1))
    assert authenticate_api_token(secret=expired.secret, clock=later) is None
    revoked = issue_api_token(user=ann, name="b", clock=CLOCK)
    revoke_api_token(user=ann, token_id=revoked.record.pk, clock=CLOCK)
    assert authenticate_api_token(secret=revoked.secret, clock=CLOCK) is None
    kept = issue_api_token(user=ann, name="c", clock=CLOCK)
    User.objects.update(is_active=False)
    assert authenticate_api_token(secret=kept.secret, clock=CLOCK) is None


def test_tokens__many_at_once__take_two_queries(django_assert_num_queries):
    ann, ben = person(), person()
    good = {issue_api_token(user=who, name="a", clock=CLOCK).secret: who for who in (ann, ben)}
    with django_assert_num_queries(2):
        owners = authenticate_api_tokens(secrets=[*good, "mr_unknown"], clock=CLOCK)
    assert owners == good
    with django_assert_num_queries(1):
        authenticate_api_tokens(secrets=[*good], clock=CLOCK)


def test_token__of_another_person__cannot_be_revoked():
    issued = issue_api_token(user=person(), name="a", clock=CLOCK)
    with pytest.raises(NotFoundError):
        revoke_api_token(user=person(), token_id=issued.record.pk, clock=CLOCK)


def test_token__invalid_or_too_many__is_refused():
    ann = person()
    for name, expires in (("", None), ("x" * 101, None), ("x", NOW)):
        with pytest.raises(InvalidCommandError):
            issue_api_token(user=ann, name=name, expires_at=expires, clock=CLOCK)
    for n in range(MAX_ACTIVE_TOKENS):
        issue_api_token(user=ann, name=str(n), clock=CLOCK)
    with pytest.raises(LimitExceededError):
        issue_api_token(user=ann, name="one more", clock=CLOCK)


def test_token_api__create_list_revoke__answers_each_call(client: Client):
    headers = bearer(person())
    created = client.post("/api/v1/tokens", {"name": "bot"}, "application/json", headers=headers)
    assert created.status_code == 201
    own = {"Authorization": f"Bearer {created.json()['secret']}"}
    listed = client.get("/api/v1/tokens", headers=own).json()
    assert sorted(token["name"] for token in listed) == ["bot", "test"]
    assert "secret" not in listed[0]
    assert client.delete(f"/api/v1/tokens/{created.json()['id']}", headers=own).status_code == 204
    assert client.get("/api/v1/me", headers=own).status_code == 401


def test_session__without_csrf_token__cannot_write():
    client = Client(enforce_csrf_checks=True)
    client.force_login(person())
    assert client.get("/api/v1/me").status_code == 200
    refused = client.post("/api/v1/tokens", {"name": "x"}, "application/json")
    assert refused.status_code == 403
    assert not ApiToken.objects.exists()


def test_person__e_mail_address_in_any_case__is_one_account():
    User.objects.create_user("Ann@Example.org", "a-long-password-1", display_name="Ann")
    client = Client()
    assert client.login(username="ANN@example.ORG", password="a-long-password-1")


def test_admin_site__staff_or_admin__only_admins_have_access():
    for role, status in ((Role.STAFF, 302), (Role.ADMIN, 200)):
        client = Client()
        client.force_login(person(role=role))
        for page in (
            "",
            "rooms/room/",
            "rooms/room/add/",
            "booking/booking/",
            "identity/user/add/",
        ):
            assert client.get(f"/admin/{page}").status_code == status, page

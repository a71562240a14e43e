"""People, tokens and devices in the admin site: every write is done by a command."""

from uuid import uuid4

import pytest

from identity.commands.issue_api_token import issue_api_token
from identity.commands.issue_device import issue_device
from identity.models import ApiToken, Device, Role, User
from identity.queries import actor_of
from identity.tests.admin_site import AdminSite, text
from identity.tests.factories import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def site():
    return AdminSite()


def form(who, **changes):
    fields = {"email": who.email, "display_name": who.display_name, "role": who.role,
              "is_active": "on"} | changes  # fmt: skip
    return {name: value for name, value in fields.items() if value is not None}


def test_person__added__can_sign_in_with_the_password(site, client):
    password = "a-long-password-1"
    fields = {"email": "Ben@Example.org", "display_name": "Ben", "role": Role.STAFF,
              "usable_password": "true", "password1": password, "password2": password}  # fmt: skip
    site.saved("identity/user/add/", fields)
    assert User.objects.get(display_name="Ben").email == "ben@example.org"
    assert client.login(username="ben@example.org", password=password)


def test_person__changed__is_stored_and_keeps_the_password(site):
    ben = User.objects.create_user("ben@example.org", "a-long-password-1", display_name="Ben")
    path = f"identity/user/{ben.pk}/change/"
    site.saved(path, form(ben, role=Role.ADMIN, is_active=None))
    ben.refresh_from_db()
    assert (ben.role, ben.is_active) == (Role.ADMIN, False)
    assert ben.check_password("a-long-password-1")


@pytest.mark.parametrize("changes", [{"role": Role.STAFF}, {"is_active": None}])
def test_person__last_active_admin__stays_an_active_admin(site, changes):
    person("Former", Role.ADMIN).delete()
    path = f"identity/user/{site.who.pk}/change/"
    assert "This is the last active admin" in site.refused(path, form(site.who, **changes))
    site.who.refresh_from_db()
    assert (site.who.role, site.who.is_active) == (Role.ADMIN, True)
    person("Second", Role.ADMIN)
    site.saved(path, form(site.who, **changes))


def test_person__deletion__is_refused(site):
    ben = person("Ben")
    assert site.post(f"identity/user/{ben.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "make a person inactive" in text(site.get("identity/user/"))
    assert User.objects.filter(pk=ben.pk).exists()


def test_token__in_the_admin_site__can_only_be_revoked(site):
    token = issue_api_token(user=person("Ben"), name="lobby").record
    path = f"identity/apitoken/{token.pk}"
    assert "/account/tokens" in text(site.get("identity/apitoken/"))
    for write in ("identity/apitoken/add/", f"{path}/change/", f"{path}/delete/"):
        assert site.post(write, {"post": "yes"}).status_code == 403
    assert site.act("identity/apitoken/", "revoke", token) == ["1 tokens were revoked."]
    revoked = ApiToken.objects.get().revoked_at
    assert revoked is not None
    assert site.act("identity/apitoken/", "revoke", token) == ["0 tokens were revoked."]
    assert ApiToken.objects.get().revoked_at == revoked
    assert f"{revoked:%H:%M} UTC" in text(site.get("identity/apitoken/"))


def test_device__in_the_admin_site__can_only_be_revoked(site):
    issued = issue_device(actor=actor_of(site.who), name="Door", rooms=[uuid4()])
    path = f"identity/device/{issued.record.pk}"
    assert "POST /api/v1/devices" in text(site.get(f"{path}/change/"))
    for write in ("identity/device/add/", f"{path}/change/", f"{path}/delete/"):
        assert site.post(write, {"name": "Gate", "post": "yes"}).status_code == 403
    site.act("identity/device/", "revoke", issued.record)
    assert Device.objects.get().revoked_at is not None
    assert Device.objects.get().name == "Door"

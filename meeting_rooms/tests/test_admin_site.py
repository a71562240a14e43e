"""Every model of the admin site: written by commands, and each instant shown with its zone."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.db import models

from booking.models import Booking
from booking.tests.factories import book, hours
from identity.admin.commands import CommandAdmin
from identity.commands.issue_api_token import issue_api_token
from identity.commands.issue_device import issue_device
from identity.queries import actor_of
from identity.tests.admin_site import AdminSite, text
from rooms.domain.policy_document import PolicyDocument
from rooms.models import Feature
from rooms.policies.set_policy import set_policy
from rooms.policies.store import CAMPUS
from rooms.tests.factories import room

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
DJANGO_WRITES = ("save_form", "save_formset", "save_model", "save_related", "delete_model",
                 "delete_queryset", "response_action")  # fmt: skip
COMMAND_OF = {"add": "store", "change": "store", "delete": "remove"}
INSTANT = re.compile(r"\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d(?P<zone> \S*)?")
ISO_FORM = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:[\d:.]+(?P<zone> \S*)?")
ZONES = {" UTC", " Europe/Helsinki"}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_admin__each_model__is_written_by_commands_only(model):
    found = admin.site._registry[model]
    assert isinstance(found, CommandAdmin)
    for name in DJANGO_WRITES:
        base = getattr(CommandAdmin, name)
        assert getattr(type(found), name) is base, f"{name} writes past the commands"
    for write in found.offers:
        command = COMMAND_OF[write]
        assert getattr(type(found), command) is not getattr(CommandAdmin, command), write
    assert found.offers == {"add", "change", "delete"} or found.where_else, "says where it is done"
    assert not found.list_editable


@pytest.fixture
def site():
    """Create one row of each model, so that no list and no page is empty."""
    site = AdminSite()
    dogger = room("Dogger")
    dogger.features.add(Feature.objects.create(slug="seat", name="Seat"))
    at = datetime(2026, 3, 12, 8, 30, tzinfo=UTC)
    dogger.closures.create(starts_at=at, ends_at=at.replace(hour=9), reason="Paint")
    booking = book(dogger, hours(11, 12))
    Booking.objects.filter(pk=booking.id).update(lapses_at=at.replace(hour=11))
    issue_api_token(user=site.who, name="lobby")
    issue_device(actor=actor_of(site.who), name="Door", rooms=[dogger.uuid])
    changes = PolicyDocument.model_validate(
        {"hours": [{"weekday": 0, "opens": "08:00", "closes": "18:00"}],
         "exceptions": [{"first_date": "2026-12-24", "last_date": "2026-12-24", "reason": "Eve",
                         "periods": [{"opens": "08:00", "closes": "12:00"}]}]}
    )  # fmt: skip
    set_policy(actor=actor_of(site.who), scope=CAMPUS, changes=changes)
    return site


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_admin__each_list_and_page__opens_and_names_the_zone_of_each_instant(site, model):
    name = f"{model._meta.app_label}/{model._meta.model_name}"
    paths = [f"{name}/", f"{name}/{model._default_manager.latest('pk').pk}/change/"]
    if admin.site._registry[model].has_add_permission(_request_of(site)):
        paths.append(f"{name}/add/")
    shown = 0
    for path in paths:
        answer = site.get(path)
        assert answer.status_code == 200, path
        page = text(answer)
        forms = [INSTANT]
        if model._meta.label != "booking.AuditEntry":  # its JSON shows the stored values
            forms.append(ISO_FORM)
        zones = [found["zone"] for form in forms for found in form.finditer(page)]
        assert {zone.strip(",.:") for zone in zones} <= ZONES, path
        shown += len(zones)
    fields = model._meta.concrete_fields
    assert shown or not any(isinstance(f, models.DateTimeField) and f.editable for f in fields)


@pytest.mark.django_db
def test_admin__opening_hours__state_the_zone_of_the_local_time(site):
    policy = text(site.get("rooms/policy/add/"))
    assert "times: local time of each building" in policy
    house = room().floor.building
    of_house = house._meta.get_field("policy").related_model.objects.create(building=house)
    page = text(site.get(f"rooms/policy/{of_house.pk}/change/"))
    assert "times: local time, Europe/Helsinki" in page


def _request_of(site):
    return type("Request", (), {"user": site.who})()

"""Every list has one order, the same for every reader: no two rows have equal keys."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import F, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import OrderBy
from django.test import Client
from django.urls import get_resolver

from booking.models import Booking, Series, WaitingEntry
from booking.series.book_series import BookSeries, book_series
from booking.tests.factories import book
from identity.commands.issue_api_token import issue_api_token
from identity.commands.issue_device import issue_device
from identity.models import Role
from identity.queries import actor_of
from identity.tests.factories import bearer, person
from meeting_rooms.api import api
from meeting_rooms.kernel.clock import SYSTEM_CLOCK
from meeting_rooms.kernel.interval import Interval
from realtime.store.live_store import shared_store
from rooms.models import Building, Feature
from rooms.queries import RoomFilter
from rooms.tests.factories import building, floor, policy, room

APPS = ("identity", "rooms", "booking", "realtime", "frontend")
MODELS = [model for name in ("identity", "rooms", "booking")
          for model in apps.get_app_config(name).get_models()]  # fmt: skip
UNKNOWN = "00000000-0000-4000-8000-000000000000"
GET_LIMIT = 21  # `QuerySet.get` reads at most so many rows: it returns one or raises
NOW = datetime(2036, 3, 12, 8, tzinfo=UTC)
WINDOW = Interval(NOW, NOW + timedelta(days=1))


def fields_of(queryset: QuerySet) -> list[str]:
    """Return the fields that order a queryset, with relations resolved to their models' orders."""
    query = queryset.query
    given = query.order_by or (query.get_meta().ordering if queryset.ordered else ())
    return [field for one in given for field in _resolved(queryset.model, one)]


def _resolved(model, one) -> list[str]:
    expression = one.expression if isinstance(one, OrderBy) else one
    name = expression.name if isinstance(expression, F) else expression
    if not isinstance(name, str):
        return []
    name = name.lstrip("-")
    field, of = None, model
    for part in name.split(LOOKUP_SEP):
        try:
            field = of._meta.get_field(of._meta.pk.name if part == "pk" else part)
        except FieldDoesNotExist:
            return []  # a transform or an annotation: orders rows, but is no key
        of = field.related_model or of
    if field.is_relation and not name.endswith(field.attname):
        return [
            name,
            *(f"{name}__{inner}" for o in of._meta.ordering for inner in _resolved(of, o)),
        ]
    return [name]


def has_total_order(queryset: QuerySet) -> bool:
    """Return whether no two rows of a queryset have equal values in its order."""
    if queryset.query.distinct and queryset._fields is not None:  # different values, each once
        return queryset.ordered
    meta, found = queryset.model._meta, set(fields_of(queryset))
    keys = [{"pk"}, *({f.name} for f in meta.fields if f.unique and not f.null)]
    keys += [set(c.fields) for c in meta.total_unique_constraints]
    return any(key <= found for key in keys)


@pytest.mark.parametrize(
    "queryset,is_total",
    [
        (lambda: Building.objects.all(), True),
        (lambda: Building.objects.order_by("name"), False),
        (lambda: Building.objects.order_by("-slug"), True),
        (lambda: Building.objects.order_by(), False),
        (lambda: Building.objects.annotate(n=F("pk")).order_by("n"), False),
        (lambda: Booking.objects.all(), False),
        (lambda: Booking.objects.order_by("during", "pk"), True),
        (lambda: Booking.objects.order_by("room"), False),
    ],
)
def test_has_total_order__each_kind_of_order__is_recognized(queryset, is_total):
    assert has_total_order(queryset()) is is_total


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_model__with_an_order__has_a_total_order(model):
    assert not model._meta.ordering or has_total_order(model._default_manager.all())


SAMPLES = {
    "booking.repository.bookings_during": lambda f: f(WINDOW, now=NOW),
    "booking.repository.bookings_in_the_way": lambda f: f(room(), WINDOW, now=NOW),
    "booking.exchange.export_table.bookings_around": lambda f: f(
        date(2036, 3, 1), date(2036, 3, 2)
    ),
    "booking.exchange.export_calendar._series_of": lambda f: f([]),
    "booking.management.commands.export_bookings._bookings": lambda f: f(
        date(2036, 3, 1), date(2036, 3, 2), {"building": None, "room": None}
    ),
    "rooms.policies.store.policies_with_lists": lambda f: f(),
    "rooms.admin.places._floors_beside": lambda f: f(room()),
    "rooms.queries.active_rooms": lambda f: f(),
    "rooms.queries.find_rooms": lambda f: f(RoomFilter(building="hq", features=("seat",))),
    "rooms.queries.rooms_under": lambda f: f(policy(building())),
    "rooms.queries.closures_during": lambda f: f([], WINDOW.start, WINDOW.end),
}
# tested with the pages below
ANSWER_REQUESTS = {
    "booking.api.approvals._pending",
    "rooms.api.list_rooms",
}
NO_LISTS = {"booking.exchange.import_event._came_from"}  # read into a mapping by UID


def selectors() -> dict[str, object]:
    """Return every function of the apps that returns a queryset."""
    found = {}
    for app in APPS:
        package = importlib.import_module(app)
        for module in pkgutil.walk_packages(package.__path__, f"{app}."):
            if ".tests" in module.name or module.name.endswith("__main__"):
                continue
            for name, function in vars(importlib.import_module(module.name)).items():
                is_own = inspect.isfunction(function) and function.__module__ == module.name
                if is_own and "QuerySet" in str(function.__annotations__.get("return", "")):
                    found[f"{module.name}.{name}"] = function
    return found


def test_selectors__each__is_tested_here_or_by_a_request():
    assert selectors().keys() == SAMPLES.keys() | ANSWER_REQUESTS | NO_LISTS


@pytest.mark.django_db
@pytest.mark.parametrize("name", SAMPLES)
def test_selector__each__has_a_total_order(name):
    queryset = SAMPLES[name](selectors()[name])
    assert has_total_order(queryset), queryset.query


@contextmanager
def reading() -> Iterator[list[QuerySet]]:
    """Collect the lists that are read inside the block, as querysets."""
    found: list[QuerySet] = []
    fetch, stream = QuerySet._fetch_all, QuerySet.iterator

    def collect(queryset: QuerySet) -> None:
        is_list = queryset.query.high_mark not in (1, GET_LIMIT)
        if is_list and queryset.model in MODELS and queryset._result_cache is None:
            found.append(queryset)

    def fetched(queryset: QuerySet) -> None:
        collect(queryset)
        fetch(queryset)

    def streamed(queryset: QuerySet, *args, **kwargs):
        collect(queryset)
        return stream(queryset, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QuerySet, "_fetch_all", fetched)
        patch.setattr(QuerySet, "iterator", streamed)
        yield found


@pytest.fixture
def known():
    """Create two rows of each model, and return the ids that addresses need."""
    ada = person("Ada", Role.ADMIN)
    for slug in ("seat", "screen"):
        Feature.objects.create(slug=slug, name="Alike")
    houses = [building(slug=slug) for slug in ("hq", "annex")]
    Building.objects.update(name="Alike")
    places = [room("Alike", on=floor(house)) for house in houses]
    for place in places:
        place.features.set(Feature.objects.all())
    tomorrow = SYSTEM_CLOCK.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    slot = Interval(tomorrow, tomorrow + timedelta(hours=1))
    booked = [book(place, slot, by=actor_of(ada), clock=SYSTEM_CLOCK) for place in places]
    for place in places:
        place.closures.create(starts_at=slot.start, ends_at=slot.end, reason="Paint")
        policy(place, gap_minutes=0)
        WaitingEntry.objects.create(
            user=ada, room=place, during=(slot.start, slot.end), created_at=slot.start
        )
        issue_api_token(user=ada, name="alike")
        issue_device(actor=actor_of(ada), name="alike", rooms=[place.uuid])
    start = (slot.start + timedelta(days=7)).replace(tzinfo=None)
    weekly = BookSeries(places[0].uuid, start, 30, "FREQ=WEEKLY;COUNT=2", "Weekly")
    book_series(actor=actor_of(ada), wanted=weekly)
    return {
        "ada": ada, "slug": "hq", "building": "hq", "room_id": places[0].uuid,
        "booking_id": booked[0].id, "series_id": Series.objects.get().pk,
        "day": slot.start.date(), "starts_at": slot.start.isoformat(),
        "ends_at": slot.end.isoformat(), "minutes": 30,
        "from": slot.start.date(), "to": slot.start.date(),
    }  # fmt: skip


def unordered(read: list[QuerySet]) -> list[str]:
    return [str(queryset.query) for queryset in read if not has_total_order(queryset)]


DOCUMENT = api.get_openapi_schema(path_prefix="/api/v1/")
READS = [(path, methods["get"]) for path, methods in DOCUMENT["paths"].items() if "get" in methods]


@pytest.mark.django_db
@pytest.mark.parametrize("path,operation", READS, ids=[o["operationId"] for _, o in READS])
def test_api__each_read__lists_in_a_total_order(known, path, operation):
    if operation["operationId"] == "show_own_device":
        device = issue_device(actor=actor_of(known["ada"]), name="d", rooms=[known["room_id"]])
        headers = {"Authorization": f"Bearer {device.secret}"}
    else:
        headers = bearer(known["ada"])
    address = re.sub(r"\{(\w+)\}", lambda found: str(known[found[1]]), path)
    needed = {
        p["name"]: known[p["name"]]
        for p in operation.get("parameters", ())
        if p["in"] == "query" and p["required"]
    }
    with reading() as read:
        answer = Client(headers=headers).get(address, needed)
    assert answer.status_code == 200, answer.content
    assert unordered(read) == []


PAGES = sorted(
    f"/{pattern.pattern}"
    for resolver in get_resolver().url_patterns
    if getattr(resolver, "urlconf_name", None) and "frontend" in str(resolver.urlconf_name)
    for pattern in resolver.url_patterns
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", PAGES)
async def test_pages__each__lists_in_a_total_order(known, async_client, page):
    await async_client.aforce_login(known["ada"])
    address = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(known.get(found[1], UNKNOWN)), page)
    with reading() as read:
        answer = await async_client.get(address)
    await shared_store().close()
    assert answer.status_code in {200, 302, 405}, address  # 405: only POST is allowed
    assert unordered(read) == []


def test_pages__list__contains_known_pages():
    lists = {"/", "/account/tokens", "/board/<slug:building>", "/book/<slug:building>"}
    assert lists <= set(PAGES)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "model", [m for m in admin.site._registry if m in MODELS], ids=lambda m: m._meta.label
)
def test_admin__each_list_and_form__is_in_a_total_order(known, model):
    client = Client()
    client.force_login(known["ada"])
    path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    with reading() as read:
        assert client.get(path).status_code == 200
        client.get(f"{path}add/")
    assert read
    assert unordered(read) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("known")
def test_home__buildings__have_one_order_for_staff_and_visitors():
    Building.objects.filter(slug="hq").update(name="Zeta")
    staff = Client()
    staff.force_login(person("Sam"))
    seen = [
        re.findall(r'href="/board/([\w-]+)"', client.get("/").content.decode())
        for client in (staff, Client())
    ]
    assert seen == [["annex", "hq"], ["annex", "hq"]]

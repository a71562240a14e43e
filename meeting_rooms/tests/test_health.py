"""Health, checks, and the headers and log lines of an answer."""

import json
import logging

import pytest
import structlog
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import AsyncClient, Client

from meeting_rooms.checks import STORES
from meeting_rooms.health import probe_stores

NOWHERE = {
    "DATABASE_URL": "postgres://127.0.0.1:1/x",
    "MONGODB_URL": "mongodb://127.0.0.1:1",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


async def test_healthz__no_store_asked__is_ok(async_client: AsyncClient):
    assert (await async_client.get("/healthz")).json() == {"status": "ok"}


async def test_readyz__all_stores_up__is_ok(async_client: AsyncClient):
    assert (await async_client.get("/readyz")).status_code == 200


@pytest.mark.usefixtures("mongodb_away")
async def test_readyz__stores_away__is_503_soon_without_an_address(async_client, settings):
    for name, url in NOWHERE.items():
        setattr(settings, name, url)
    answer = await async_client.get("/readyz")
    assert answer.status_code == 503
    assert set(answer.json()["stores"].values()) == {"unavailable"}
    assert "127.0.0.1" not in answer.content.decode()
    assert all(probe.problem for probe in await probe_stores())


@pytest.mark.usefixtures("mongodb_away")
def test_checks__stores_away__name_store_and_remedy(settings):
    for name, url in NOWHERE.items():
        setattr(settings, name, url)
    errors = run_checks(tags=[STORES], include_deployment_checks=True)
    assert {e.id for e in errors} == {f"meeting_rooms.E01{n}" for n in range(3)}
    assert all("services start" in e.hint for e in errors)


def test_checks__default_key__is_an_error(settings):
    settings.SECRET_KEY = settings.DEFAULT_SECRET_KEY
    assert [e.id for e in run_checks()] == ["meeting_rooms.E001"]


def test_checks__demo_with_https__is_an_error(settings):
    settings.DEMO = settings.HTTPS = True
    assert [e.id for e in run_checks()] == ["meeting_rooms.E002"]


def test_serve__check_fails__does_not_start(settings):
    settings.REDIS_URL = NOWHERE["REDIS_URL"]
    with pytest.raises(CommandError, match=r"meeting_rooms\.E012"):
        call_command("serve")


def test_simulate__no_demo__refuses(settings):
    with pytest.raises(CommandError, match="DEMO=1"):
        call_command("simulate")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/sign-in", "/healthz", "/nowhere", "/api/v1/openapi.json"])
def test_headers__of_every_answer__are_strict(client: Client, path: str):
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


async def test_request_id__valid_or_invalid__is_kept_or_replaced(async_client: AsyncClient):
    answer = await async_client.get("/healthz", headers={"X-Request-ID": "abc-1"})
    assert answer["X-Request-ID"] == "abc-1"
    answer = await async_client.get("/healthz", headers={"X-Request-ID": "a b\x1b[31m"})
    assert len(answer["X-Request-ID"]) == 32


def test_log__hostile_text__is_one_json_line():
    handler = logging.getLogger().handlers[0]
    record = logging.LogRecord("x", logging.INFO, "", 0, "a\nb\x1b[31m", None, None)
    line = handler.formatter.format(record)
    assert json.loads(line)["event"] == "a\nb\x1b[31m"
    assert "\n" not in line
    assert "\x1b" not in line


async def test_log__of_a_request__carries_its_id_and_outcome(async_client):
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        await async_client.get("/healthz?secret=1", headers={"X-Request-ID": "abc-2"})
    (line,) = [one for one in lines if one["event"] == "request"]
    assert (line["request_id"], line["path"], line["status"]) == ("abc-2", "/healthz", 200)
    assert "secret" not in str(line)

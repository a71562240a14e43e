"""Bad input at each entry point: a clear error, nothing stored, and the process stays alive."""

import asyncio
import json

import httpx
import pytest
from channels.db import database_sync_to_async
from websockets.exceptions import ConnectionClosed, InvalidStatus

from booking.models import Booking
from identity.commands.issue_api_token import issue_api_token
from identity.tests.factories import bearer, person
from meeting_rooms.tests.acceptance.test_live_acceptance import slot
from meeting_rooms.tests.stack import PATIENCE_S, Stack
from rooms.tests.factories import building, floor, room

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def api(shared_stack: Stack):
    headers = await database_sync_to_async(lambda: bearer(person()))()
    async with httpx.AsyncClient(
        base_url=shared_stack.url, headers=headers, timeout=PATIENCE_S
    ) as http:
        yield http
        assert (await http.get("/healthz")).status_code == 200
        assert not await Booking.objects.aexists()


make_room = database_sync_to_async(room)


async def refusal(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert body["status"] == answer.status_code
    assert body["detail"]
    return answer.status_code, body["code"]


@pytest.mark.parametrize(
    "content,status,code",
    [
        (b"{", 400, "not_json"),
        (b"\xff\xfe", 400, "not_json"),
        (b"[]", 422, "invalid"),
        (b"{}", 422, "invalid"),
        (b'{"x":"' + b"x" * 2_000_000 + b'"}', 413, "body_too_large"),
    ],
)
async def test_rest__unreadable_body__is_refused(api, content, status, code):
    answer = await api.post("/api/v1/bookings", content=content,
                            headers={"Content-Type": "application/json"})  # fmt: skip
    assert await refusal(answer) == (status, code)


@pytest.mark.parametrize(
    "change,status,code",
    [
        ({"room": UNKNOWN}, 404, "not_found"),
        ({"room": "dogger"}, 422, "invalid"),
        ({"ends_at": slot(0)["starts_at"]}, 422, "end_not_after_start"),
        ({"starts_at": "2036-03-01T09:00:00"}, 422, "time_without_zone"),
        ({"starts_at": "soon"}, 422, "invalid"),
        ({"starts_at": "2020-03-01T09:00:00Z", "ends_at": "2020-03-01T10:00:00Z"}, 422,
         "in_the_past"),
        ({"starts_at": "9999-12-31T23:59:59+00:00", "ends_at": "9999-12-31T23:59:59-12:00"}, 422,
         "invalid_time"),
        ({"starts_at": "0001-01-01T00:00:00+12:00"}, 422, "invalid_time"),
        ({"title": "a\u0000b"}, 422, "title_not_text"),
        ({"title": "x" * 201}, 422, "title_too_long"),
    ],
)  # fmt: skip
async def test_rest__impossible_booking__is_refused_with_a_code(api, change, status, code):
    dogger = await make_room()
    body = {"room": str(dogger.uuid), **slot(0), **change}
    assert await refusal(await api.post("/api/v1/bookings", json=body)) == (status, code)


@pytest.mark.parametrize("member", [{"state": "checked_in"}, {"organizer": "Eve"}])
async def test_rest__read_only_members__are_refused(api, member):
    dogger = await make_room()
    body = {"room": str(dogger.uuid), **slot(0), **member}
    assert await refusal(await api.post("/api/v1/bookings", json=body)) == (422, "invalid")


@pytest.mark.parametrize("path", ["/api/v1/rooms", "/api/v1/bookings", "/api/v1/me"])
async def test_rest__anonymous__is_401(shared_stack, path):
    async with httpx.AsyncClient(base_url=shared_stack.url) as http:
        for headers in ({}, {"Authorization": "Bearer mr_wrong"}, {"Authorization": "Bearer"}):
            answer = await http.get(path, headers=headers)
            assert await refusal(answer) == (401, "not_authenticated")


async def test_rest__unknown_booking__is_404_for_every_method(api):
    for method, tail in (("GET", ""), ("POST", "/cancel"), ("POST", "/check-in"), ("POST", "/end")):
        answer = await api.request(method, f"/api/v1/bookings/{UNKNOWN}{tail}")
        assert await refusal(answer) == (404, "not_found")


async def test_rest__period_too_long__is_refused(api):
    period = {"starts_at": "2036-01-01T00:00:00Z", "ends_at": "2036-06-01T00:00:00Z"}
    answer = await api.get("/api/v1/bookings", params=period)
    assert await refusal(answer) == (422, "period_too_long")
    answer = await api.get("/api/v1/availability", params={"minutes": 24 * 60 + 1})
    assert await refusal(answer) == (422, "invalid")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/rooms?building=%00",
        "/api/v1/rooms?feature=%00",
        "/api/v1/rooms?offset=1" + "0" * 20,
    ],
)
async def test_rest__query_value_too_large_for_its_column__is_422(api, path):
    assert (await api.get(path)).status_code == 422


async def test_rest__impossible_token__is_422(api):
    for body in ({"name": "a\u0000b"}, {"name": "a", "expires_at": "2036-01-01T00:00:00"}):
        assert (await api.post("/api/v1/tokens", json=body)).status_code == 422


async def test_rest__invalid_idempotency_key__is_refused(api):
    dogger = await make_room()
    body = {"room": str(dogger.uuid), **slot(0)}
    answer = await api.post("/api/v1/bookings", json=body, headers={"Idempotency-Key": "k" * 101})
    assert await refusal(answer) == (422, "bad_idempotency_key")


async def test_host__foreign__is_400(shared_stack):
    async with httpx.AsyncClient(base_url=shared_stack.url) as http:
        assert (await http.get("/", headers={"Host": "evil.example"})).status_code == 400


@pytest.mark.parametrize(
    "frame,code",
    [
        ("{", "bad_frame"),
        (b"\x00\x01", "bad_frame"),
        ("x" * 4097, "frame_too_large"),
        ('{"type":"fly"}', "bad_frame"),
        ('{"type":"subscribe","topic":"nowhere"}', "bad_topic"),
        ('{"type":"subscribe","topic":"campus","view":"x"}', "bad_view"),
        (json.dumps({"type": "subscribe", "topic": f"room:{UNKNOWN}"}), "not_found"),
    ],
)
async def test_socket__bad_frame__is_answered_and_the_socket_stays_open(shared_stack, frame, code):
    headers = await database_sync_to_async(lambda: bearer(person()))()
    async with shared_stack.socket(additional_headers=headers) as live, asyncio.timeout(PATIENCE_S):
        await live.raw.send(frame)
        assert (await live.next("error"))["code"] == code
        await live.send(type="ping", t=1)
        assert (await live.next("pong"))["t"] == 1


async def test_socket__many_bad_frames__is_closed_4400(shared_stack):
    async with shared_stack.socket() as live, asyncio.timeout(PATIENCE_S):
        for _ in range(6):
            await live.raw.send("{")
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await live.receive()
    assert closed.value.rcvd.code == 4400


async def test_socket__flood__is_closed_4429(shared_stack):
    async with shared_stack.socket() as live, asyncio.timeout(PATIENCE_S):
        with pytest.raises(ConnectionClosed) as closed:
            for n in range(200):
                await live.send(type="ping", t=n)
                await live.receive()
    assert closed.value.rcvd.code == 4429


async def test_socket__private_topic__is_closed_4401_known_or_not(shared_stack):
    hidden = await database_sync_to_async(lambda: room(on=floor(building(public=False))))()
    headers = await database_sync_to_async(lambda: bearer(person()))()
    async with shared_stack.socket(additional_headers=headers) as staff:
        await staff.follow_known(f"room:{hidden.uuid}")
    for topic in (f"room:{hidden.uuid}", f"room:{UNKNOWN}", "campus"):
        async with shared_stack.socket() as live, asyncio.timeout(PATIENCE_S):
            await live.send(type="subscribe", topic=topic)
            with pytest.raises(ConnectionClosed) as closed:
                while (frame := await live.receive())["type"] != "snapshot":
                    assert frame["code"] == "not_authenticated"
        assert closed.value.rcvd.code == 4401


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1", None]
)
async def test_socket__foreign_or_missing_origin__is_403(shared_stack, origin):
    with pytest.raises(InvalidStatus) as refused:
        async with shared_stack.socket(origin=origin):
            pass
    assert refused.value.response.status_code == 403


async def test_socket__token_revoked_while_open__is_closed_4401(shared_stack):
    owner = await database_sync_to_async(person)()
    headers = await database_sync_to_async(bearer)(owner)
    async with shared_stack.socket(additional_headers=headers) as live, asyncio.timeout(PATIENCE_S):
        await live.send(type="ping", t=1)
        await live.next("pong")
        await owner.api_tokens.all().adelete()
        assert (await live.next("error"))["code"] == "signed_out"
        with pytest.raises(ConnectionClosed) as closed:
            await live.receive()
    assert closed.value.rcvd.code == 4401


async def test_socket__revoked_token__is_403(shared_stack):
    def revoked() -> str:
        issued = issue_api_token(user=person(), name="t")
        issued.record.delete()
        return issued.secret

    secret = await database_sync_to_async(revoked)()
    with pytest.raises(InvalidStatus):
        async with shared_stack.socket(additional_headers={"Authorization": f"Bearer {secret}"}):
            pass

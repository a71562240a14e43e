"""Unreadable messages, from clients and on the layer (F28)."""

import asyncio
import json
import random
import re
from pathlib import Path
from typing import Any

import bson
import msgpack
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from realtime.layer.publisher import GROUP, ROOM_CHANGED
from realtime.protocol.messages import CLOSE_BAD_FRAME, MAX_BAD_FRAMES_PER_MINUTE
from realtime.state.live_state import LiveState
from realtime.tests.faults.fault_env import Lab
from realtime.tests.faults.matrix import Guard, Sized, row

SENDERS = Sized(40, 6)
ANSWERED_WITHIN_S = 5.0
COUNTED_WITHIN_S = 2.0
ROUNDS = Sized(5, 1)
SEED = 28
BAD_FRAMES: tuple[str | bytes, ...] = (
    "", "{", "null", "[]", "7", '"subscribe"', "{}", '{"type": null}', '{"type": "dance"}',
    '{"type": ["subscribe"]}', '{"type": "subscribe"}', '{"type": "subscribe", "topic": 7}',
    '{"type": "subscribe", "topic": "campus:all", "have": {"a": "b"}}',
    '{"type": "subscribe", "topic": "campus:all", "have": {"a": [1, "x", {}]}}',
    '{"type": "ping", "t": "soon"}', '{"type": "ping", "t": {"$gt": 0}}',
    '{"type": "ack", "n": -1}', '{"type": "ack", "n": 1e999}',
    '{"type": "seen", "display": "../x", "lags_ms": [1]}',
    '{"type": "seen", "display": "d", "lags_ms": [-1]}',
    '{"type": "subscribe", "topic": "' + "x" * 5000 + '"}',
    "[" * 4000, "\u0000\ufffd", b"\x00\xff\xfe", b"{}", '{"type": "subscribe", "topic": "\\ud800"',
)  # fmt: skip
NOT_UTF8 = b"\x81\x82\0\0\0\0\xff\xfe"  # a masked text frame
CLOSE_NOT_UTF8, CLOSE_TOO_BIG, DROPPED = 1007, 1009, 1006


def poison_of_the_layer(state: LiveState) -> list[bytes]:
    """Return messages that no release sends, some of them nearly equal to this state."""
    outer: Any = {"type": ROOM_CHANGED, "at": 1.0}
    messages = [
        7, None, [], "text", {}, {"type": None}, {"type": "room.vanished"}, outer,
        {**outer, "state": b"\x05\0\0\0\0"}, {**outer, "state": b"no bson"}, {**outer, "state": 7},
        {**outer, "state": bson.encode({"_id": 7, "version": "x"})},
        {**outer, "state": b"x" * 10**6},
        {"type": ROOM_CHANGED, "state": b"", "at": "soon"},
    ]  # fmt: skip
    doc = state.as_document()
    for wrong in (
        {"version": "x"}, {"version": None}, {"epoch": 7}, {"status": "dance"}, {"_id": [1]},
        {"schedule": 7}, {"floor": {}}, {"name": 7}, {"changed_at": "now"}, {"occupancy": None},
    ):  # fmt: skip
        messages.append({**outer, "state": bson.encode({**doc, **wrong})})
    return [b"", b"\xc1", b"\xff" * 100, *map(msgpack.packb, messages)]


async def open_socket(lab: Lab) -> ClientConnection:
    raw = await connect(
        f"ws://127.0.0.1:{lab.port}/ws/v1/live", origin=lab.url,
        additional_headers=lab.headers, ping_interval=None, proxy=None, compression=None,
    )  # fmt: skip
    await raw.recv()  # hello
    return raw


async def send_bad(lab: Lab, raw: ClientConnection, frames: list[str | bytes]) -> int:
    """Send the frames; return how many were answered by an error."""
    answered = 0
    async with asyncio.timeout(lab.limit(ANSWERED_WITHIN_S)):
        for frame in frames:
            await raw.send(frame)
            answered += json.loads(await raw.recv())["type"] == "error"
    return answered


async def close_code(lab: Lab, raw: ClientConnection) -> int:
    """Return the close code of the connection; 0 if it stays open."""
    try:
        async with asyncio.timeout(lab.limit(ANSWERED_WITHIN_S)):
            while True:
                await raw.recv()
    except ConnectionClosed as end:
        return end.rcvd.code if end.rcvd else 1006
    except TimeoutError:
        return 0


def counted(metrics_file: Path, name: str) -> float:
    """Return the value of a counter of the web process."""
    found = re.search(
        rf"^meeting_rooms_{name}_total (\S+)$", metrics_file.read_text(), re.MULTILINE
    )
    return float(found[1]) if found else 0.0


async def poison_by_clients(lab: Lab, metrics_file: Path) -> None:
    chance = random.Random(SEED)
    frames = list(BAD_FRAMES)
    chance.shuffle(frames)
    senders = [await open_socket(lab) for _ in range(lab.size(SENDERS))]
    shares = [frames[n::6][:MAX_BAD_FRAMES_PER_MINUTE] for n in range(6)]
    sent = answered = 0
    for n, raw in enumerate(senders):
        share = shares[n % len(shares)]
        sent += len(share)
        try:
            answered += await send_bad(lab, raw, share)
        except (ConnectionClosed, TimeoutError):
            continue
    lab.claim("bad frames answered", answered == sent, f"{answered} of {sent}")
    is_open = sum(raw.close_code is None for raw in senders)
    lab.claim("sockets that stay", is_open == len(senders), is_open)
    await lab.within(
        COUNTED_WITHIN_S, "counted", lambda: counted(metrics_file, "bad_frames") == sent
    )
    worst = await open_socket(lab)
    for _ in range(MAX_BAD_FRAMES_PER_MINUTE + 1):
        await worst.send("{")
    code = await close_code(lab, worst)
    lab.claim("one more than 5 a minute", code == CLOSE_BAD_FRAME, code)
    # RFC 6455, below our protocol, requires these connections to fail, in any way.
    raw = await open_socket(lab)
    raw.transport.write(NOT_UTF8)
    code = await close_code(lab, raw)
    lab.claim("bad UTF-8 ends that socket", code in (CLOSE_NOT_UTF8, DROPPED), code)
    raw = await open_socket(lab)
    await raw.send("x" * 100_000)
    code = await close_code(lab, raw)
    lab.claim("100 KB ends that socket", code in (CLOSE_TOO_BIG, DROPPED), code)
    for raw in senders:
        raw.transport.abort()


async def poison_on_the_layer(lab: Lab, metrics_file: Path) -> None:
    channel = f"{lab.environment['REDIS_PREFIX']}__group__{GROUP}"
    before = lab.web.output.count("change_dropped")
    poison = poison_of_the_layer((await lab.truth.states())[lab.rooms[0]])
    heard = [await lab.redis_command("PUBLISH", channel, one) for one in poison]
    lab.claim("poison heard", all(heard), f"{len(poison)} messages")

    def dropped() -> int:
        return lab.web.output.count("change_dropped") - before

    await lab.within(5, "each logged", lambda: dropped() >= len(poison))
    lab.claim("once", dropped() == len(poison), dropped())
    all_counted = lambda: counted(metrics_file, "changes_unreadable") == len(poison)  # noqa: E731
    await lab.within(COUNTED_WITHIN_S, "counted", all_counted)


@row(
    "F28",
    "poison: frames of clients and messages of the layer that cannot be read",
    "answered or logged once, and counted; only who sends over 5 a minute is closed; "
    "nobody else notices",
    Guard("the guarded decoding", web=("decode_unguarded",)),
)
async def poison(lab: Lab) -> None:
    metrics_file = lab.reached.with_name("counts")
    lab.start_worker()
    await lab.start_web(f"tell_counts={metrics_file}")
    others = lab.follow(4)
    await lab.until(20, lab.all_live, "clients did not come up")
    await poison_by_clients(lab, metrics_file)
    await poison_on_the_layer(lab, metrics_file)
    for n in range(lab.size(ROUNDS)):
        await lab.booker.book(lab.rooms[n % len(lab.rooms)])
    await lab.settles("screens right")
    healed = counted(metrics_file, "rooms_healed")
    if not lab.is_short:  # a push may arrive later than the next comparison
        lab.claim("by push, not by healing", healed <= len(lab.rooms), f"{healed:.0f} healed")
    await lab.within(5, "all live", lab.all_live)
    closed = sum(len(f.closes) + len(f.left) for f in others)
    lab.claim("others closed", not closed, closed)
    failures = lab.web.output.count("Traceback") + lab.web.output.count('"level": "critical"')
    lab.claim("failures in the log", not failures, failures)
    await lab.judge()

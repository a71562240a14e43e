"""Displays and servers of different releases (F33), and displays with a wrong clock (F22f)."""

import asyncio
from datetime import timedelta
from time import monotonic

from meeting_rooms.dev.servers.ports import free_port
from realtime.tests.faults.booking_client import now
from realtime.tests.faults.browser import Change, Display, browser, open_display
from realtime.tests.faults.fault_env import Lab
from realtime.tests.faults.matrix import Guard, Sized, row

DISPLAYS = Sized(4, 1)
OLD, NEW = "old", "next"  # the latter is the build that the patched process sends in its hello
RELOADED_WITHIN_S = 45.0  # the jitter is 30 s
CALM_S = Sized(35.0, 0.5)  # long enough for a loop of reloads to be seen
APART_S = 1.0
BEATS_S = Sized(6.0, 4.5)  # more than the interval of heartbeats
LIVE_WITHIN_S = 15.0
HOUR_MS = 3_600_000
NO_RELOAD: Change = ("reload.forBuild(serving)", "void serving")
SOON: Change = ("BUILD_JITTER_MS = 30000", "BUILD_JITTER_MS = 1000")
OWN_TIME: Change = (
    "const now = () => clock.at + mono() - clock.mono;",
    "const now = () => Date.now();",
)
OFF = """
const RealDate = Date;
Date = class extends RealDate {
  constructor(...given) { given.length ? super(...given) : super(RealDate.now() + OFFSET); }
  static now() { return RealDate.now() + OFFSET; }
};
"""


async def all_live(displays: list[Display]) -> bool:
    return all([await one.is_live() for one in displays])


@row(
    "F33a",
    "old displays and clients, new server: unknown members and frames, another build",
    "clients unaffected; each page loaded anew once within 45 s, not all at once",
    Guard("the page's heeding the build", driver="reload_off"),
)
async def new_server(lab: Lab) -> None:
    lab.start_worker()
    proxy = await lab.web_proxy()
    await lab.start_web(env={"BUILD": OLD})
    old, new = lab.web, free_port()
    await lab.start_web("next_release", port=new, env={"BUILD": NEW})
    clients = lab.follow(4, port=proxy.port)
    count = lab.size(DISPLAYS)
    change = NO_RELOAD if lab.off.driver else SOON if lab.is_short else None
    url = f"http://127.0.0.1:{proxy.port}/board/house"
    async with browser() as running:
        displays = [await open_display(running, url, change=change) for _ in range(count)]
        await lab.until(LIVE_WITHIN_S, lambda: all_live(displays), "displays did not come up")
        await lab.until(LIVE_WITHIN_S, lab.all_live, "clients did not come up")
        lab.claim("of the old build", {await d.build() for d in displays} == {OLD}, OLD)
        proxy.turn_to(new)
        lab.turn_to(new)
        old.kill()
        loaded = await _watch_loads(displays, lab.limit(RELOADED_WITHIN_S))
        done = sum(at is not None for at in loaded)
        times = sorted(at for at in loaded if at is not None)
        lab.claim("loaded anew", done == count, f"{done} of {count}")
        apart = times[-1] - times[0] if times else 0.0
        measured = ", ".join(f"{at:.1f}" for at in times)
        if not lab.is_short:
            lab.claim("not at once", apart > APART_S, f"after {measured} s")
        await asyncio.sleep(lab.size(CALM_S))
        loads = [d.loads for d in displays]
        lab.claim("once", loads == [2] * count, loads)
        builds = {await d.build() for d in displays}
        lab.claim("of the new build", builds == {NEW}, builds)
        await lab.within(LIVE_WITHIN_S, "displays live", lambda: all_live(displays))
    await lab.booker.book(lab.rooms[0])
    await lab.settles("clients right")
    novel = all("fanfare" in c.frames and not c.errors for c in clients)
    lab.claim("new frames came and did no harm", novel, novel)
    await lab.judge()


async def _watch_loads(displays: list[Display], limit_s: float) -> list[float | None]:
    """Wait until each display has loaded twice; return the seconds until then, None for never."""
    began = monotonic()
    loaded: list[float | None] = [None] * len(displays)
    while None in loaded and monotonic() - began < limit_s:
        for n, display in enumerate(displays):
            if loaded[n] is None and display.loads > 1:
                loaded[n] = monotonic() - began
        await asyncio.sleep(0.05)
    return loaded


@row(
    "F33b",
    "new clients, old server: members that it does not know",
    "ignored: no error, live and right",
    Guard("ignoring unknown members", web=("unknown_forbidden",)),
)
async def old_server(lab: Lab) -> None:
    await lab.start()
    clients = lab.follow(4, extra={"novelty": {"deep": [1, None]}, "since": "2030"})
    await lab.within(LIVE_WITHIN_S, "live", lambda: lab.all_live(clients))
    for client in clients:  # an unknown frame only gets an answer
        await client.send('{"type": "fanfare", "novelty": 7}')
    await lab.booker.book(lab.rooms[0])
    await lab.settles("right")
    errors = sorted({code for c in clients for code in c.errors[:-1]})
    lab.claim("errors", not errors, errors)
    measured = [c.errors[-1:] for c in clients]
    lab.claim(
        "an unknown frame is answered", measured == [["bad_frame"]] * len(clients), measured[0]
    )
    closed = sum(len(c.closes) for c in clients)
    lab.claim("closed", not closed, closed)
    await lab.judge()


@row(
    "F22f",
    "displays whose clocks are an hour fast and an hour slow",
    "live; the board's clock is the server's",
    Guard("the offset to the server's clock", driver="offset_off"),
)
async def displays_off(lab: Lab) -> None:
    await lab.start()
    url = f"{lab.url}/board/house"
    change = OWN_TIME if lab.off.driver else None
    async with browser() as running:
        displays = [
            await open_display(running, url, first=OFF.replace("OFFSET", str(off)), change=change)
            for off in (HOUR_MS, -HOUR_MS)
        ]
        await lab.within(LIVE_WITHIN_S, "live", lambda: all_live(displays))
        await lab.booker.book(lab.rooms[0], start=now() - timedelta(minutes=1))
        await asyncio.sleep(lab.size(BEATS_S))
        lab.claim("still live", await all_live(displays), await all_live(displays))
        near = {f"{now() + timedelta(seconds=s):%H:%M}" for s in (-2, 2)}
        shown = [await d.clock() for d in displays]
        lab.claim("clocks", set(shown) <= near, f"{shown} at {min(near)}")

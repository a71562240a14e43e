"""A web process dies while nobody does anything; another one is there already (F1)."""

from time import monotonic

from meeting_rooms.tests.stack import free_port
from realtime.tests.faults.fault_env import Lab
from realtime.tests.faults.matrix import Guard, row

BACK_WITHIN_S = 5.0
PUSHED_WITHIN_S = 1.0  # after its answer a booking is on every screen that calls itself live
CLIENTS = 12


def wrong_proofs(lab: Lab, room: str, version: int, since: float) -> int:
    """Count the proofs of life since then of a screen on which the room is older than that."""
    return sum(
        rooms[room]["schedule"]["version"] < version
        for follower in lab.followers
        for at, rooms in follower.proven
        if at > since and room in rooms
    )


@row(
    "F1",
    "web killed while idle, another process takes its place behind the proxy",
    "clients live again within 5 s; none calls itself live with what is old",
    Guard("the client's coming back", driver="stays_away"),
)
async def idle(lab: Lab) -> None:
    spare = free_port()
    proxy = await lab.web_proxy()
    proxy.turn_to(lab.port, spare=spare)
    await lab.start()
    first = lab.web
    await lab.start_web(port=spare)
    lab.follow(CLIENTS, port=proxy.port)
    await lab.until(20, lab.all_live, "clients did not come up")
    for follower in lab.followers:
        follower.comes_back = not lab.off.driver
    killed_at = monotonic()
    first.kill()
    lab.turn_to(spare)
    answer = await lab.booker.book(lab.rooms[0])
    booked_at = monotonic()
    lab.claim("the other one books at once", answer.status == 201, answer.status)

    def back() -> bool:
        return all(f.proofs and f.proofs[-1] > killed_at for f in lab.followers)

    await lab.within(BACK_WITHIN_S - (monotonic() - killed_at), "all live again", back)
    closes = {code for f in lab.followers for _, code in f.closes}
    lab.claim("closed without a word", closes == {1006}, closes)
    await lab.settles("screens right")
    version = (await lab.truth.schedule_versions())[lab.rooms[0]]
    wrong = wrong_proofs(lab, lab.rooms[0], version, booked_at + PUSHED_WITHIN_S)
    lab.claim("live with what is old", not wrong, f"{wrong} times")
    await lab.judge()

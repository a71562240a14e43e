"""The sizes of all measurements: those of the goals, or small ones for a smoke test."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of all measurements. Times are in seconds."""

    rounds: int
    clients: int = 1000  # "N" of the goals
    few_clients: int = 100
    few_rate: float = 50.0  # changes a second; the product sends at most about 90, 10 ms apart
    many_clients: int = 5000
    sample_s: float = 3.0  # of one fan-out sample
    min_updates: int = 3  # of one sample, also for slow servers
    burst_rooms: int = 16
    latency_s: float = 15.0
    stalled_updates: int = 20_000
    herd_rooms: int = 50
    bookings: int = 300  # of one sample of the booking command
    contested_slots: int = 1000
    contenders: int = 32  # for each slot
    race_clients: int = 200  # that request one slot at once over HTTP
    board_requests: int = 300
    board_rooms: int = 50
    day_rooms: int = 500
    day_bookings: int = 8  # of each room
    day_requests: int = 20
    small_estate: int = 50  # rooms
    large_estate: int = 5000
    watchers: int = 100  # of the growing building
    commit_bookings: int = 240
    commit_rate: float = 8.0  # bookings a second
    commit_buildings: int = 10
    commit_rooms: int = 500


def quick_plan() -> Plan:
    """Return small sizes that only test the benchmark; the measured numbers mean nothing."""
    return Plan(
        rounds=1,
        clients=50,
        few_clients=10,
        many_clients=100,
        sample_s=0.3,
        latency_s=2.0,
        stalled_updates=400,
        herd_rooms=5,
        bookings=20,
        contested_slots=5,
        contenders=8,
        race_clients=20,
        board_requests=20,
        board_rooms=10,
        day_rooms=10,
        day_requests=3,
        small_estate=10,
        large_estate=100,
        watchers=10,
        commit_bookings=10,
        commit_buildings=2,
        commit_rooms=20,
    )

"""A store that is away: one line at the start, one a minute, one at the end; no tracebacks."""

import asyncio
import logging
from collections.abc import Iterator

import psycopg
import psycopg_pool
import pymongo
import pytest
import redis
from django.db import OperationalError as DjangoOperationalError
from django.http import HttpResponse
from django.utils.log import log_response
from psycopg.errors import AdminShutdown, DeadlockDetected, QueryCanceled

from meeting_rooms.dev.servers.ports import free_port
from meeting_rooms.kernel.errors import LiveStoreUnavailableError, UnavailableError
from meeting_rooms.kernel.store_outages import FORGET_S, REMIND_S, SETTLED_S, Store, StoreOutages
from meeting_rooms.store_log import StoreOutageFilter, store_of

Lines = list[tuple[str, str, int]]


class Clock:
    """A monotonic clock that moves when a test moves it."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outages(clock: Clock) -> StoreOutages:
    return StoreOutages(clock)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture):
    """Return a function that returns the log lines about stores since its last call."""

    def read() -> Lines:
        found = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
        caplog.clear()
        return [(m["event"], m["store"], m["failures"]) for m in found if "failures" in m]

    return read


def test_outage__of_three_minutes__logs_one_line_a_minute(outages, clock, lines):
    for _ in range(1800):  # ten failures a second
        outages.failed(Store.REDIS, "refused")
        clock.now += 0.1
    clock.now += SETTLED_S
    outages.answered(Store.REDIS)
    outages.answered(Store.REDIS)
    events = [event for event, _, _ in lines()]
    assert events == [
        "store_unavailable",
        "store_still_unavailable",
        "store_still_unavailable",
        "store_answers_again",
    ]


def test_outage__the_last_line__counts_the_failures_that_were_not_logged(outages, clock, lines):
    for _ in range(5):
        outages.failed(Store.MONGODB, "refused")
    clock.now += SETTLED_S
    outages.answered(Store.MONGODB)
    assert lines() == [("store_unavailable", "mongodb", 1), ("store_answers_again", "mongodb", 5)]


def test_outage__answers_between_failures__do_not_end_it(outages, clock, lines):
    for _ in range(100):
        outages.failed(Store.REDIS, "refused")
        clock.now += SETTLED_S / 2
        outages.answered(Store.REDIS)
    assert [event for event, _, _ in lines()] == ["store_unavailable"]
    clock.now += SETTLED_S / 2
    outages.answered(Store.REDIS)
    assert [event for event, _, _ in lines()] == ["store_answers_again"]


def test_outage__two_stores__are_two_outages(outages, clock, lines):
    outages.failed(Store.MONGODB, "refused")
    outages.failed(Store.POSTGRES, "refused")
    clock.now += SETTLED_S
    outages.answered(Store.POSTGRES)
    outages.failed(Store.MONGODB, "refused")
    assert [(event, store) for event, store, _ in lines()] == [
        ("store_unavailable", "mongodb"),
        ("store_unavailable", "postgres"),
        ("store_answers_again", "postgres"),
    ]


def test_outage__a_failure_long_after_the_last__is_a_new_outage(outages, clock, lines):
    outages.failed(Store.REDIS, "refused")
    clock.now += FORGET_S + 1
    outages.failed(Store.REDIS, "refused")
    assert [event for event, _, _ in lines()] == ["store_unavailable"] * 2
    clock.now += REMIND_S
    outages.failed(Store.REDIS, "refused")
    assert [event for event, _, _ in lines()] == ["store_still_unavailable"]


def test_outage__a_store_that_never_failed__is_not_logged(outages, lines):
    outages.answered(Store.POSTGRES)
    assert lines() == []


# -- records about a store that is away ----------------------------------------------------------


class Kept(logging.Handler):
    """Keeps the records that pass its filter."""

    def __init__(self, outages: StoreOutages) -> None:
        super().__init__()
        self.addFilter(StoreOutageFilter(outages))
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def kept(outages: StoreOutages) -> Iterator[Kept]:
    handler, root = Kept(outages), logging.getLogger()
    # The filter of this process would log the same outages again, by the system clock.
    usual = [(other, f) for other in root.handlers for f in other.filters]
    for other, its_filter in usual:
        other.removeFilter(its_filter)
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    for other, its_filter in usual:
        other.addFilter(its_filter)


def refused(store: Store) -> Exception:
    """Return the error of the store's own driver for a port without a server."""
    place = f"127.0.0.1:{free_port()}"
    try:
        match store:
            case Store.POSTGRES:
                psycopg.connect(f"postgres://a:b@{place}/c", connect_timeout=5)
            case Store.MONGODB:
                with pymongo.MongoClient(f"mongodb://{place}", serverSelectionTimeoutMS=1) as mongo:
                    mongo.admin.command("ping")
            case Store.REDIS:
                redis.Redis.from_url(f"redis://{place}").ping()
    except (psycopg.Error, pymongo.errors.PyMongoError, redis.RedisError) as exc:
        return exc
    raise AssertionError(f"something listens on {place}")


@pytest.mark.parametrize("store", list(Store))
def test_record__traceback_of_a_refused_connection__becomes_one_line(store, kept, lines):
    error = refused(store)
    for _ in range(3):
        logging.getLogger("some.driver").error("Task failed", exc_info=error)
    logging.getLogger("some.pool").warning("error connecting in %r: %s", "pool-1", error)
    assert [(event, name) for event, name, _ in lines()] == [("store_unavailable", store.value)]
    assert [r.msg["event"] for r in kept.records] == ["store_unavailable"]
    assert all(record.exc_info is None for record in kept.records)


def test_record__without_the_filter__is_written_each_time(kept):
    kept.removeFilter(kept.filters[0])
    for _ in range(3):
        logging.getLogger("some.driver").error("Task failed", exc_info=refused(Store.REDIS))
    assert len(kept.records) == 3


def wrapped(cause: Exception) -> Exception:
    try:
        raise DjangoOperationalError("wrapped") from cause
    except DjangoOperationalError as exc:
        return exc


@pytest.mark.parametrize(
    ("exc", "store"),
    [
        (AdminShutdown("terminating connection"), Store.POSTGRES),
        (psycopg_pool.PoolTimeout("couldn't get a connection after 1.50 sec"), Store.POSTGRES),
        (psycopg.OperationalError("the connection is lost"), Store.POSTGRES),
        (psycopg.InterfaceError("the connection is closed"), Store.POSTGRES),
        (wrapped(psycopg.OperationalError("connection refused")), Store.POSTGRES),
        (ExceptionGroup("tasks", [ValueError(), AdminShutdown("stop")]), Store.POSTGRES),
        (pymongo.errors.AutoReconnect("reset"), Store.MONGODB),
        (LiveStoreUnavailableError("The live store did not answer."), Store.MONGODB),
        (redis.exceptions.TimeoutError("slow"), Store.REDIS),
        # These errors have other causes, and are logged completely.
        (DeadlockDetected("deadlock"), None),
        (QueryCanceled("statement timeout"), None),
        (psycopg.OperationalError("sending query failed: another command is in progress"), None),
        (UnavailableError("Rooms change faster than they can be projected."), None),
        (pymongo.errors.OperationFailure("bad query"), None),
        (redis.exceptions.ResponseError("wrong type"), None),
        (TimeoutError(), None),
        (ConnectionRefusedError(), None),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_store_of__an_exception__is_known_by_its_cause(exc, store):
    assert store_of(exc) is store


def test_store_of__circular_causes__ends():
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert store_of(first) is None


def test_record__own_record_with_a_store__counts_for_any_error(kept, lines):
    import structlog

    structlog.get_logger("realtime.layer.layer_link").warning(
        "layer_away", store=Store.REDIS, error=TimeoutError()
    )
    assert [(event, store) for event, store, _ in lines()][-1:] == [("store_unavailable", "redis")]
    assert [r.msg["event"] for r in kept.records] == ["store_unavailable"]


def test_record__own_exception_log_inside_an_except_block__is_recognised(kept):
    import structlog

    try:
        raise refused(Store.REDIS)
    except redis.RedisError:
        structlog.get_logger("realtime.hub.hub").exception("heal_failed")
    assert [r.msg["event"] for r in kept.records] == ["store_unavailable"]


@pytest.mark.parametrize(
    "text",
    ["reconnection attempt in pool %r failed after %s sec", "discarding broken connection: %s"],
)
def test_record__of_the_pool_without_an_exception__counts_as_well(text, kept, lines):
    logging.getLogger("psycopg.pool").warning(text, *["pool-1"] * text.count("%"))
    assert lines() == [("store_unavailable", "postgres", 1)]
    logging.getLogger("psycopg.pool").warning("rolling back returned connection: %s", "c")
    assert [r.getMessage() for r in kept.records[1:]] == ["rolling back returned connection: c"]


def test_record__other_error__is_logged_completely(kept):
    logging.getLogger("some.app").error("Broken", exc_info=ValueError("ours"))
    (record,) = kept.records
    assert record.getMessage() == "Broken"


def test_record__answers_of_django__only_500_is_logged(kept, rf):
    request = rf.get("/readyz")
    log_response("%s", "unavailable", response=HttpResponse(status=503), request=request)
    assert kept.records == []
    log_response("%s", "broken", response=HttpResponse(status=500), request=request)
    assert [record.getMessage() for record in kept.records] == ["broken"]


async def test_record__task_without_await__becomes_one_line(kept):
    error = refused(Store.REDIS)

    async def fail() -> None:
        raise error

    context = {"message": "Task exception was never retrieved", "exception": error}
    task = asyncio.ensure_future(fail())
    await asyncio.wait([task])
    asyncio.get_running_loop().default_exception_handler(context)
    assert [r.msg["event"] for r in kept.records if isinstance(r.msg, dict)] == [
        "store_unavailable"
    ]
    assert task.exception() is error

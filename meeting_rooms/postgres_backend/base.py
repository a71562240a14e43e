"""The database backend named by `settings.DATABASES`: Django's own, with the changes below."""

from typing import ClassVar

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base

from meeting_rooms.postgres_backend.pool import QueuedPool


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's connection to PostgreSQL, with a pool of ours, which replaces closed connections."""

    _connection_pools: ClassVar[dict[str, QueuedPool]] = {}

    @property
    def pool(self) -> QueuedPool | None:
        """The process's pool of connections, made at the first use; as Django makes its own."""
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
            self._connection_pools.setdefault(self.alias, pool)  # of several threads, the first
        return self._connection_pools[self.alias]

    def ensure_connection(self) -> None:
        """Connect if there is no usable connection.

        Django keeps a connection that was closed under it until the request ends, and a test run
        or a worker has no requests. Inside a transaction a closed connection stays: the statements
        before it are lost, so the statements after it must fail.
        """
        if self.connection is not None and self.connection.closed and not self.in_atomic_block:
            self.close()
        super().ensure_connection()

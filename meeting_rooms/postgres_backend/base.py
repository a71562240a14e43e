"""The database backend named by `settings.DATABASES`: Django's own, with the changes below."""

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base

from meeting_rooms.postgres_backend.pool import QueuedPool


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's connection to PostgreSQL, with a pool of ours, which replaces closed connections."""

    @property
    def pool(self) -> QueuedPool | None:
        """The process's pool of connections, made at the first use; as Django makes its own."""
        options = self.settings_dict["OPTIONS"].get("pool")
        if self.alias == NO_DB_ALIAS or not options:
            return None
        pools = self._connection_pools
        if self.alias not in pools:
            parameters = {**self.get_connection_params(), "autocommit": True}
            pool = QueuedPool(
                kwargs=parameters, open=False, configure=self._configure_connection, **options
            )
            pools.setdefault(self.alias, pool)  # of several threads, the first one's counts
        return pools[self.alias]

    def ensure_connection(self) -> None:
        """Connect if there is no usable connection.

        Django keeps a connection that was closed under it until the request ends, and a test run
        or a worker has no requests. Inside a transaction a closed connection stays: the statements
        before it are lost, so the statements after it must fail.
        """
        if self.connection is not None and self.connection.closed and not self.in_atomic_block:
            self.close()
        super().ensure_connection()

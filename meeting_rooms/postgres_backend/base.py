"""The database backend named by `settings.DATABASES`: Django's own, with the changes below."""

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's connection to PostgreSQL, which replaces a closed connection."""

    def ensure_connection(self) -> None:
        """Connect if there is no usable connection.

        Django keeps a connection that was closed under it until the request ends, and a test run
        or a worker has no requests. Inside a transaction a closed connection stays: the statements
        before it are lost, so the statements after it must fail.
        """
        if self.connection is not None and self.connection.closed and not self.in_atomic_block:
            self.close()
        super().ensure_connection()

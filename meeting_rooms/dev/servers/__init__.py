"""Real Postgres, MongoDB and Redis servers from PyPI wheels: no root, no Docker.

Imports the standard library, psutil and the three drivers, never Django: the servers start before
Django reads its settings.
Guarantees: one set of servers per data folder, on 127.0.0.1 only, with a password of their own;
only processes recorded in that folder are ever signalled.
"""

from meeting_rooms.dev.servers.engine import Report
from meeting_rooms.dev.servers.errors import EmbeddedServerError
from meeting_rooms.dev.servers.lifecycle import Started, start, stop
from meeting_rooms.dev.servers.names import ENVIRONMENT, ServiceName
from meeting_rooms.dev.servers.orphans import reap_orphans
from meeting_rooms.dev.servers.status import ServiceState, ServiceStatus, status

__all__ = [
    "ENVIRONMENT",
    "EmbeddedServerError",
    "Report",
    "ServiceName",
    "ServiceState",
    "ServiceStatus",
    "Started",
    "reap_orphans",
    "start",
    "status",
    "stop",
]

"""Free TCP ports on the loopback interface."""

import socket
from collections.abc import Collection, Mapping
from contextlib import ExitStack

from meeting_rooms.dev.servers.engine import LOOPBACK
from meeting_rooms.dev.servers.names import ServiceName

# Each of the three servers writes this to its log if another program has the port.
TAKEN = "Address already in use"


def pick_ports(
    names: Collection[ServiceName], preferred: Mapping[ServiceName, int]
) -> dict[ServiceName, int]:
    """Return a free port for each service: the preferred port if it is still free.

    All ports are held until the last one is picked, so no two are equal. Another program may take a
    port before the server listens; `launch` then picks another port.
    """
    ports: dict[ServiceName, int] = {}
    with ExitStack() as held:
        for name in names:
            ports[name] = _hold(held, preferred.get(name, 0)) or _hold(held, 0)
    return ports


def _hold(held: ExitStack, port: int) -> int:
    listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    # The servers use SO_REUSEADDR too: connections of an earlier run in TIME_WAIT do not count.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        # Two sockets with SO_REUSEADDR may be bound to one port, but only one may listen.
        listener.listen(1)
    except OSError:
        if port == 0:
            raise
        return 0
    return int(listener.getsockname()[1])

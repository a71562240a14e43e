"""Free TCP ports on the loopback interface."""

import random
import socket
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from pathlib import Path

from meeting_rooms.dev.servers.engine import LOOPBACK
from meeting_rooms.dev.servers.names import ServiceName

# Each of the three servers writes this to its log if another program has the port.
TAKEN = "Address already in use"

# The kernel gives the ports of this range to outgoing connections. While a server restarts, another
# program's connection may get a port from it, so the servers use the ports below.
OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
OUTGOING_FIRST = 32_768  # of a kernel that does not say
FIRST_PORT = 20_000
PORTS_TRIED = 100


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
            known = preferred.get(name, 0)
            ports[name] = (known and _hold(held, known)) or _hold_any(held)
    return ports


def free_port(outgoing: Path = OUTGOING) -> int:
    """Return a free port, one that no outgoing connection gets if there is one."""
    with ExitStack() as held:
        return _hold_any(held, outgoing)


def first_outgoing_port(outgoing: Path = OUTGOING) -> int:
    """Return the first port that the kernel gives to outgoing connections."""
    try:
        return int(outgoing.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return OUTGOING_FIRST


def _hold_any(held: ExitStack, outgoing: Path = OUTGOING) -> int:
    below = range(FIRST_PORT, first_outgoing_port(outgoing))
    for port in random.sample(below, min(PORTS_TRIED, len(below))):
        if _hold(held, port):
            return port
    return _hold(held, 0)


def _hold(held: ExitStack, port: int) -> int:
    """Listen on a port, on any if it is 0; return the port, 0 if it is taken."""
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

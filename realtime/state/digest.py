"""A number by which a client can tell that it has drifted. Pure.

The sum, modulo 2³², of zlib's CRC-32 over `id:epoch:version` of every room of the topic: it does
not depend on order, one change updates it, and a browser computes it without a library.
"""

from zlib import crc32

from realtime.state.live_state import LiveState

MODULUS = 2**32


def mark_digest(state: LiveState) -> int:
    """Return one room's share of the digest."""
    return crc32(f"{state.id}:{state.epoch}:{state.version}".encode())

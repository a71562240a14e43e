"""The digest of a topic, by which a client detects that its rooms differ from the server's. Pure.

The digest is the sum, modulo 2³², of zlib's CRC-32 over `id:epoch:version` of every room of the
topic. It does not depend on the order of rooms, one change updates it with one addition and one
subtraction, and a browser computes it without a library.
"""

from zlib import crc32

from realtime.state.live_state import LiveState

MODULUS = 2**32


def mark_digest(state: LiveState) -> int:
    """Return the CRC-32 of one room, its summand of the digest."""
    return crc32(f"{state.id}:{state.epoch}:{state.version}".encode())

"""A limit on the size of request bodies, enforced while a body arrives.

Twisted stores the complete body, on disk if it is large. Then Daphne reads the body into memory,
and only then Django checks it. Without this limit an anonymous client could fill disk and memory.
"""

from typing import Any

import structlog
from daphne.http_protocol import WebRequest

log = structlog.get_logger(__name__)
# Bytes: 16 times DATA_UPLOAD_MAX_MEMORY_SIZE. Between the two limits Django answers with a problem
# document; beyond this limit the connection is closed.
MAX_BODY_BYTES = 4 * 1024 * 1024
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class BoundedRequest(WebRequest):
    """A Daphne request whose body has at most MAX_BODY_BYTES, with or without Content-Length."""

    _received = 0
    _is_refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """Refuse a body whose declared length is too large."""
        is_too_large = length is not None and length > MAX_BODY_BYTES
        super().gotLength(0 if is_too_large else length)
        if is_too_large:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Store a part of the body; refuse the body if it has become too large."""
        self._received += len(data)
        if self._received > MAX_BODY_BYTES:
            self._refuse()
        if not self._is_refused:
            super().handleContentChunk(data)

    def requestReceived(self, *line: bytes) -> None:  # noqa: N802 - Twisted's name
        """Handle the request unless its body was refused."""
        if not self._is_refused:
            super().requestReceived(*line)

    def _refuse(self) -> None:
        if self._is_refused:
            return
        self._is_refused = True
        log.warning("body_too_large", limit_bytes=MAX_BODY_BYTES)
        self.channel.transport.write(TOO_LARGE)
        self.channel.loseConnection()


def bound_bodies(http_factory: Any) -> None:
    """Make a Daphne HTTP factory create BoundedRequests."""
    build = http_factory.buildProtocol

    def build_bounded(address: Any) -> Any:
        protocol = build(address)
        protocol.requestFactory = BoundedRequest
        return protocol

    http_factory.buildProtocol = build_bounded

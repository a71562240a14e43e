"""Request bodies, bounded while they arrive.

Twisted keeps a whole body, on disk where it is large, before Daphne reads it into memory and Django
looks at it. So the bound is here: a client without a sign-in could fill both.
"""

from typing import Any

import structlog
from daphne.http_protocol import WebRequest

log = structlog.get_logger(__name__)
# Bytes. Django refuses more than DATA_UPLOAD_MAX_MEMORY_SIZE with a problem that programs can read;
# a client that sends 16 times as much is cut off.
MAX_BODY_BYTES = 4 * 1024 * 1024
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class BoundedRequest(WebRequest):
    """A request of Daphne's whose body has at most MAX_BODY_BYTES, declared or not."""

    _received = 0
    _is_refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """Refuse a body that is declared too large. One of unknown length is counted."""
        is_too_large = length is not None and length > MAX_BODY_BYTES
        super().gotLength(0 if is_too_large else length)
        if is_too_large:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Keep a part of the body, or refuse it and all that follows."""
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
    """Make the requests of a Daphne HTTP factory bounded ones."""
    build = http_factory.buildProtocol

    def build_bounded(address: Any) -> Any:
        protocol = build(address)
        protocol.requestFactory = BoundedRequest
        return protocol

    http_factory.buildProtocol = build_bounded

"""Fetching a calendar by its address, without becoming a way into the private network.

The name is looked up once, every address it has must be public, and the connection goes to the very
address that was checked: a name that answers differently the second time (DNS rebinding) gains
nothing. Each redirect is checked the same way. The standard library does it all: a client with a
pool and proxies of its own would look names up again.
"""

import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol, cast
from urllib.parse import urljoin

from booking.domain.error_codes import BookingErrorCode
from booking.exchange.ical.events import MAX_FILE_BYTES
from booking.exchange.url_policy import PORTS, BadAddressError, Target, is_public, target_of
from meeting_rooms.kernel.errors import LimitExceededError, UnavailableError

MAX_REDIRECTS = 3
TIMEOUT_S = 10.0
CHUNK_BYTES = 64 * 1024
CALENDAR_START = b"BEGIN:VCALENDAR"
REDIRECTS = {301, 302, 303, 307, 308}
HEADERS = {
    "Accept": "text/calendar",
    "Accept-Encoding": "identity",  # what is counted is what is kept: no bomb unfolds
    "User-Agent": "meeting-rooms",
}

Resolver = Callable[[str, int], Sequence[str]]


class Connection(Protocol):
    """What is needed of a socket, plain or TLS."""

    def recv_into(self, buffer: Any) -> int:
        """Read into the buffer."""
        ...

    def sendall(self, data: Any) -> None:
        """Write all of it."""
        ...

    def settimeout(self, value: float | None) -> None:
        """Bound the next operation, in seconds."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name. Raises OSError if it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """Where calendars may come from, and how they are reached. Tests pass their own."""

    is_allowed: Callable[[str], bool] = is_public
    resolver: Resolver = resolve
    ports: frozenset[int] = frozenset(PORTS.values())
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    timeout_s: float = TIMEOUT_S
    max_bytes: int = MAX_FILE_BYTES


def fetch_calendar(url: str, *, policy: FetchPolicy | None = None) -> bytes:
    """Return the calendar at an http, https or webcal address.

    Units: `policy.timeout_s` is for all of it together, name and redirects included.
    Raises: BadAddressError for an address that may not be fetched (`bad_address`,
    `private_address`, `too_many_redirects`) or answers something else (`no_calendar`,
    `encoded_answer`); LimitExceededError `file_too_large`; UnavailableError `address_unreachable`
    or `too_slow`.
    """
    return _Fetch(policy or FetchPolicy()).run(url)


class _Fetch:
    """One fetch, from the first address to the last byte, before one deadline."""

    def __init__(self, policy: FetchPolicy) -> None:
        self._policy = policy
        self._deadline = time.monotonic() + policy.timeout_s

    def run(self, url: str) -> bytes:
        """Follow the address to its calendar."""
        for _ in range(MAX_REDIRECTS + 1):
            target = target_of(url, self._policy.ports)
            try:
                answer = self._get(target, url)
            except TimeoutError as exc:
                raise self._too_slow() from exc
            except (OSError, http.client.HTTPException) as exc:
                raise UnavailableError(
                    f"{target.host} cannot be reached: {type(exc).__name__}. Try again later.",
                    code=BookingErrorCode.ADDRESS_UNREACHABLE,
                ) from exc
            if isinstance(answer, bytes):
                return answer
            url = answer
        raise BadAddressError(
            f"The address leads on more than {MAX_REDIRECTS} times. Use the last one.",
            code=BookingErrorCode.TOO_MANY_REDIRECTS,
        )

    def _get(self, target: Target, url: str) -> bytes | str:
        """Return the body, or the address that the answer leads to."""
        connection = http.client.HTTPConnection(target.host, target.port)
        link = self._connect(target)
        connection.sock = cast("socket.socket", _Deadlined(link, self._left))
        try:
            host = target.host if target.port == PORTS[target.scheme] else None
            headers = HEADERS | ({"Host": _bracketed(host)} if host else {})
            connection.request("GET", target.path, headers=headers)
            response = connection.getresponse()
            if response.status in REDIRECTS:
                return urljoin(url, response.getheader("Location") or "")
            return self._body(response)
        finally:
            link.close()

    def _connect(self, target: Target) -> Connection:
        addresses = self._addresses(target)
        if not all(map(self._policy.is_allowed, addresses)):
            raise BadAddressError(
                f"{target.host} is an address of a private network. Only public ones are fetched.",
                code=BookingErrorCode.PRIVATE_ADDRESS,
            )
        plain = self._reach(addresses, target.port)
        if target.scheme == "http":
            return plain
        plain.settimeout(self._left())
        try:
            return self._policy.tls.wrap_socket(plain, server_hostname=target.host)
        except BaseException:
            plain.close()
            raise

    def _reach(self, addresses: Sequence[str], port: int) -> socket.socket:
        """Connect to the first address that answers."""
        problem: OSError = OSError("no address")
        for address in addresses:
            try:
                return socket.create_connection((address, port), timeout=self._left())
            except OSError as exc:
                problem = exc
        raise problem

    def _addresses(self, target: Target) -> Sequence[str]:
        """Look the name up in a thread of its own: the system's look-up knows no deadline."""
        found: list[Sequence[str] | OSError] = []

        def look_up() -> None:
            try:
                found.append(self._policy.resolver(target.host, target.port))
            except (OSError, UnicodeError) as exc:
                found.append(OSError(str(exc)))

        thread = threading.Thread(target=look_up, name="calendar-lookup", daemon=True)
        thread.start()
        thread.join(self._left())
        if not found:
            raise self._too_slow()
        if isinstance(found[0], OSError):
            raise found[0]
        return found[0]

    def _body(self, response: http.client.HTTPResponse) -> bytes:
        if response.status != HTTPStatus.OK:
            raise BadAddressError(
                f"The address answers {response.status} {response.reason[:40]}, no calendar.",
                code=BookingErrorCode.NO_CALENDAR,
            )
        if response.getheader("Content-Encoding", "identity").lower() != "identity":
            raise BadAddressError(
                "The answer is compressed unasked.", code=BookingErrorCode.ENCODED_ANSWER
            )
        if (response.length or 0) > self._policy.max_bytes:
            raise self._too_large()
        body = bytearray()
        while chunk := response.read1(CHUNK_BYTES):
            body += chunk
            if len(body) > self._policy.max_bytes:
                raise self._too_large()
            _refuse_other_content(body)
        if response.length:  # fewer bytes came than were announced
            raise http.client.IncompleteRead(bytes(body), response.length)
        _refuse_other_content(body, is_whole=True)
        return bytes(body)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self._too_slow()
        return left

    def _too_slow(self) -> UnavailableError:
        seconds = f"{self._policy.timeout_s:g}"
        return UnavailableError(
            f"The address took longer than {seconds} s.", code=BookingErrorCode.TOO_SLOW
        )

    def _too_large(self) -> LimitExceededError:
        return LimitExceededError(
            f"The calendar has more than {self._policy.max_bytes:,} bytes.",
            code=BookingErrorCode.FILE_TOO_LARGE,
        )


class _Deadlined(io.RawIOBase):
    """A connection, each read and write of which must be done before the common deadline.

    So an answer that drips byte by byte ends in time, its headers too.
    """

    def __init__(self, connection: Connection, left: Callable[[], float]) -> None:
        self._connection = connection
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._left())
        return self._connection.recv_into(buffer)

    def sendall(self, data: Any) -> None:
        self._connection.settimeout(self._left())
        self._connection.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def close(self) -> None:
        """Do nothing: the client closes while the body is still to be read; the fetch hangs up."""


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _refuse_other_content(body: bytearray, *, is_whole: bool = False) -> None:
    start = bytes(body[:1024]).removeprefix(b"\xef\xbb\xbf").lstrip()[: len(CALENDAR_START)]
    if start.upper() == CALENDAR_START or (
        not is_whole and CALENDAR_START.startswith(start.upper())
    ):
        return
    raise BadAddressError(
        "What is there is no iCalendar file. Use the address that the calendar gives as 'iCal'.",
        code=BookingErrorCode.NO_CALENDAR,
    )

"""Fetch a calendar from a URL, without access to private networks (SSRF).

The host name is resolved once, every address of the host must be public, and the connection goes
to an address that was checked. So a name with another answer on a second look-up (DNS rebinding)
gives no access. Each redirect is checked in the same way. Only the standard library is used: an
HTTP client with a pool or proxies would resolve the name again.
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

MAX_REDIRECTS = 3  # followed in one fetch
TIMEOUT_S = 10.0  # seconds for one fetch with its redirects
CHUNK_BYTES = 64 * 1024  # one read from the socket
CALENDAR_START = b"BEGIN:VCALENDAR"
REDIRECTS = {301, 302, 303, 307, 308}
HEADERS = {
    "Accept": "text/calendar",
    "Accept-Encoding": "identity",  # so the byte limit holds: no compression bomb
    "User-Agent": "meeting-rooms",
}

Resolver = Callable[[str, int], Sequence[str]]


class Connection(Protocol):
    """The methods of a socket that a fetch uses, for plain and TLS connections."""

    def recv_into(self, buffer: Any) -> int:
        """Read into the buffer and return the number of bytes."""
        ...

    def sendall(self, data: Any) -> None:
        """Send all of `data`."""
        ...

    def settimeout(self, value: float | None) -> None:
        """Set the timeout of the next operation, in seconds."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def resolve(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host name. Raises OSError if the name has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """Which addresses may be fetched, and the limits of a fetch. Tests pass another policy."""

    is_allowed: Callable[[str], bool] = is_public
    resolver: Resolver = resolve
    ports: frozenset[int] = frozenset(PORTS.values())
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    timeout_s: float = TIMEOUT_S
    max_bytes: int = MAX_FILE_BYTES


def fetch_calendar(url: str, *, policy: FetchPolicy | None = None) -> bytes:
    """Return the calendar at an http, https or webcal address.

    Units: `policy.timeout_s` is the limit of the complete fetch, with name look-up and redirects.
    Raises BadAddressError if the address may not be fetched (`bad_address`, `private_address`,
    `too_many_redirects`) or does not return a calendar (`no_calendar`, `encoded_answer`);
    LimitExceededError `file_too_large` beyond `policy.max_bytes`; UnavailableError
    `address_unreachable` or `too_slow`.
    """
    return _Fetch(policy or FetchPolicy()).run(url)


class _Fetch:
    """One fetch with its redirects. One deadline limits all of its steps."""

    def __init__(self, policy: FetchPolicy) -> None:
        self._policy = policy
        self._deadline = time.monotonic() + policy.timeout_s

    def run(self, url: str) -> bytes:
        """Return the calendar after at most MAX_REDIRECTS redirects."""
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
            f"The address redirects more than {MAX_REDIRECTS} times. Use the final address.",
            code=BookingErrorCode.TOO_MANY_REDIRECTS,
        )

    def _get(self, target: Target, url: str) -> bytes | str:
        """Return the body of the answer, or the address of its redirect."""
        connection = http.client.HTTPConnection(target.host, target.port)
        raw = self._connect(target)
        connection.sock = cast("socket.socket", _DeadlineSocket(raw, self._seconds_left))
        try:
            host = target.host if target.port == PORTS[target.scheme] else None
            headers = HEADERS | ({"Host": _bracketed(host)} if host else {})
            connection.request("GET", target.path, headers=headers)
            response = connection.getresponse()
            if response.status in REDIRECTS:
                return urljoin(url, response.getheader("Location") or "")
            return self._body(response)
        finally:
            raw.close()

    def _connect(self, target: Target) -> Connection:
        addresses = self._addresses(target)
        if not all(map(self._policy.is_allowed, addresses)):
            raise BadAddressError(
                f"{target.host} is in a private network. Use an address that is public.",
                code=BookingErrorCode.PRIVATE_ADDRESS,
            )
        plain = self._reach(addresses, target.port)
        if target.scheme == "http":
            return plain
        plain.settimeout(self._seconds_left())
        try:
            return self._policy.tls.wrap_socket(plain, server_hostname=target.host)
        except BaseException:
            plain.close()
            raise

    def _reach(self, addresses: Sequence[str], port: int) -> socket.socket:
        """Return a connection to the first address that accepts one."""
        problem: OSError = OSError("no address")
        for address in addresses:
            try:
                return socket.create_connection((address, port), timeout=self._seconds_left())
            except OSError as exc:
                problem = exc
        raise problem

    def _addresses(self, target: Target) -> Sequence[str]:
        """Return the addresses of the host. The look-up has its own thread: it has no timeout."""
        found: list[Sequence[str] | OSError] = []

        def look_up() -> None:
            try:
                found.append(self._policy.resolver(target.host, target.port))
            except (OSError, UnicodeError) as exc:
                found.append(OSError(str(exc)))

        thread = threading.Thread(target=look_up, name="calendar-lookup", daemon=True)
        thread.start()
        thread.join(self._seconds_left())
        if not found:
            raise self._too_slow()
        if isinstance(found[0], OSError):
            raise found[0]
        return found[0]

    def _body(self, response: http.client.HTTPResponse) -> bytes:
        if response.status != HTTPStatus.OK:
            raise BadAddressError(
                f"The address answered {response.status} {response.reason[:40]}, not a calendar. "
                "Check the address.",
                code=BookingErrorCode.NO_CALENDAR,
            )
        if response.getheader("Content-Encoding", "identity").lower() != "identity":
            raise BadAddressError(
                "The server sent a compressed answer, which cannot be read. Use another address.",
                code=BookingErrorCode.ENCODED_ANSWER,
            )
        if (response.length or 0) > self._policy.max_bytes:
            raise self._too_large()
        body = bytearray()
        while chunk := response.read1(CHUNK_BYTES):
            body += chunk
            if len(body) > self._policy.max_bytes:
                raise self._too_large()
            _refuse_other_content(body)
        if response.length:  # fewer bytes arrived than Content-Length says
            raise http.client.IncompleteRead(bytes(body), response.length)
        _refuse_other_content(body, is_complete=True)
        return bytes(body)

    def _seconds_left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self._too_slow()
        return left

    def _too_slow(self) -> UnavailableError:
        seconds = f"{self._policy.timeout_s:g}"
        return UnavailableError(
            f"The address did not send the calendar within {seconds} s. Try again later.",
            code=BookingErrorCode.TOO_SLOW,
        )

    def _too_large(self) -> LimitExceededError:
        return LimitExceededError(
            f"The calendar has more than {self._policy.max_bytes:,} bytes. Shorten its period.",
            code=BookingErrorCode.FILE_TOO_LARGE,
        )


class _DeadlineSocket(io.RawIOBase):
    """A connection that gives each read and write only the time left until the deadline.

    So a server that sends one byte at a time, in the headers or in the body, cannot exceed it.
    """

    def __init__(self, connection: Connection, seconds_left: Callable[[], float]) -> None:
        self._connection = connection
        self._seconds_left = seconds_left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._seconds_left())
        return self._connection.recv_into(buffer)

    def sendall(self, data: Any) -> None:
        self._connection.settimeout(self._seconds_left())
        self._connection.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def close(self) -> None:
        """Do nothing: `HTTPConnection` closes before the body is read. `_get` closes the socket."""


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _refuse_other_content(body: bytearray, *, is_complete: bool = False) -> None:
    start = bytes(body[:1024]).removeprefix(b"\xef\xbb\xbf").lstrip()[: len(CALENDAR_START)]
    if start.upper() == CALENDAR_START or (
        not is_complete and CALENDAR_START.startswith(start.upper())
    ):
        return
    raise BadAddressError(
        "The address returns no iCalendar file. Use the address that the calendar calls 'iCal'.",
        code=BookingErrorCode.NO_CALENDAR,
    )

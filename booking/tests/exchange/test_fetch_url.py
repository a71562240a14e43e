"""Fetching by address from real servers on this machine; only their address is allowed."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from booking.exchange.fetch_url import FetchPolicy, fetch_calendar
from booking.exchange.url_policy import is_public
from meeting_rooms.kernel.errors import MeetingRoomsError

CALENDAR = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"
NAME = "calendars.example"
PRIVATE_NAME = "intranet.example"


class Handler(BaseHTTPRequestHandler):
    """An HTTP handler that answers by path and stores the headers of each request."""

    server: "Server"

    def do_GET(self) -> None:
        self.server.received.append(dict(self.headers) | {"path": self.path})
        with contextlib.suppress(OSError):  # the client disconnects from an answer that it refuses
            ANSWERS[self.path.partition("?")[0]](self)

    def log_message(self, *_args: object) -> None:
        """Write no log."""

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def redirect(self, to: str) -> None:
        self.answer(b"", 302, Location=to.format(port=self.server.server_port))

    def flood(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CALENDAR)
        for _ in range(1000):
            self.wfile.write(b" " * 1024)

    def drip(self, first: bytes) -> None:
        """Send one byte every 50 ms until the client disconnects or the server closes."""
        self.wfile.write(first)
        while not self.server.closing.wait(0.05):
            self.wfile.write(b"x")


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[dict[str, str]] = []
        self.closing = threading.Event()


ANSWERS: dict[str, Callable[[Handler], None]] = {
    "/ok.ics": lambda h: h.answer(b"\xef\xbb\xbf" + CALENDAR),
    "/page": lambda h: h.answer(b"<html>Sign in</html>"),
    "/empty": lambda h: h.answer(b""),
    "/gone": lambda h: h.answer(b"", 404),
    "/zipped": lambda h: h.answer(CALENDAR, Content_Encoding="gzip"),
    "/declared": lambda h: h.answer(CALENDAR, Content_Length=str(10**12)),
    "/cut-off": lambda h: h.answer(CALENDAR, Content_Length="5000"),
    "/flood": lambda h: h.flood(),
    "/slow-body": lambda h: h.drip(b"HTTP/1.1 200 OK\r\n\r\nBEGIN:VCALENDAR\r\n"),
    "/slow-headers": lambda h: h.drip(b"HTTP/1.1 200 OK\r\nX-Slow: "),
    "/nonsense": lambda h: h.wfile.write(b"220 not http\r\n"),
    "/once": lambda h: h.redirect("/ok.ics"),
    "/to-private": lambda h: h.redirect("http://" + PRIVATE_NAME + ":{port}/ok.ics"),
    "/to-metadata": lambda h: h.redirect("http://169.254.169.254/latest"),
    "/to-file": lambda h: h.redirect("file:///etc/passwd"),
    "/to-password": lambda h: h.redirect("http://a:b@" + NAME + ":{port}/ok.ics"),
    "/loop": lambda h: h.redirect("/loop"),
}


def addresses(host: str, _port: int) -> list[str]:
    """Resolve two names of this machine, one of them private too; return IP addresses unchanged."""
    known = {NAME: ["127.0.0.1"], PRIVATE_NAME: ["127.0.0.1", "10.0.0.1"]}
    with contextlib.suppress(ValueError):
        return [str(ip_address(host))]
    if host not in known:
        raise OSError("no such name")
    return known[host]


def run(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    yield from run(Server())


@pytest.fixture
def policy(server: Server) -> FetchPolicy:
    return FetchPolicy(
        is_allowed=lambda address: address == "127.0.0.1" or is_public(address),
        resolver=addresses,
        ports=frozenset({80, 443, server.server_port}),
        timeout_s=3,
    )


def code(url: str, policy: FetchPolicy | None = None) -> str:
    with pytest.raises(MeetingRoomsError) as refused:
        fetch_calendar(url, policy=policy)
    assert refused.value.detail.endswith(".")
    return refused.value.code


def test_fetch__calendar__is_returned_unchanged(server, policy):
    url = f"http://{NAME}:{server.server_port}/ok.ics?key=a b"
    assert fetch_calendar(url, policy=policy) == b"\xef\xbb\xbf" + CALENDAR
    (received,) = server.received
    assert received["Host"] == f"{NAME}:{server.server_port}"
    assert received["Accept-Encoding"] == "identity"
    assert received["path"] == "/ok.ics?key=a%20b"


def test_fetch__redirected_once__follows_the_redirect(server, policy):
    assert fetch_calendar(f"http://{NAME}:{server.server_port}/once", policy=policy)
    assert len(server.received) == 2


@pytest.mark.parametrize(
    "path,expected",
    [
        ("/page", "no_calendar"), ("/empty", "no_calendar"), ("/gone", "no_calendar"),
        ("/zipped", "encoded_answer"), ("/declared", "file_too_large"),
        ("/flood", "file_too_large"),
        ("/cut-off", "address_unreachable"), ("/nonsense", "address_unreachable"),
        ("/loop", "too_many_redirects"),
        ("/to-private", "private_address"), ("/to-metadata", "private_address"),
        ("/to-file", "bad_address"), ("/to-password", "bad_address"),
    ],
)  # fmt: skip
def test_fetch__answer_that_is_no_calendar__is_refused(server, policy, path, expected):
    small = replace(policy, max_bytes=100_000)
    assert code(f"http://{NAME}:{server.server_port}{path}", small) == expected


def test_fetch__endless_redirects__are_followed_three_times(server, policy):
    code(f"http://{NAME}:{server.server_port}/loop", policy)
    assert len(server.received) == 4


@pytest.mark.parametrize("path", ["/slow-body", "/slow-headers"])
def test_fetch__slow_answer__ends_at_the_deadline(server, policy, path):
    slow = replace(policy, timeout_s=0.4)
    assert code(f"http://{NAME}:{server.server_port}{path}", slow) == "too_slow"


def test_fetch__name_lookup_that_hangs__ends_at_the_deadline(policy):
    held = threading.Event()

    def hang(_host: str, _port: int) -> list[str]:
        held.wait(5)
        return []

    assert code(f"http://{NAME}/", replace(policy, resolver=hang, timeout_s=0.2)) == "too_slow"
    held.set()


def test_fetch__name_with_one_private_address__is_refused_before_a_connection(server, policy):
    url = f"http://{PRIVATE_NAME}:{server.server_port}/ok.ics"
    assert code(url, policy) == "private_address"
    assert server.received == []


def test_fetch__name_with_changing_addresses__is_resolved_once(server, policy):
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    rebinding = replace(policy, resolver=lambda _host, _port: answers.pop(0))
    assert fetch_calendar(f"http://{NAME}:{server.server_port}/ok.ics", policy=rebinding)
    assert answers == [["10.0.0.1"]]


def test_fetch__by_default__refuses_this_machine(server):
    allowed_port = FetchPolicy(ports=frozenset({server.server_port}))
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
        assert code(f"http://{host}:{server.server_port}/ok.ics", allowed_port) == "private_address"
    assert server.received == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://calendars.example/x.ics", "file:///etc/passwd", "calendar.ics", "https://",
        "https://u:p@calendars.example/", "https://u@calendars.example/",
        "https://calendars.example:22/", "https://calendars.example:99999/", "http://[::1/",
        "https://" + "a" * 64 + ".example/",
    ],
)  # fmt: skip
def test_fetch__unsupported_address__is_refused_without_a_lookup(url):
    policy = FetchPolicy(resolver=lambda _host, _port: pytest.fail("was looked up"))
    assert code(url, policy) == "bad_address"


def test_fetch__unknown_name_or_closed_port__is_unreachable(policy):
    assert code("http://nobody.example/", policy) == "address_unreachable"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    closed = replace(policy, ports=frozenset({port}))
    assert code(f"http://{NAME}:{port}/", closed) == "address_unreachable"


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Server, ssl.SSLContext]]:
    """Run a server with a certificate for NAME; yield it and the context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now,
                                now + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path / "server.pem"
    encoding = serialization.Encoding.PEM
    secret = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + certificate.public_bytes(encoding))
    offered = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    offered.load_cert_chain(file)
    server = Server()
    server.socket = offered.wrap_socket(server.socket, server_side=True)
    trusted = ssl.create_default_context(cadata=certificate.public_bytes(encoding).decode())
    for running in run(server):
        yield running, trusted


def test_fetch__over_tls__checks_the_name_and_not_the_address(secure, policy):
    server, trusted = secure
    port = server.server_port
    tls = replace(policy, tls=trusted, ports=frozenset({port}))
    assert fetch_calendar(f"https://{NAME}:{port}/ok.ics", policy=tls).endswith(CALENDAR)
    assert fetch_calendar(f"webcal://{NAME}:{port}/ok.ics", policy=tls).endswith(CALENDAR)
    assert code(f"https://127.0.0.1:{port}/ok.ics", tls) == "address_unreachable"


def test_fetch__over_tls_with_an_untrusted_certificate__is_refused(secure, policy):
    port = secure[0].server_port
    untrusted = replace(policy, ports=frozenset({port}))
    assert code(f"https://{NAME}:{port}/ok.ics", untrusted) == "address_unreachable"

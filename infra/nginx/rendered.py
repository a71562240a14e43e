"""Run the real nginx with `nginx.conf`, with addresses and files replaced for a test."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.bench.children import Child
from meeting_rooms.kernel.clock import SYSTEM_CLOCK

CONFIG = Path(__file__).with_name("nginx.conf")
HOST = "127.0.0.1"
ADVICE = (
    "nginx is not installed. Install it (Debian and Ubuntu: apt-get install nginx-light) and run "
    "`make nginx-check` again."
)


class NginxError(Exception):
    """nginx is not installed, or a test of its configuration failed; the text says which."""


def find_nginx() -> str:
    """Return the path of nginx. Raises NginxError if nginx is not installed."""
    found = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NginxError(ADVICE)
    return found


@contextmanager
def running(
    folder: Path, *, http: int, https: int, servers: Sequence[int], has_tls: bool = True
) -> Iterator[Child]:
    """Run nginx with `nginx.conf` before two servers; end it on exit.

    `has_tls` is False for clients without TLS. Raises NginxError if nginx is not installed or
    refuses the configuration.
    """
    folder.mkdir()
    _make_certificate(folder)
    config = folder / "nginx.conf"
    text = _render(folder, http=http, https=https, servers=servers)
    config.write_text(text if has_tls else text.replace(" ssl http2 ", " "))
    command = [find_nginx(), "-p", str(folder), "-e", "stderr", "-c", str(config)]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    if tested.returncode:
        raise NginxError(f"nginx refuses the configuration: {tested.stderr.strip()}")
    child = Child("nginx", [*command, "-g", "daemon off;"], {}, folder / "log")
    try:
        yield child
    finally:
        child.end()


def _render(folder: Path, *, http: int, https: int, servers: Sequence[int]) -> str:
    temporary = "\n".join(
        f"{name}_temp_path {folder / name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    replaced = {
        "server 127.0.0.1:8001": f"server {HOST}:{servers[0]}",
        "server 127.0.0.1:8002": f"server {HOST}:{servers[1]}",
        "pid /run/nginx.pid;": f"pid {folder / 'pid'};\n{_user()}",
        "worker_processes auto;": "worker_processes 2;",
        "http {": "http {\n" + temporary,
        "/etc/nginx/tls/": f"{folder}/",
        "listen 80 ": f"listen {HOST}:{http} ",
        "listen 443 ": f"listen {HOST}:{https} ",
    }
    text = CONFIG.read_text()
    for old, new in replaced.items():
        if old not in text:
            raise NginxError(f"nginx.conf no longer contains {old!r}. Change rendered.py.")
        text = text.replace(old, new)
    return text


def _user() -> str:
    """Return the `user` line that root needs so that nginx can read a private folder."""
    return "user root root;" if os.geteuid() == 0 else ""


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = SYSTEM_CLOCK.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), False)
        .sign(key, hashes.SHA256())
    )
    (folder / "site.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "site.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )

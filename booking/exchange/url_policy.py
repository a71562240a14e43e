"""Which addresses a calendar may be fetched from. Pure: no name is looked up here."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote, urlsplit

from booking.domain.error_codes import BookingErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError

PORTS = {"http": 80, "https": 443}
PATH_CHARACTERS = "/%:@!$&'()*+,;=~?"
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last four bytes


class BadAddressError(InvalidCommandError):
    """The address is none that calendars are fetched from."""

    default_code = BookingErrorCode.BAD_ADDRESS


def is_public(address: str) -> bool:
    """Say whether an IP address, and any IPv4 address inside of it, is open to the whole world."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and (inner := _inner(ip)) is not None:
        ip = inner
    is_special = ip.is_multicast or ip.is_reserved or ip.is_unspecified
    if isinstance(ip, IPv6Address):
        is_special = is_special or ip.is_site_local or ip.teredo is not None
    return ip.is_global and not is_special


def _inner(ip: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that this one leads to: mapped, 6to4 or NAT64."""
    if ip in NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. `host` is in ASCII; `path` has its query with it."""

    scheme: str
    host: str
    port: int
    path: str


def target_of(url: str, ports: frozenset[int]) -> Target:
    """Return where an address leads. Raises BadAddressError unless it is http, https or webcal."""
    try:
        parts = urlsplit(url)
        scheme = {"webcal": "https"}.get(parts.scheme, parts.scheme)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port or PORTS.get(scheme, 0)
    except ValueError as exc:
        raise BadAddressError("This is no address. Use one such as https://host/x.ics.") from exc
    if scheme not in PORTS or not host:
        raise BadAddressError("The address must begin with https:// or http:// and name a host.")
    if parts.username is not None or parts.password is not None:
        raise BadAddressError("The address has a user name in it. Use one that works without.")
    if port not in ports:
        allowed = " and ".join(map(str, sorted(ports)))
        raise BadAddressError(f"Port {port} is not fetched from; {allowed} are.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme, host, port, quote(path, safe=PATH_CHARACTERS))

"""Decide which addresses a calendar may be fetched from. Pure: no name is resolved here."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote, urlsplit

from booking.domain.error_codes import BookingErrorCode
from meeting_rooms.kernel.errors import InvalidCommandError

PORTS = {"http": 80, "https": 443}
PATH_CHARACTERS = "/%:@!$&'()*+,;=~?"  # not escaped in a path with query: RFC 3986, 3.3 and 3.4
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last four bytes


class BadAddressError(InvalidCommandError):
    """The address may not be fetched, or does not return a calendar."""

    default_code = BookingErrorCode.BAD_ADDRESS


def is_public(address: str) -> bool:
    """Return whether an IP address, or the IPv4 address embedded in it, is public."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and (inner := _inner(ip)) is not None:
        ip = inner
    is_special = ip.is_multicast or ip.is_reserved or ip.is_unspecified
    if isinstance(ip, IPv6Address):
        is_special = is_special or ip.is_site_local or ip.teredo is not None
    return ip.is_global and not is_special


def _inner(ip: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address embedded in an IPv6 address: mapped, 6to4 or NAT64."""
    if ip in NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour


@dataclass(frozen=True, slots=True)
class Target:
    """The destination of a request. `host` is in ASCII; `path` includes the query."""

    scheme: str
    host: str
    port: int
    path: str


def target_of(url: str, ports: frozenset[int]) -> Target:
    """Return the destination of a URL.

    Raises BadAddressError if the scheme is not http, https or webcal, the URL has a user name, or
    the port is not one of `ports`.
    """
    try:
        parts = urlsplit(url)
        scheme = {"webcal": "https"}.get(parts.scheme, parts.scheme)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port or PORTS.get(scheme, 0)
    except ValueError as exc:
        raise BadAddressError(
            "The address cannot be read. Use one such as https://host/x.ics."
        ) from exc
    if scheme not in PORTS or not host:
        raise BadAddressError("The address must begin with https:// or http:// and name a host.")
    if parts.username is not None or parts.password is not None:
        raise BadAddressError("The address contains a user name. Use an address without one.")
    if port not in ports:
        allowed = " or ".join(map(str, sorted(ports)))
        raise BadAddressError(f"Port {port} is not allowed. Use port {allowed}.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme, host, port, quote(path, safe=PATH_CHARACTERS))

"""Which address a client has, and which addresses count as one. Pure."""

from ipaddress import IPv6Address, ip_address, ip_network

UNKNOWN = "unknown"  # a peer without an IP address: a Unix socket, a test client
IPV6_PREFIX = 64  # bits; a subscriber gets at least this network. Source: RFC 6177 section 2


def client_address(peer: str, forwarded_for: str, trusted_proxies: int) -> str:
    """Return the address that the outermost trusted proxy saw, or the peer's without proxies.

    `forwarded_for` is the whole X-Forwarded-For, to which each proxy appends the address of its
    peer. Only the last `trusted_proxies` entries come from the proxies; a client may have written
    those before them. Where there are fewer entries, the proxies are not the stated ones, and the
    peer's own address is returned.
    """
    entries = [entry.strip() for entry in forwarded_for.split(",") if entry.strip()]
    if 0 < trusted_proxies <= len(entries):
        return entries[-trusted_proxies]
    return peer


def network_of(address: str) -> str:
    """Return what is counted as one client: an IPv4 address, or an IPv6 network of /64.

    A port is cut off, an IPv4 address inside IPv6 is read as IPv4; UNKNOWN for anything else.
    """
    try:
        ip = ip_address(_without_port(address))
    except ValueError:
        return UNKNOWN
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ip_network((int(ip), IPV6_PREFIX), strict=False))
    return str(ip)


def _without_port(address: str) -> str:
    """Return `192.0.2.1` of `192.0.2.1:443` and `2001:db8::1` of `[2001:db8::1]:443`."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    host, separator, _port = address.partition(":")
    return host if separator and "." in host else address

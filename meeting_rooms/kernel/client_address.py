"""The address of a client behind proxies, and the network that is counted as one client. Pure."""

from ipaddress import IPv6Address, ip_address, ip_network

UNKNOWN = "unknown"  # a peer without an IP address: a Unix socket, a test client
IPV6_PREFIX = 64  # bits; a subscriber gets at least this network. Source: RFC 6177 section 2


def client_address(peer: str, forwarded_for: str, trusted_proxies: int) -> str:
    """Return the address that the outermost trusted proxy saw, or the peer's without proxies.

    `forwarded_for` is the complete X-Forwarded-For, to which each proxy appends the address of its
    peer. Only the last `trusted_proxies` entries come from the proxies; a client may have written
    the entries before them. Fewer entries mean that there are fewer proxies than configured, and
    the peer's own address is returned.
    """
    entries = [entry.strip() for entry in forwarded_for.split(",") if entry.strip()]
    if 0 < trusted_proxies <= len(entries):
        return entries[-trusted_proxies]
    return peer


def network_of(address: str) -> str:
    """Return the network that counts as one client: an IPv4 address, or an IPv6 network of /64.

    A port is removed, and an IPv4 address inside IPv6 is read as IPv4. Returns UNKNOWN for a text
    that is not an IP address.
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

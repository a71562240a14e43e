"""The address of a client behind proxies, and the addresses that count as one."""

import pytest

from meeting_rooms.kernel.client_address import UNKNOWN, client_address, network_of


@pytest.mark.parametrize(
    "forwarded_for,proxies,address",
    [
        ("", 0, "10.0.0.1"),
        ("198.51.100.7", 0, "10.0.0.1"),  # no trusted proxy: the client's own claim
        ("198.51.100.7", 1, "198.51.100.7"),
        ("203.0.113.9, 198.51.100.7", 1, "198.51.100.7"),  # the first is the client's claim
        ("203.0.113.9, 198.51.100.7, 10.0.0.2", 2, "198.51.100.7"),
        ("198.51.100.7", 2, "10.0.0.1"),  # the request did not pass two proxies
        ("", 1, "10.0.0.1"),
        (" , ,", 1, "10.0.0.1"),
    ],
)
def test_client_address__only_what_trusted_proxies_wrote__is_read(forwarded_for, proxies, address):
    assert client_address("10.0.0.1", forwarded_for, proxies) == address


@pytest.mark.parametrize(
    "address,network",
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:443", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:ffff::9]:443", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::4", "2001:db8:1:3::/64"),
        ("", UNKNOWN),
        ("a claim", UNKNOWN),
        ("999.0.0.1", UNKNOWN),
    ],
)
def test_network__addresses_of_one_subscriber__count_as_one(address, network):
    assert network_of(address) == network

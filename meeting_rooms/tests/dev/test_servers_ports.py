"""The ports of servers are never ports of outgoing connections."""

import socket

import pytest

from meeting_rooms.dev.servers import ServiceName, ports


def test_pick_ports__without_preferred__are_below_those_of_outgoing_connections():
    picked = ports.pick_ports(list(ServiceName), {})
    assert len(set(picked.values())) == len(ServiceName)
    outgoing = ports.first_outgoing_port()
    assert all(ports.FIRST_PORT <= port < outgoing for port in picked.values())


def test_pick_ports__preferred_is_taken__is_another_port():
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        taken = occupant.getsockname()[1]
        picked = ports.pick_ports([ServiceName.REDIS], {ServiceName.REDIS: taken})
    assert picked[ServiceName.REDIS] != taken


@pytest.mark.parametrize(
    ("text", "first"),
    [("40000\t60999\n", 40_000), ("", ports.OUTGOING_FIRST), ("none", ports.OUTGOING_FIRST)],
)
def test_first_outgoing_port__text_of_the_kernel__is_its_first_number(text, first, tmp_path):
    source = tmp_path / "range"
    assert ports.first_outgoing_port(source) == ports.OUTGOING_FIRST
    source.write_text(text)
    assert ports.first_outgoing_port(source) == first


def test_free_port__every_port_is_outgoing__is_a_free_port(tmp_path):
    source = tmp_path / "range"
    source.write_text("1024 65535")
    with socket.create_server(("127.0.0.1", ports.free_port(source))) as server:
        assert server.getsockname()[1]

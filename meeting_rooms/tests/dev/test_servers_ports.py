"""The ports of servers are never ports of outgoing connections."""

import socket

import pytest

from meeting_rooms.dev.servers import ServiceName, ports


def test_pick_ports__without_preferred__are_below_those_of_outgoing_connections():
    picked = ports.pick_ports(list(ServiceName), {})
    assert len(set(picked.values())) == len(ServiceName)
    first_outgoing = int(ports.OUTGOING.read_text().split()[0])
    assert all(ports.FIRST_PORT <= port < first_outgoing for port in picked.values())


def test_pick_ports__preferred_is_taken__is_another_port():
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        taken = occupant.getsockname()[1]
        picked = ports.pick_ports([ServiceName.REDIS], {ServiceName.REDIS: taken})
    assert picked[ServiceName.REDIS] != taken


@pytest.mark.parametrize("text", [None, "", "no numbers", "1024 65535"])
def test_free_port__range_unknown_or_complete__is_a_free_port(text, tmp_path, monkeypatch):
    monkeypatch.setattr(ports, "OUTGOING", tmp_path / "range")
    if text is not None:
        (tmp_path / "range").write_text(text)
    with socket.create_server(("127.0.0.1", ports.free_port())) as server:
        assert server.getsockname()[1]

"""T16: a day of health checks, connections that are closed at once, into nothing that is kept."""

from __future__ import annotations

import socket

import pytest

from tests.faults.servers import NAMES, Served
from tests.network.ends import WAIT

COUNT = 20_000
BATCH = 250  # fewer than may wait to be accepted
MOST = 200  # bytes that a server may be larger afterwards, for each connection


def checked(server: Served, count: int) -> list[int]:
    """Connect and close so many times; all of it has been accepted then. Return our ports."""
    where = (server.host, server.port)
    ports = []
    for number in range(count):
        with socket.create_connection(where, WAIT) as sock:
            ports.append(sock.getsockname()[1])
            if number % BATCH == BATCH - 1:  # connections are accepted in their order
                sock.shutdown(socket.SHUT_WR)
                assert sock.recv(1) == b""
    return ports


def sizes(server: Served, ports: list[int]) -> list[int]:
    """Its memory, which comes and goes with what is collected, after some of them each."""
    found = []
    for _ in range(4):
        ports += checked(server, BATCH)
        found.append(server.memory())
    return found


@pytest.mark.timeout(600)  # for a machine that is slow, or has much else to do
@pytest.mark.parametrize("name", NAMES)
def test_a_day_of_health_checks(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    server = Served(name, tmp_path_factory.mktemp(name))
    try:
        ports = checked(server, COUNT // 4)  # buffers of a crowd stay
        before = max(sizes(server, ports))
        server.is_well(*ports)
        ports = checked(server, COUNT)
        after = min(sizes(server, ports))
        server.is_well(*ports)
        assert after - before < MOST * COUNT
    finally:
        server.stop()

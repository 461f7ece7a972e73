"""The rows of group T against servers: silence, trickles, resets, crowds, ends of the line."""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from dicomwire.network.refusals import IN_FULL
from dicomwire.protocol.pdus import ReleaseRP, ReleaseRQ
from tests.faults.conftest import Start
from tests.faults.established import ECHOED, STORED, STORING, asking, values
from tests.faults.rows import CLOSED, said
from tests.faults.scenarios import TRANSPORT
from tests.faults.servers import NAMES, PATIENT, Served, heard, port_of, until, waits_for_close
from tests.network.ends import LOCAL, Peer, dial
from tests.protocol.pairs import ECHO, STORE, VERIFICATION, message


@pytest.fixture
def answer(request: pytest.FixtureRequest) -> str:
    """What the table expects of the test."""
    return TRANSPORT[request.node.originalname.removeprefix("test_")].answer


def room_for(server: Served, descriptors: int) -> None:
    """See to it that this process and the server may have so many, where the system allows it."""
    for pid in (os.getpid(), server.process.pid):
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        if soft < descriptors:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(descriptors, hard), hard))


@contextmanager
def many(server: Served, count: int, prefixes: Sequence[bytes] = ()) -> Iterator[list[Peer]]:
    """So many connections at once, each of which is sent something."""
    with ExitStack() as stack:
        peers = [stack.enter_context(server.dialled()) for _ in range(count)]
        for peer, prefix in zip(peers, prefixes, strict=False):
            peer.send(prefix)
        yield peers


def ends(peers: Sequence[Peer]) -> set[str]:
    """What they hear until their connections are closed by the server."""
    return {said(waits_for_close(peer)) or CLOSED for peer in peers}


def prefixes(raw: bytes, beginning: bytes = b"") -> list[bytes]:
    """Each part of something that begins where it does and is not the whole."""
    return [beginning + raw[:length] for length in range(1, len(raw))]


def trickle(peer: Peer, data: bytes, pause: float = 0.02) -> bytes:
    """Send byte by byte, with pauses, until the server says something; return what was sent."""
    sent = b""
    for position in range(len(data)):
        if select.select([peer.socket], [], [], pause)[0]:
            break
        sent += data[position : position + 1]
        peer.send(sent[-1:])
    return sent


# -- silence -----------------------------------------------------------------------------------


def test_silence(hasty: Served, answer: str) -> None:
    with hasty.dialled() as peer:
        port = port_of(peer)
        assert ends([peer]) == {answer}
    hasty.is_well(port)


@pytest.mark.parametrize("count", [3, 200, 1000])
def test_many_silent_connections(server: Served, count: int) -> None:
    room_for(server, count + 500)
    with server.established() as bystander, many(server, count) as peers:
        ports = [port_of(peer) for peer in peers]
        server.echo()
        server.goes_on(bystander)
    server.is_well(*ports)


def test_a_request_that_stops(hasty: Served, answer: str) -> None:
    sent = prefixes(asking(hasty.storage))
    with many(hasty, len(sent), sent) as peers:
        ports = [port_of(peer) for peer in peers]
        hasty.echo()
        assert ends(peers) == {answer}
    hasty.is_well(*ports)


def test_a_request_byte_by_byte(hasty: Served) -> None:
    raw = asking(hasty.storage)
    with hasty.dialled() as peer:
        port = port_of(peer)
        assert len(trickle(peer, raw)) < len(raw)
        assert ends([peer]) == {CLOSED}
    hasty.is_well(port)


def test_a_message_that_stops(hasty: Served) -> None:
    sent, ports = prefixes(message(3, dict(STORE), b"data")), []
    for batch in (sent[:80], sent[80:]):  # there may be 100 associations
        with ExitStack() as stack:
            peers = [stack.enter_context(hasty.established()) for _ in batch]
            for peer, part in zip(peers, batch, strict=True):
                peer.send(part)
            ports += [port_of(peer) for peer in peers]
            assert {heard(peer, 1)[:6] for peer in peers} == {"ABORT("}
    hasty.is_well(*ports)


@pytest.mark.parametrize("name", NAMES)
def test_half_a_pdu(name: str, served: Start, answer: str) -> None:
    server = served(name, (*PATIENT, "--stall-timeout", "0.5"))
    with server.established() as peer:
        port = port_of(peer)
        peer.send(message(1, dict(ECHO))[:40])
        assert heard(peer, 1) == answer
    server.is_well(port)


@pytest.mark.parametrize("name", ["threads", "asyncio"])  # a tool has 30 s of grace
def test_a_data_set_byte_by_byte(name: str, served: Start, answer: str) -> None:
    server = served(name, (*PATIENT, "--grace", "0.5"))
    with server.established() as peer:
        port = port_of(peer)
        peer.send(STORING + values((3, 0, bytes(200)))[:12])
        assert len(trickle(peer, bytes(100))) < 100
        assert heard(peer, 1) == answer
    server.is_well(port)


def test_an_idle_association(hasty: Served, answer: str) -> None:
    with hasty.established() as peer:
        port = port_of(peer)
        assert heard(peer, 1) == answer
    hasty.is_well(port)


# -- ends of the line --------------------------------------------------------------------------


def broken_off(server: Served, reset: bool) -> list[int]:
    """Break off after each byte of a request and a message; return the ports."""
    request, store = asking(server.storage), message(3, dict(STORE), b"data")
    ports = []
    for position in range(len(request) + len(store)):
        with server.dialled() as peer:
            ports.append(port_of(peer))
            peer.send(request[:position])
            if position >= len(request):
                assert heard(peer, 1) == "AC 003"
                peer.send(store[: position - len(request)])
            if reset:
                peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                peer.socket.shutdown(socket.SHUT_WR)
                assert waits_for_close(peer) == []
    return ports


def test_resets_at_each_byte(server: Served) -> None:
    server.is_well(*broken_off(server, reset=True))


def test_ends_at_each_byte(server: Served) -> None:
    server.is_well(*broken_off(server, reset=False))


# -- slow readers ------------------------------------------------------------------------------


MARK = b"0000000000"
LONG = {
    "CommandField": 0x7777,
    "MessageID": 1,
    "AffectedSOPClassUID": "1" * 15_000 + MARK.decode(),
}
"""A request with an answer that is as long: it says for which SOP class it is."""


def asks_without_reading(peer: Peer, most: int = 24_000_000) -> None:
    """Send requests while they are taken, of so many bytes at most."""
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    request = message(1, LONG)
    peer.socket.settimeout(0.3)
    with suppress(TimeoutError, ConnectionError):  # which has had enough of it
        for number in range(most // len(request)):
            peer.send(request.replace(MARK, b"%010d" % number))


def test_who_does_not_read(hasty: Served) -> None:
    with hasty.established() as peer:
        port = port_of(peer)
        asks_without_reading(peer)
        hasty.is_well(port)  # it has hung up, and nobody has read anything


def test_requests_without_end(hasty: Served) -> None:
    before = hasty.memory()
    with hasty.established() as peer:
        asks_without_reading(peer, 60_000_000)
        assert hasty.memory() - before < 5_000_000
    hasty.is_well()


def test_who_reads_a_byte_now_and_then(hasty: Served) -> None:
    over = threading.Event()

    def read_slowly(sock: socket.socket) -> None:
        while not over.wait(0.02):
            sock.recv(1)

    with hasty.established() as peer:
        port = port_of(peer)
        asks_without_reading(peer)
        reader = threading.Thread(target=read_slowly, args=(peer.socket,))
        reader.start()
        try:
            hasty.is_well(port)
        finally:
            over.set()
            reader.join()


def test_who_reads_little_by_little(server: Served) -> None:
    count = 300
    with server.established() as peer:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        requests = b"".join(message(1, {**ECHO, "MessageID": n}) for n in range(count))
        sender = threading.Thread(target=peer.send, args=(requests,))
        sender.start()
        assert heard(peer, count) == f"{count} x {ECHOED}"
        sender.join()
        server.release(peer)
    server.is_well()


# -- how it is cut -----------------------------------------------------------------------------


def stored(server: Served) -> str:
    """What a C-STORE is answered: echoscp has no context for it."""
    return STORED if server.storage != VERIFICATION else STORED.replace("0000", "0122")


def test_byte_by_byte(server: Served) -> None:
    with server.dialled() as peer:
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for raw, expected in (
            (asking(server.storage), "AC 003"),
            (message(1, dict(ECHO)), ECHOED),
            (message(3, dict(STORE), b"data"), stored(server)),
            (ReleaseRQ().encode(), "ReleaseRP"),
        ):
            for position in range(len(raw)):
                peer.send(raw[position : position + 1])
            assert heard(peer, 1) == expected
    server.is_well(at_most=["1.2.3"])


def test_at_once(server: Served) -> None:
    requests = b"".join(
        message(1, {**ECHO, "MessageID": number})
        + message(3, {**STORE, "MessageID": number + 100}, b"data")
        for number in range(20)
    )
    with server.established() as peer:
        peer.send(requests, ReleaseRQ())
        for _ in range(20):
            assert heard(peer, 2) == f"{ECHOED} {stored(server)}"
        assert peer.read() == ReleaseRP()
    server.is_well(at_most=["1.2.3"])


# -- TLS ---------------------------------------------------------------------------------------


@pytest.fixture(params=NAMES)
def secured(request: pytest.FixtureRequest, served: Start) -> Served:
    """Each of the servers with TLS, and a short time for the handshake."""
    return served(request.param, ("-ta", "1", "-tn", "600"), tls=True)


def test_dicom_to_a_tls_port(secured: Served) -> None:
    with dial(secured.port) as peer:
        port = port_of(peer)
        peer.send(asking())
        assert peer.exactly(1 << 16)[:1] in (b"", b"\x15")  # at most an alert (RFC 8446 6)
    secured.is_well(port)


def test_a_silent_tls_client(secured: Served, answer: str) -> None:
    with ExitStack() as stack:
        peers = [stack.enter_context(dial(secured.port)) for _ in range(50)]
        ports = [port_of(peer) for peer in peers]
        secured.echo()
        assert ends(peers) == {answer}
    secured.is_well(*ports)


# -- crowds ------------------------------------------------------------------------------------


def scanned(server: Served, count: int) -> list[int]:
    ports = []
    for _ in range(count):
        with server.dialled() as peer:
            ports.append(port_of(peer))
    return ports


def test_a_port_scan(server: Served) -> None:
    mark, began = len(server.log()), time.monotonic()
    server.is_well(*scanned(server, 5000))
    memory = server.memory()  # with what those that were there at once have made room for
    server.is_well(*scanned(server, 5000))
    seconds = time.monotonic() - began
    # An association takes 20 KB and more, so all of them would be 100 MB; how many are there at
    # once depends on how busy the machine is.
    assert server.memory() - memory < 20_000_000
    lines = [line for line in server.log()[mark:].splitlines() if line.startswith(("E: ", "W: "))]
    sums = [line for line in lines if "more connections" in line]
    reasons = {line.rpartition(": ")[2] for line in sums}
    assert len(lines) - len(sums) <= 2 * IN_FULL * len(reasons)  # both times
    assert len(sums) <= (seconds + 2) * len(reasons)


def test_no_descriptors_left(server: Served) -> None:
    pid = server.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    with server.established() as bystander:
        limit = server.state().descriptors + 10
        soft, _ = resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, hard))
        try:
            with many(server, 30) as peers:
                ports = [port_of(peer) for peer in peers]
                bystander.send(message(1, dict(ECHO)))
                assert heard(bystander, 1) == ECHOED
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        server.goes_on(bystander)
    server.is_well(*ports)


# -- addresses and ends ------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_ipv6(name: str, served: Start) -> None:
    server = served(name, PATIENT, host="::1")
    with server.dialled() as peer:
        port = port_of(peer)
        peer.send(b"\x99\0\0\0\0\0")
        assert heard(peer, 1) == "ABORT(0,0)"
    server.is_well(port)


@pytest.mark.parametrize("name", ["echoscp", "storescp"])
def test_a_server_that_is_stopped(name: str, tmp_path: Path) -> None:
    """dicomwire.aio has no signals of its own: who serves with it closes the server."""
    server = Served(name, tmp_path)
    try:
        with server.established() as peer:
            peer.send(STORING + values((3, 0, b"da")))
            server.echo()  # so the first part has arrived
            server.process.send_signal(signal.SIGTERM)
            until(lambda: not listens(server.port), server.log)
            peer.send(values((3, 2, b"ta")))
            assert heard(peer, 1) == stored(server)
            server.release(peer)
        assert server.process.wait(10) == 0
        if name == "storescp":
            assert (server.home / "received" / "CT.1.2.3").read_bytes().endswith(b"data")
    finally:
        server.stop()


def listens(port: int) -> bool:
    """Whether a connection can be had."""
    with socket.socket() as sock:
        return sock.connect_ex((LOCAL, port)) == 0

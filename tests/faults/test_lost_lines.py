"""T10: a peer that vanishes without a word, into the end of its association."""

from __future__ import annotations

import array
import asyncio
import fcntl
import socket
import termios
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dicomwire import AE, Options, aio
from dicomwire.protocol.errors import Ended, Error
from dicomwire.protocol.limits import Limits
from dicomwire.protocol.pdus import AssociateRQ
from tests.faults.established import STORING, values
from tests.faults.lines import FAR, Distant, Line, laid
from tests.faults.servers import NAMES, port_of, until
from tests.faults.test_requestors import answer_of
from tests.faults.test_transport import asks_without_reading
from tests.network.ends import VERIFICATION, WAIT, Peer
from tests.protocol.pairs import ECHO, IMPLICIT, message

KEEPALIVE = 4.0  # seconds: the least
UNREACHABLE = "cannot be reached any more"


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    with laid() as line:
        yield line


@pytest.fixture
def started(line: Line, tmp_path: Path) -> Iterator[Callable[..., Distant]]:
    with ExitStack() as stack:

        def start(name: str, *options: str) -> Distant:
            server = Distant(line, name, tmp_path, options)
            stack.callback(server.stop)
            return server

        yield start


# -- servers -----------------------------------------------------------------------------------


def nothing(_: Peer) -> None:
    """An association that is idle."""


def half_a_pdu(peer: Peer) -> None:
    peer.send(message(1, dict(ECHO))[:40])


def half_a_message(peer: Peer) -> None:
    peer.send(STORING + values((3, 0, bytes(100))))


RECEIVING = (nothing, half_a_pdu, half_a_message)


def ends_by_itself(server: Distant, *acts: Callable[[Peer], None], words: str = "") -> None:
    """Have a server find out by itself that the line is cut, in the middle of several things."""
    before = server.state()
    with ExitStack() as stack:
        peers = [stack.enter_context(server.established()) for _ in acts]
        ports = [port_of(peer) for peer in peers]
        for act, peer in zip(acts, peers, strict=True):
            act(peer)
        quiet = [port for act, port in zip(acts, ports, strict=True) if act in RECEIVING]
        until(lambda: all(map(server.is_acknowledged, quiet)), server.log)
        assert server.state() != before
        with server.line.cut():
            until(lambda: server.state() == before, server.log)
    server.is_well(*ports, words=words)


@pytest.mark.parametrize("name", NAMES)
def test_keepalive_ends_what_no_time_out_ends(name: str, started: Callable[..., Distant]) -> None:
    server = started(
        *(name, "-ta", "60", "-tn", "600", "--stall-timeout", "600"),
        *("--keepalive", str(KEEPALIVE)),
    )
    ends_by_itself(server, *RECEIVING, words=UNREACHABLE)


@pytest.mark.parametrize("name", NAMES)
def test_a_lost_line_is_given_up_in_time(name: str, started: Callable[..., Distant]) -> None:
    server = started(name, "-ta", "60", "-tn", "2", "--stall-timeout", "1", "--keepalive", "600")
    ends_by_itself(server, *RECEIVING, asks_without_reading)


# -- requestors --------------------------------------------------------------------------------


def requestor(dimse_timeout: float | None) -> AE:
    ae = AE("SCU", Options(linger=0.5, limits=Limits(keepalive=KEEPALIVE)))
    ae.add_requested_context(VERIFICATION, IMPLICIT)
    ae.dimse_timeout, ae.network_timeout = dimse_timeout, None
    return ae


def with_threads(ae: AE, port: int, ready: Callable[[socket.socket], None]) -> Ended | None:
    """Ask for a C-ECHO; return why it was not answered."""
    assoc = ae.associate(FAR, port)
    assert assoc.is_established, assoc.ended
    ready(assoc.raw_socket)
    assert not assoc.send_c_echo()  # an empty Dataset
    assert not assoc.is_established
    return assoc.ended


def in_a_loop(ae: AE, port: int, ready: Callable[[socket.socket], None]) -> Error:
    """The same with asyncio."""

    async def ask() -> None:
        async with aio.connect(FAR, port, ae=ae) as assoc:
            ready(assoc.raw_socket)
            await assoc.c_echo()

    with pytest.raises(Error) as caught:
        asyncio.run(ask())
    return caught.value


def unacknowledged(sock: socket.socket) -> int:
    """How many bytes of those sent the peer has not acknowledged (tcp(7), SIOCOUTQ)."""
    count = array.array("i", [0])
    fcntl.ioctl(sock, termios.TIOCOUTQ, count)
    return count[0]


@pytest.mark.parametrize("ask", [with_threads, in_a_loop])
@pytest.mark.parametrize(("seconds", "words"), [(1.0, "timed out after 1 s"), (None, UNREACHABLE)])
def test_a_response_that_is_lost_with_the_line(
    ask: Callable[..., Any], seconds: float | None, words: str, line: Line
) -> None:
    """The time-out of the response ends the wait for it, and where there is none, keepalive."""
    ours: list[socket.socket] = []
    asked, over = threading.Event(), threading.Event()

    def listen() -> None:
        sock, _ = listener.accept()
        with sock:
            peer = Peer(sock)
            request = peer.read()
            assert isinstance(request, AssociateRQ)
            peer.send(answer_of(request))
            assert peer.read()  # the C-ECHO request
            asked.set()
            over.wait(3 * WAIT)

    with (
        line.at(line.far, socket.create_server, (FAR, 0)) as listener,
        ThreadPoolExecutor(2) as pool,
    ):
        try:
            there = pool.submit(listen)
            port = listener.getsockname()[1]
            here = pool.submit(line.at, line.near, ask, requestor(seconds), port, ours.append)
            assert asked.wait(WAIT)
            until(lambda: not unacknowledged(ours[0]), lambda: "never acknowledged")
            with line.cut():
                found = here.result(3 * WAIT)
        finally:
            over.set()
        there.result(WAIT)
    assert words in str(found)

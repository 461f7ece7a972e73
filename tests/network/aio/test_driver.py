"""Turns silence and floods into time-outs, back-pressure and turns for the others."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from dicomwire import aio, evt
from dicomwire.protocol.errors import (
    Aborted,
    AssociateTimedOut,
    ConnectTimedOut,
    DimseTimedOut,
    Error,
    IdleTimedOut,
    Lost,
)
from dicomwire.protocol.pdus import Abort, ReleaseRQ
from tests.network.aio.loops import associated, asynchronous, ended, served, soon
from tests.network.ends import (
    CT,
    LOCAL,
    VERIFICATION,
    WAIT,
    Peer,
    dialled,
    entity,
    image,
    saved,
    scripted,
)
from tests.protocol import pairs

SOON = 0.2


def reason(error: BaseException | None) -> Error | None:
    """What made an association end: the cause of our abort, or the end itself."""
    cause = error.__cause__ if error else None
    found = cause if isinstance(cause, Error) else error
    assert found is None or isinstance(found, Error)
    return found


@asynchronous
async def test_a_request_that_is_not_answered_times_out() -> None:
    got: list[Any] = []

    def script(peer: Peer) -> None:
        peer.accept()
        peer.command()
        got.extend(peer.rest())

    with scripted(script) as port:
        async with aio.connect(
            LOCAL, port, [VERIFICATION], ae=entity(linger=0.1), dimse_timeout=SOON
        ) as assoc:
            began = time.monotonic()
            with pytest.raises(Aborted, match=r"after 0\.2 s") as caught:
                await assoc.c_echo()
            assert SOON <= time.monotonic() - began < WAIT
            assert isinstance(reason(caught.value), DimseTimedOut)
    assert got == [Abort(0, 0)]


@asynchronous
async def test_the_dimse_timeout_begins_when_the_request_has_been_sent(tmp_path: Path) -> None:
    go = threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        for _ in range(12):  # slowly: in all longer than the time-out
            peer.exactly(1_500_000)
            go.wait(0.05)
        peer.exactly(30_000_000 - 12 * 1_500_000)
        peer.send(Abort(0, 0))
        while peer.socket.recv(1 << 20):
            pass

    with scripted(script) as port:
        async with aio.connect(
            LOCAL, port, [CT], ae=entity(linger=0.1), dimse_timeout=0.4, network_timeout=WAIT
        ) as assoc:
            with pytest.raises(Aborted, match="by the peer"):
                await assoc.c_store(saved(tmp_path / "big.dcm", image(size=30_000_000)))


@asynchronous
async def test_a_peer_that_takes_nothing_any_more_is_given_up(tmp_path: Path) -> None:
    big, over = saved(tmp_path / "big.dcm", image(size=30_000_000)), threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        assert over.wait(WAIT)

    with scripted(script) as port:
        async with aio.connect(
            LOCAL, port, [CT], ae=entity(linger=0.1), network_timeout=SOON
        ) as assoc:
            with pytest.raises(Lost, match="does not take what we send"):
                await assoc.c_store(big)
            assert assoc.is_aborted
        over.set()


@pytest.mark.parametrize("how", ["A-ABORT", "A-RELEASE"])
@asynchronous
async def test_an_idle_requestor_is_given_up_after_the_network_timeout(how: str) -> None:
    async with associated() as (assoc, acceptor):
        assoc.network_timeout_response = how
        await assoc.c_echo()
        assoc.network_timeout = SOON
        await ended(assoc)
        assert assoc.is_released == (how == "A-RELEASE")
        if how == "A-ABORT":
            assert isinstance(reason(assoc.ended), IdleTimedOut)
        await ended(acceptor)
        assert acceptor.is_released == (how == "A-RELEASE")


@asynchronous
async def test_an_idle_acceptor_gives_up_too() -> None:
    scp = entity("SCP")
    scp.network_timeout = SOON
    async with associated(scp=scp) as (assoc, acceptor):
        await ended(acceptor)
        assert isinstance(reason(acceptor.ended), IdleTimedOut)
        await ended(assoc)
        assert isinstance(assoc.ended, Aborted)


@asynchronous
async def test_negotiations_are_bounded_on_both_sides() -> None:
    over = threading.Event()
    with scripted(lambda peer: (peer.read(), over.wait(WAIT))) as port:
        with pytest.raises(Aborted) as caught:
            await aio.connect(LOCAL, port, [VERIFICATION], ae=entity(linger=0.1), acse_timeout=SOON)
        assert isinstance(reason(caught.value), AssociateTimedOut)
        over.set()
    scp, came = entity("SCP"), []
    scp.acse_timeout = SOON
    async with served((evt.EVT_CONN_OPEN, lambda e: came.append(e.assoc)), ae=scp) as server:
        reader, writer = await asyncio.open_connection(LOCAL, server.port)
        assert await reader.read() == b""
        writer.close()
        await ended(came[0])
        assert isinstance(came[0].ended, AssociateTimedOut)


@asynchronous
async def test_half_a_pdu_is_under_a_timeout() -> None:
    scp, came = entity("SCP", linger=0.1), []
    scp.network_timeout = SOON
    async with served((evt.EVT_ESTABLISHED, lambda e: came.append(e.assoc)), ae=scp) as server:
        calling = asyncio.to_thread(_half, server.port)
        assert await calling == [Abort(0, 0)]
        await ended(came[0])
    assert isinstance(reason(came[0].ended), IdleTimedOut)


def _half(port: int) -> list[Any]:
    with dialled(port) as peer:
        peer.send(b"\x04\x00\x00\x00\x10\x00half")
        return list(peer.rest())


@asynchronous
async def test_a_connection_that_does_not_come_about_times_out() -> None:
    with socket.create_server((LOCAL, 0), backlog=0) as full, socket.socket() as one:
        one.connect(full.getsockname())
        others = [socket.socket() for _ in range(3)]
        for each in others:  # what is more than the backlog waits for ever
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        with pytest.raises(ConnectTimedOut):
            await aio.connect(LOCAL, full.getsockname()[1], [VERIFICATION], connection_timeout=SOON)
        for each in others:
            each.close()


@asynchronous
async def test_a_busy_handler_keeps_its_peer_waiting() -> None:
    """What nobody asks for stays with the peer: memory does not grow with what it sends."""
    begun, go, stored = asyncio.Event(), asyncio.Event(), []

    async def store(event: Any) -> int:
        begun.set()
        await go.wait()
        stored.append(event.message_id)
        return 0x0000

    came: list[aio.Association] = []
    bound = (evt.EVT_ESTABLISHED, lambda event: came.append(event.assoc))
    async with served(bound, (evt.EVT_C_STORE, store)) as server:
        loop = asyncio.get_running_loop()
        sock = socket.create_connection((LOCAL, server.port))
        sock.setblocking(False)
        await loop.sock_sendall(sock, pairs.request().encode())
        await loop.sock_recv(sock, 65536)
        requestor = pairs.associated()[0]
        message = b""
        for number in range(3):
            requestor.send_message(3, {**pairs.STORE, "MessageID": number + 1}, bytes(16_000_000))
            message += pairs.taken(requestor)
        sending = asyncio.create_task(loop.sock_sendall(sock, message))
        await begun.wait()
        done, _ = await asyncio.wait([sending], timeout=0.3)
        assert not done, "all was taken although nobody wanted it"
        assert len(came[0].connection.events) == 0
        go.set()
        await asyncio.wait_for(sending, WAIT)
        await soon(lambda: len(stored) == 3)
        await loop.sock_sendall(sock, ReleaseRQ().encode())
        await ended(came[0])
        sock.close()


@asynchronous
async def test_who_stores_lets_others_go_first(tmp_path: Path) -> None:
    """Both ends of a long store and of an echo share this loop: the echo is not kept waiting."""
    big = saved(tmp_path / "big.dcm", image(size=60_000_000))
    stored: list[Any] = []
    store = (evt.EVT_C_STORE, lambda event: stored.append(event) or 0x0000)
    ae = entity("SCP", drop_stores=True)
    async with (
        served(store, ae=ae) as server,
        aio.connect(LOCAL, server.port, [CT]) as first,
        aio.connect(LOCAL, server.port, [VERIFICATION]) as second,
    ):
        storing = asyncio.create_task(first.c_store(big))
        while not first.driver.connection.out and not storing.done():
            await asyncio.sleep(0)
            if first._turn.is_taken:
                break
        echoes = 0
        while not storing.done():
            await second.c_echo()
            echoes += 1
        assert (await storing).status == 0x0000
    assert echoes > 5

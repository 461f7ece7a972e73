"""Turns two ends in one loop, and peers that follow a script, into the life of associations."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from dicomwire import aio, evt
from dicomwire.protocol.errors import (
    Aborted,
    Lost,
    NoContextAccepted,
    Rejected,
    Released,
)
from dicomwire.protocol.pdus import Abort, ReleaseRP, ReleaseRQ
from tests.network.aio.loops import associated, asynchronous, ended, served, soon
from tests.network.ends import (
    CT,
    LOCAL,
    VERIFICATION,
    WAIT,
    Peer,
    entity,
    image,
    keys,
    lines,
    pair,
    scripted,
)

COMMITMENT = "1.2.840.10008.1.20.1"
INSTANCE = "1.2.840.10008.1.20.1.1"


@asynchronous
async def test_an_echo_and_a_release(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dicomwire")
    async with associated() as (assoc, acceptor):
        assert assoc.is_established
        assert assoc.remote["ae_title"] == "ANY-SCP"
        assert [each.abstract_syntax for each in assoc.accepted_contexts] == [VERIFICATION, CT]
        assert (await assoc.c_echo()).status == 0x0000
        assert acceptor.is_established
    assert assoc.is_released
    assert isinstance(assoc.ended, Released)
    await ended(acceptor)
    assert acceptor.is_released
    said = lines(caplog)
    for line in (
        "Requesting Association",
        "Sending Echo Request: MsgID 1",
        "Releasing Association",
    ):
        assert line in said
    assert "Received Echo Response (Status: 0x0000 - Success)" in said


@asynchronous
async def test_it_may_be_opened_and_released_by_hand() -> None:
    async with served() as server:
        assoc = await aio.connect(LOCAL, server.port, [VERIFICATION], "SCP")
        assert (await assoc.c_echo(7)).message.command["MessageIDBeingRespondedTo"] == 7
        await assoc.release()
        await assoc.release()
        assert assoc.is_released
        with pytest.raises(RuntimeError, match="must be established"):
            await assoc.c_echo()


@asynchronous
async def test_what_keeps_an_association_from_being_is_raised() -> None:
    scp = entity("SCP")
    scp.require_called_aet = True
    async with served(ae=scp) as server:
        with pytest.raises(Rejected, match="called AE title") as caught:
            async with aio.connect(LOCAL, server.port, [VERIFICATION], "OTHER"):
                pytest.fail("it is rejected")
        assert (caught.value.result, caught.value.source, caught.value.reason) == (1, 1, 7)
        with pytest.raises(Aborted, match="No accepted presentation contexts") as aborted:
            await aio.connect(LOCAL, server.port, ["1.2.3"], "SCP")
        assert isinstance(aborted.value.__cause__, NoContextAccepted)
        port = server.port
    with pytest.raises(Lost, match="Connection refused"):
        await aio.connect(LOCAL, port, [VERIFICATION])
    with pytest.raises(RuntimeError, match="At least one requested presentation context"):
        await aio.connect(LOCAL, port)
    with pytest.raises(TypeError, match="unexpected keyword argument 'tmeout'"):
        aio.connect(LOCAL, port, [VERIFICATION], tmeout=1)


@asynchronous
async def test_an_exception_that_leaves_the_block_aborts() -> None:
    came: list[aio.Association] = []
    async with served((evt.EVT_ESTABLISHED, lambda event: came.append(event.assoc))) as server:
        with pytest.raises(ZeroDivisionError):
            async with aio.connect(LOCAL, server.port, [VERIFICATION]) as assoc:
                1 / 0  # noqa: B018 - it raises
        assert assoc.is_aborted
        await ended(came[0])
        assert isinstance(came[0].ended, Aborted)
        assert came[0].ended.by_peer


@asynchronous
async def test_an_idle_association_notices_what_the_peer_does() -> None:
    for what in ("abort", "release"):
        async with associated() as (assoc, acceptor):
            await getattr(acceptor, what)()
            await ended(assoc)
            assert assoc.is_aborted == (what == "abort")
            assert assoc.is_released == (what == "release")
            with pytest.raises(RuntimeError, match="must be established"):
                await assoc.c_echo()


@asynchronous
async def test_an_idle_association_answers_an_event_report() -> None:
    reports: list[Any] = []

    async def report(event: Any) -> tuple[int, None]:
        await asyncio.sleep(0)
        reports.append(event.event_information.PatientName)
        return 0x0000, None

    ends = pair(VERIFICATION, COMMITMENT, handlers=[(evt.EVT_N_EVENT_REPORT, report)])
    async with associated(**ends) as (assoc, acceptor):
        said = await acceptor.n_event_report(keys(PatientName="A"), 1, COMMITMENT, INSTANCE)
        assert said.status == 0x0000
        assert (await assoc.c_echo()).status == 0x0000
        said = await acceptor.n_event_report(keys(PatientName="B"), 1, COMMITMENT, INSTANCE)
        assert reports == ["A", "B"]


@asynchronous
async def test_one_operation_at_a_time() -> None:
    go, order = asyncio.Event(), []

    async def echo(event: Any) -> int:
        order.append(event.message_id)
        await go.wait()
        return 0x0000

    async with associated((evt.EVT_C_ECHO, echo)) as (assoc, _):
        first = asyncio.create_task(assoc.c_echo(1))
        await soon(lambda: order)
        second = asyncio.create_task(assoc.c_echo(2))
        for _ in range(20):
            await asyncio.sleep(0)
        assert order == [1]
        go.set()
        assert [(await each).status for each in (first, second)] == [0, 0]
        assert order == [1, 2]


@asynchronous
async def test_an_operation_inside_another_one_is_refused() -> None:
    tried: list[str] = []

    async def report(event: Any) -> tuple[int, None]:
        with pytest.raises(RuntimeError) as caught:
            await event.assoc.c_echo()
        tried.append(str(caught.value))
        return 0x0000, None

    async def echo(event: Any) -> int:
        await event.assoc.n_event_report(keys(), 1, COMMITMENT, INSTANCE)
        return 0x0000

    ends = pair(VERIFICATION, COMMITMENT, handlers=[(evt.EVT_N_EVENT_REPORT, report)])
    async with associated((evt.EVT_C_ECHO, echo), **ends) as (assoc, _):
        assert (await assoc.c_echo()).status == 0x0000
    assert "C-ECHO cannot begin inside C-ECHO" in tried[0]


@asynchronous
async def test_an_abort_wakes_whoever_waits() -> None:
    begun, over = asyncio.Event(), asyncio.Event()

    async def echo(event: Any) -> int:
        begun.set()
        await over.wait()
        return 0x0000

    async with associated((evt.EVT_C_ECHO, echo)) as (assoc, acceptor):
        waiting = asyncio.create_task(assoc.c_echo())
        await begun.wait()
        await assoc.abort()
        with pytest.raises(Aborted, match="by this side"):
            await waiting
        assert assoc.is_aborted
        over.set()
        await ended(acceptor)
        assert acceptor.is_aborted


@pytest.mark.parametrize("how", ["abort", "release"])
@asynchronous
async def test_a_handler_may_end_its_association(how: str) -> None:
    async def echo(event: Any) -> int:
        await getattr(event.assoc, how)()
        return 0x0000

    async with associated((evt.EVT_C_ECHO, echo)) as (assoc, acceptor):
        with pytest.raises(Aborted if how == "abort" else Released):
            await assoc.c_echo()
        await ended(acceptor)
        assert acceptor.is_aborted == (how == "abort")


@asynchronous
async def test_a_task_that_is_cancelled_while_it_waits_aborts() -> None:
    got: list[Any] = []

    def script(peer: Peer) -> None:
        peer.accept()
        peer.command()
        asked.set()
        got.extend(peer.rest())

    asked = threading.Event()
    with scripted(script) as port:
        async with aio.connect(LOCAL, port, [VERIFICATION], ae=entity(linger=0.1)) as assoc:
            waiting = asyncio.create_task(assoc.c_echo())
            await soon(asked.is_set)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert assoc.is_aborted
    assert got == [Abort(0, 0)]


@asynchronous
async def test_a_task_that_is_cancelled_while_it_sends_aborts_after_what_has_begun() -> None:
    begun, go, last = threading.Event(), threading.Event(), bytearray()
    abort = Abort(0, 0).encode()

    def script(peer: Peer) -> None:
        peer.accept()
        begun.set()
        assert go.wait(WAIT)
        while last != abort and (more := peer.socket.recv(1 << 20)):
            last.extend(more)
            del last[:-10]

    with scripted(script) as port:
        async with aio.connect(LOCAL, port, [CT], ae=entity(linger=WAIT)) as assoc:
            storing = asyncio.create_task(assoc.c_store(image(size=30_000_000)))
            await soon(begun.is_set)
            for _ in range(100):
                await asyncio.sleep(0)
            storing.cancel()
            go.set()
            with pytest.raises(asyncio.CancelledError):
                await storing
            assert assoc.is_aborted
    assert last == abort


@asynchronous
async def test_a_task_that_is_cancelled_while_it_connects_leaves_nothing() -> None:
    asked, go = threading.Event(), threading.Event()
    with scripted(lambda peer: (peer.read(), asked.set(), go.wait(10))) as port:
        connecting = asyncio.create_task(_connect(port))
        await soon(asked.is_set)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        go.set()


async def _connect(port: int) -> None:
    await aio.connect(LOCAL, port, [VERIFICATION], ae=entity(linger=0.1))


@asynchronous
async def test_a_release_that_crosses_the_peers() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        assert isinstance(peer.read(), ReleaseRQ)
        peer.send(ReleaseRQ())
        assert isinstance(peer.read(), ReleaseRP)
        peer.send(ReleaseRP())

    with scripted(script) as port:
        async with aio.connect(LOCAL, port, [VERIFICATION], ae=entity(linger=0.1)) as assoc:
            pass
        assert assoc.is_released


@asynchronous
async def test_a_peer_that_goes_away_is_noticed() -> None:
    with scripted(lambda peer: peer.accept()) as port:
        async with aio.connect(LOCAL, port, [VERIFICATION]) as assoc:
            await ended(assoc)
            assert assoc.is_aborted
            assert isinstance(assoc.ended, Lost)

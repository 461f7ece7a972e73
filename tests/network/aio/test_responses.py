"""Turns iterations that end early, late or not at all into associations that still work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dicomwire import aio, evt
from dicomwire.protocol.errors import Aborted
from dicomwire.standard.dimse import C_CANCEL_RQ
from tests.network.aio.loops import associated, asynchronous, everything, soon
from tests.network.ends import (
    LOCAL,
    VERIFICATION,
    Peer,
    entity,
    keys,
    pair,
    scripted,
)

FIND = "1.2.840.10008.5.1.4.1.2.2.1"
MATCHES = 3


async def find(event: Any) -> AsyncIterator[tuple[int, Any]]:
    for number in range(MATCHES):
        await asyncio.sleep(0)
        yield 0xFF00, keys(PatientID=str(number))


@asynchronous
async def test_matches_come_one_by_one_and_a_last_response() -> None:
    async with associated((evt.EVT_C_FIND, find), **pair(VERIFICATION, FIND)) as (assoc, _):
        found = await everything(assoc.c_find(keys(PatientID=""), FIND))
        assert [each.status for each in found] == [0xFF00] * MATCHES + [0]
        assert [each.decode().PatientID for each in found[:-1]] == ["0", "1", "2"]
        assert (await assoc.c_echo()).status == 0


@pytest.mark.parametrize("how", ["break", "aclose", "with", "release", "abort"])
@asynchronous
async def test_who_does_not_want_the_rest_cancels_it(how: str) -> None:
    cancelled: list[bool] = []

    async def endless(event: Any) -> AsyncIterator[tuple[int, Any]]:
        while True:
            await asyncio.sleep(0)
            if event.is_cancelled:
                cancelled.append(True)
                yield 0xFE00, None
                return
            yield 0xFF00, keys(PatientID="1")

    async with associated((evt.EVT_C_FIND, endless), **pair(VERIFICATION, FIND)) as (assoc, _):
        answers = assoc.c_find(keys(PatientID=""), FIND)
        if how == "with":
            async with answers:
                await anext(answers)
        else:
            await anext(answers)
        if how == "aclose":
            with pytest.raises(RuntimeError, match="C-ECHO cannot begin inside C-FIND"):
                await assoc.c_echo()
            await answers.aclose()
            assert await everything(answers) == []
        if how in ("release", "abort"):
            await getattr(assoc, how)()
            return
        del answers
        assert (await assoc.c_echo()).status == 0
        assert cancelled == [True]


@asynchronous
async def test_what_is_never_iterated_is_never_asked() -> None:
    asked: list[Any] = []
    async with associated(
        (evt.EVT_C_FIND, lambda event: asked.append(event)), **pair(VERIFICATION, FIND)
    ) as (assoc, _):
        await assoc.c_find(keys(PatientID=""), FIND).aclose()
        del assoc
    assert asked == []


@asynchronous
async def test_a_peer_that_does_not_stop_is_aborted() -> None:
    got: list[Any] = []

    def script(peer: Peer) -> None:
        peer.accept()
        got.append(peer.command()["CommandField"])
        peer.read()
        got.append(peer.command()["CommandField"])
        while more.wait(0.01) is False:
            pass

    more = threading.Event()
    model = "1.2.840.10008.5.1.4.1.1.2"  # the peer accepts it; it does not matter what it is
    with scripted(script) as port:
        async with aio.connect(
            LOCAL, port, [VERIFICATION, model], ae=entity(linger=0.1), dimse_timeout=0.2
        ) as assoc:
            answers = assoc.c_find(keys(PatientID=""), model)
            waiting = asyncio.create_task(anext(answers))
            await soon(lambda: got)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert assoc.is_established
            await answers.aclose()
            assert isinstance(assoc.ended, Aborted)
            more.set()
    assert got == [0x0020, C_CANCEL_RQ]


@asynchronous
async def test_who_is_cancelled_while_waiting_for_a_match_may_go_on() -> None:
    go = asyncio.Event()

    async def slow(event: Any) -> AsyncIterator[tuple[int, Any]]:
        await go.wait()
        yield 0xFF00, keys(PatientID="1")

    async with associated((evt.EVT_C_FIND, slow), **pair(VERIFICATION, FIND)) as (assoc, _):
        answers = assoc.c_find(keys(PatientID=""), FIND)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await anext(answers)
        assert assoc.is_established
        go.set()
        assert [each.status for each in await everything(answers)] == [0xFF00, 0]


@asynchronous
async def test_who_is_cancelled_while_another_has_the_turn_may_begin_later() -> None:
    go = asyncio.Event()

    async def echo(event: Any) -> int:
        await go.wait()
        return 0x0000

    handlers = (evt.EVT_C_ECHO, echo), (evt.EVT_C_FIND, find)
    async with associated(*handlers, **pair(VERIFICATION, FIND)) as (assoc, _):
        echoing = asyncio.create_task(assoc.c_echo())
        await asyncio.sleep(0)
        answers = assoc.c_find(keys(PatientID=""), FIND)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await anext(answers)
        go.set()
        assert (await echoing).status == 0
        assert len(await everything(answers)) == MATCHES + 1


@asynchronous
async def test_two_tasks_cannot_wait_for_the_same_responses() -> None:
    go = asyncio.Event()

    async def slow(event: Any) -> AsyncIterator[tuple[int, Any]]:
        await go.wait()
        yield 0xFF00, keys(PatientID="1")

    async with associated((evt.EVT_C_FIND, slow), **pair(VERIFICATION, FIND)) as (assoc, _):
        answers = assoc.c_find(keys(PatientID=""), FIND)
        waiting = asyncio.create_task(anext(answers))
        await asyncio.sleep(0)
        with pytest.raises(ValueError, match="waited for already"):
            await anext(answers)
        await answers.aclose()  # does nothing meanwhile
        go.set()
        assert (await waiting).status == 0xFF00
        assert len(await everything(answers)) == 1


@asynchronous
async def test_an_association_that_ends_meanwhile_is_raised() -> None:
    async def aborting(event: Any) -> AsyncIterator[tuple[int, Any]]:
        yield 0xFF00, keys(PatientID="1")
        await event.assoc.abort()

    async with associated((evt.EVT_C_FIND, aborting), **pair(VERIFICATION, FIND)) as (assoc, _):
        answers = assoc.c_find(keys(PatientID=""), FIND)
        assert (await anext(answers)).status == 0xFF00
        with pytest.raises(Aborted, match="by the peer"):
            await anext(answers)
        assert await everything(answers) == []

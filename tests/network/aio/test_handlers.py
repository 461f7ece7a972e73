"""Turns handlers of every kind into the answers that peers get."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from dicomwire import aio, evt
from dicomwire.protocol.errors import Aborted, Rejected
from dicomwire.protocol.items import UserIdentity
from tests.network.aio.loops import associated, asynchronous, ended, everything, served
from tests.network.ends import LOCAL, VERIFICATION, entity, image, keys, pair

FIND = "1.2.840.10008.5.1.4.1.2.2.1"
PENDING = 0xFF00


def plain(event: Any) -> int:
    return 0x0107


async def coroutine(event: Any) -> int:
    await asyncio.sleep(0)
    return 0x0107


@aio.blocking
def in_a_thread(event: Any) -> int:
    assert threading.current_thread() is not threading.main_thread()
    return 0x0107


@pytest.mark.parametrize("handler", [plain, coroutine, in_a_thread])
@asynchronous
async def test_a_store_is_answered_by_a_handler_of_each_kind(handler: Any) -> None:
    async with associated((evt.EVT_C_STORE, handler)) as (assoc, _):
        assert (await assoc.c_store(image())).status == 0x0107


def generator(event: Any) -> Iterator[tuple[int, Any]]:
    yield PENDING, keys(PatientID="1")
    yield PENDING, keys(PatientID="2")


def a_list(event: Any) -> list[tuple[int, Any]]:
    return list(generator(event))


async def a_list_later(event: Any) -> list[tuple[int, Any]]:
    await asyncio.sleep(0)
    return list(generator(event))


async def asynchronous_generator(event: Any) -> AsyncIterator[tuple[int, Any]]:
    for each in generator(event):
        await asyncio.sleep(0)
        yield each


@pytest.mark.parametrize(
    "handler",
    [
        generator,
        a_list,
        a_list_later,
        asynchronous_generator,
        aio.blocking(generator),
        aio.blocking(a_list),
        aio.blocking(lambda event: generator(event)),
    ],
)
@asynchronous
async def test_a_query_is_answered_by_a_handler_of_each_kind(handler: Any) -> None:
    async with associated((evt.EVT_C_FIND, handler), **pair(VERIFICATION, FIND)) as (assoc, _):
        found = await everything(assoc.c_find(keys(PatientID=""), FIND))
        assert [each.status for each in found] == [PENDING, PENDING, 0]


async def raising(event: Any) -> int:
    raise KeyError("x")


async def raising_generator(event: Any) -> AsyncIterator[tuple[int, Any]]:
    yield PENDING, keys(PatientID="1")
    raise KeyError("x")


@pytest.mark.parametrize(
    ("handler", "statuses"),
    [
        (raising, [0xC311]),
        (aio.blocking(lambda event: 1 / 0), [0xC311]),
        (raising_generator, [PENDING, 0xC311]),
        (lambda event: 17, [0xC311]),
        (lambda event: None, [0]),
        (None, [0xC311]),
    ],
)
@asynchronous
async def test_a_handler_that_raises_or_is_missing(handler: Any, statuses: list[int]) -> None:
    bound = [(evt.EVT_C_FIND, handler)] if handler else []
    async with associated(*bound, **pair(VERIFICATION, FIND)) as (assoc, _):
        found = await everything(assoc.c_find(keys(PatientID=""), FIND))
        assert [each.status for each in found] == statuses


@asynchronous
async def test_a_generator_is_closed_when_its_peer_goes() -> None:
    closed = asyncio.Event()

    async def endless(event: Any) -> AsyncIterator[tuple[int, Any]]:
        try:
            while True:
                await asyncio.sleep(0)
                yield PENDING, keys(PatientID="1")
        finally:
            closed.set()

    async with associated((evt.EVT_C_FIND, endless), **pair(VERIFICATION, FIND)) as (assoc, other):
        await anext(assoc.c_find(keys(PatientID=""), FIND))
        await assoc.abort()
        await ended(other)
        assert closed.is_set()


@asynchronous
async def test_a_handler_in_a_thread_sees_that_it_is_cancelled() -> None:
    seen = threading.Event()

    @aio.blocking
    def until_cancelled(event: Any) -> Iterator[tuple[int, Any]]:
        yield PENDING, keys(PatientID="1")
        while not event.is_cancelled:
            pass
        seen.set()
        yield 0xFE00, None

    ends = pair(VERIFICATION, FIND)
    async with associated((evt.EVT_C_FIND, until_cancelled), **ends) as (assoc, _):
        async with assoc.c_find(keys(PatientID=""), FIND) as answers:
            await anext(answers)
        assert seen.is_set()
        assert (await assoc.c_echo()).status == 0


@asynchronous
async def test_handlers_of_notifications_are_awaited_in_their_order() -> None:
    order: list[str] = []

    def noting(name: str) -> Any:
        async def note(event: Any, *args: Any) -> None:
            await asyncio.sleep(0)
            order.append(name)

        return note

    async def wrong(event: Any) -> None:
        raise KeyError("x")

    names = "REQUESTED ACCEPTED ESTABLISHED RELEASED CONN_CLOSE".split()
    bound = [(getattr(evt, f"EVT_{name}"), noting(name)) for name in names]
    async with associated((evt.EVT_ESTABLISHED, wrong), *bound) as (_, acceptor):
        assert order == names[:3]
    await ended(acceptor)
    assert order == names


@asynchronous
async def test_an_asynchronous_handler_may_reject_or_abort() -> None:
    async def reject(event: Any) -> None:
        await asyncio.sleep(0)
        event.assoc.acse.send_reject(1, 1, 3)

    async def abort(event: Any) -> None:
        await event.assoc.abort()

    async with served((evt.EVT_REQUESTED, reject)) as server:
        with pytest.raises(Rejected, match="calling AE title"):
            await aio.connect(LOCAL, server.port, [VERIFICATION])
    async with served((evt.EVT_REQUESTED, abort)) as server:
        with pytest.raises(Aborted, match="by the peer"):
            await aio.connect(LOCAL, server.port, [VERIFICATION])


@asynchronous
async def test_an_asynchronous_handler_verifies_users() -> None:
    async def verify(event: Any) -> tuple[bool, None]:
        await asyncio.sleep(0)
        return event.primary_field == b"jane", None

    async with served((evt.EVT_USER_ID, verify)) as server:
        for name in (b"jane", b"mallory"):
            asked = aio.connect(
                LOCAL, server.port, [VERIFICATION], ext_neg=[UserIdentity(1, False, name)]
            )
            if name == b"jane":
                async with asked as assoc:
                    await assoc.c_echo()
            else:
                with pytest.raises(Rejected):
                    await asked


@asynchronous
async def test_what_a_handler_is_given_is_what_the_threaded_api_gives(tmp_path: Any) -> None:
    seen: dict[str, Any] = {}

    async def store(event: Any) -> int:
        seen.update(
            path=event.dataset_path.exists(), name=event.dataset.PatientName, file=event.file_name
        )
        event.save_as(tmp_path / "kept.dcm")
        return 0x0000

    scp = entity("SCP", store_directory=tmp_path)
    async with associated((evt.EVT_C_STORE, store), scp=scp) as (assoc, _):
        assert (await assoc.c_store(image())).status == 0
        assert (await assoc.c_store(tmp_path / "kept.dcm")).status == 0
    assert seen == {"path": True, "name": "Doe^Jane", "file": "CT.1.2.3.4"}
    assert [each.name for each in tmp_path.iterdir()] == ["kept.dcm"]

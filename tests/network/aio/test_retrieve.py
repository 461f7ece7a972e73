"""Turns C-GET and C-MOVE between nodes in one loop into instances and counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from dicomwire import aio, build_context, build_role, evt
from tests.network.aio.loops import associated, asynchronous, everything, served
from tests.network.ends import (
    CT,
    CT_FILE,
    LOCAL,
    MR,
    VERIFICATION,
    entity,
    image,
    keys,
    pair,
)

GET, MOVE = "1.2.840.10008.5.1.4.1.2.2.3", "1.2.840.10008.5.1.4.1.2.2.2"
PENDING = 0xFF00


def counts(response: Any) -> tuple[int, int, int]:
    command = response.command
    names = ("Completed", "Failed", "Warning")
    return tuple(command[f"NumberOf{name}Suboperations"] for name in names)  # type: ignore[return-value]


async def get(event: Any) -> AsyncIterator[Any]:
    yield 3
    for number in range(2):
        await asyncio.sleep(0)
        yield PENDING, image(f"1.2.{number}")
    yield PENDING, CT_FILE


@pytest.mark.parametrize("kind", ["async", "plain", "blocking"])
@asynchronous
async def test_instances_come_over_the_same_association(kind: str) -> None:
    stored: list[str] = []

    def plain(event: Any) -> int:
        stored.append(event.command["AffectedSOPInstanceUID"])
        return 0x0000

    async def later(event: Any) -> int:
        await asyncio.sleep(0)
        return plain(event)

    store = {"async": later, "plain": plain, "blocking": aio.blocking(plain)}[kind]
    ends = pair(
        VERIFICATION,
        CT,
        GET,
        handlers=[(evt.EVT_C_STORE, store)],
        ext_neg=[build_role(CT, scp_role=True)],
    )
    ends["scp"].add_supported_context(CT, scu_role=True, scp_role=True)
    async with associated((evt.EVT_C_GET, get), **ends) as (assoc, _):
        found = await everything(assoc.c_get(keys(QueryRetrieveLevel="STUDY"), GET))
        assert [each.status for each in found] == [PENDING] * 3 + [0]
        assert counts(found[-1]) == (3, 0, 0)
        assert (await assoc.c_echo()).status == 0
    assert len(stored) == 3
    assert stored[:2] == ["1.2.0", "1.2.1"]


@pytest.mark.parametrize("window", [1, 4])
@asynchronous
async def test_instances_are_moved_to_another_node(window: int) -> None:
    stored: list[Any] = []

    async def store(event: Any) -> int:
        await asyncio.sleep(0)
        stored.append((event.command["MoveOriginatorMessageID"], event.file_name))
        return 0x0000

    options = {"asynchronous_operations": (window, window)}
    there = entity("THERE", CT, **options)
    async with served((evt.EVT_C_STORE, store), ae=there) as destination:

        async def move(event: Any) -> AsyncIterator[Any]:
            assert event.move_destination == "THERE"
            yield LOCAL, destination.port, {"contexts": [CT]}
            yield 3
            for number in range(2):
                yield PENDING, image(f"1.2.{number}")
            yield PENDING, image("1.2.3", sop_class=MR)  # the destination does not take it

        scp = entity("SCP", MOVE, **options)
        async with associated((evt.EVT_C_MOVE, move), scp=scp, contexts=[MOVE]) as (assoc, _):
            found = await everything(
                assoc.c_move(keys(QueryRetrieveLevel="STUDY"), "THERE", MOVE, msg_id=9)
            )
            assert found[-1].status == 0xB000
            assert counts(found[-1]) == (2, 1, 0)
            assert found[-1].decode().FailedSOPInstanceUIDList == "1.2.3"
    assert stored == [(9, "CT.1.2.0"), (9, "CT.1.2.1")]


@asynchronous
async def test_a_destination_that_is_not_there() -> None:
    async with served() as server:
        nobody = server.port

    def move(event: Any) -> Iterator[Any]:
        yield LOCAL, nobody, {"contexts": [build_context(CT)]}
        yield 1
        yield PENDING, CT_FILE

    async with associated((evt.EVT_C_MOVE, move), scp=entity("SCP", MOVE), contexts=[MOVE]) as (
        assoc,
        _,
    ):
        (response,) = await everything(assoc.c_move(keys(), "THERE", MOVE))
        assert response.status == 0xA801


@asynchronous
async def test_a_move_whose_peer_aborts_lets_the_destination_go() -> None:
    storing, go = asyncio.Event(), asyncio.Event()

    async def store(event: Any) -> int:
        storing.set()
        await go.wait()
        return 0x0000

    async with served((evt.EVT_C_STORE, store), ae=entity("THERE", CT)) as destination:

        async def move(event: Any) -> AsyncIterator[Any]:
            yield LOCAL, destination.port, {"contexts": [CT]}
            yield 1
            yield PENDING, CT_FILE

        async with associated((evt.EVT_C_MOVE, move), scp=entity("SCP", MOVE), contexts=[MOVE]) as (
            assoc,
            _,
        ):
            moving = asyncio.create_task(everything(assoc.c_move(keys(), "THERE", MOVE)))
            await storing.wait()
            moving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await moving
            await assoc.abort()
            go.set()

"""Turns many instances into responses, one after the other and with a window of operations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dicomwire import evt
from dicomwire.protocol.errors import Aborted
from tests.network.aio.loops import associated, asynchronous, everything
from tests.network.ends import CT, CT_FILE, MR, entity, image


def ends(window: int) -> dict[str, Any]:
    options = {"asynchronous_operations": (window, window)}
    return {"scp": entity("SCP", CT, **options), "scu": entity("SCU", CT, MR, **options)}


def store(event: Any) -> int:
    return int(event.command["AffectedSOPInstanceUID"].rpartition(".")[2])


@pytest.mark.parametrize("window", [1, 3])
@asynchronous
async def test_each_instance_has_its_outcome(window: int) -> None:
    async with associated((evt.EVT_C_STORE, store), **ends(window)) as (assoc, _):
        instances = [image(f"1.2.{number}") for number in range(7)]
        outcomes = await everything(assoc.c_stores(instances))
        assert [(id(one), said.status) for one, said in outcomes] == [
            (id(one), number) for number, one in enumerate(instances)
        ]


@asynchronous
async def test_what_cannot_be_sent_is_said_and_the_rest_goes_on() -> None:
    async with associated((evt.EVT_C_STORE, store), **ends(2)) as (assoc, _):
        instances = [image("1.2.1"), image("1.2.9", sop_class=MR), "nowhere.dcm", image("1.2.2")]
        outcomes = {id(one): said async for one, said in assoc.c_stores(instances)}
        said = [outcomes[id(one)] for one in instances]
        assert [said[0].status, said[3].status] == [1, 2]
        assert isinstance(said[1], ValueError)
        assert isinstance(said[2], FileNotFoundError)


@asynchronous
async def test_instances_may_come_from_an_asynchronous_iterable() -> None:
    async def coming() -> AsyncIterator[Any]:
        for number in range(3):
            await asyncio.sleep(0)
            yield image(f"1.2.{number}")

    async with associated((evt.EVT_C_STORE, store), **ends(2)) as (assoc, _):
        assert [said.status async for _, said in assoc.c_stores(coming())] == [0, 1, 2]


@asynchronous
async def test_who_leaves_early_waits_for_what_is_under_way() -> None:
    stored: list[int] = []

    def noting(event: Any) -> int:
        stored.append(event.message_id)
        return 0x0000

    async with associated((evt.EVT_C_STORE, noting), **ends(3)) as (assoc, _):
        outcomes = assoc.c_stores([CT_FILE] * 9)
        await anext(outcomes)
        await outcomes.aclose()  # type: ignore[attr-defined]
        assert len(stored) <= 4
        assert (await assoc.c_store(CT_FILE)).status == 0


@asynchronous
async def test_an_association_that_ends_meanwhile_is_raised() -> None:
    async def abort(event: Any) -> int:
        await event.assoc.abort()
        return 0x0000

    async with associated((evt.EVT_C_STORE, abort), **ends(3)) as (assoc, _):
        with pytest.raises(Aborted, match="by the peer"):
            await everything(assoc.c_stores([CT_FILE] * 9))

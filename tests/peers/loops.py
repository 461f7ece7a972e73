"""Our two ends in an event loop: a server that keeps and answers, a client that asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dicomwire import (
    AE,
    ALL_TRANSFER_SYNTAXES,
    AllStoragePresentationContexts,
    Options,
    aio,
    build_context,
    build_role,
    evt,
)
from dicomwire.sop_class import Verification
from tests.peers import LOOPBACK
from tests.peers.objects import Object
from tests.peers.ours import Receiver
from tests.peers.queries import FIND, GET, MOVE, SYNTAXES, Archive, Counts


@asynccontextmanager
async def receiving(folder: Path | None = None, **more: Any) -> AsyncIterator[Receiver]:
    """Serve C-ECHO and all storage SOP classes until the block is left."""
    receiver = Receiver(folder)
    ae = AE("OURS", options=Options(store_directory=folder))
    ae.add_supported_context(Verification)
    for context in AllStoragePresentationContexts:
        ae.add_supported_context(context.abstract_syntax, list(ALL_TRANSFER_SYNTAXES))
    handlers = [
        (evt.EVT_C_STORE, receiver.store),
        (evt.EVT_RELEASED, receiver.end),
        (evt.EVT_ABORTED, receiver.end),
    ]
    async with aio.serve(LOOPBACK, 0, handlers, ae=ae, **more) as server:
        receiver.port = server.port
        yield receiver


@asynccontextmanager
async def archive(
    objects: Sequence[Object], destinations: Mapping[str, int] | None = None, **handlers: Any
) -> AsyncIterator[Archive]:
    """Serve queries and retrievals until the block is left; the handlers run in threads."""
    ours = Archive(objects, destinations or {})
    ae = AE("OURS")
    for model in (FIND, GET, MOVE):
        ae.add_supported_context(model)
    for uid in dict.fromkeys(each.sop_class for each in objects):
        ae.add_supported_context(uid, SYNTAXES, scu_role=True, scp_role=True)
        ae.add_requested_context(uid, SYNTAXES)
    bound = [
        (evt.EVT_C_FIND, handlers.get("find", aio.blocking(ours.find))),
        (evt.EVT_C_GET, aio.blocking(ours.get)),
        (evt.EVT_C_MOVE, aio.blocking(ours.move)),
        (evt.EVT_RELEASED, ours.end),
        (evt.EVT_ABORTED, ours.end),
    ]
    async with aio.serve(LOOPBACK, 0, bound, ae=ae) as server:
        ours.port = server.port
        yield ours


def contexts_for(objects: Sequence[Object]) -> list[Any]:
    """Contexts for C-ECHO and for objects as they are encoded."""
    pairs = dict.fromkeys((each.sop_class, each.syntax) for each in objects)
    return [build_context(Verification), *(build_context(*pair) for pair in pairs)]


async def echo_and_send(port: int, objects: Sequence[Object], **more: Any) -> None:
    """Send C-ECHO requests and files over one association; the peer has to take all."""
    async with aio.connect(LOOPBACK, port, contexts_for(objects), ae=AE("OURS"), **more) as assoc:
        assert [(await assoc.c_echo(number)).status for number in (1, 65535)] == [0, 0]
        answers = [(await assoc.c_store(each.path)).status for each in objects]
        assert answers == [0] * len(objects)
    assert assoc.is_released, assoc.ended


@asynccontextmanager
async def client(
    port: int, *models: str, objects: Sequence[Object] = (), **more: Any
) -> AsyncIterator[aio.Association]:
    """An association for some models, and to receive objects over it."""
    classes = list(dict.fromkeys(each.sop_class for each in objects))
    contexts = [*map(build_context, models), *(build_context(uid, SYNTAXES) for uid in classes)]
    roles = [build_role(uid, scp_role=True) for uid in classes]
    async with aio.connect(
        LOOPBACK, port, contexts, ae=AE("OURS"), ext_neg=roles or None, **more
    ) as assoc:
        yield assoc
    assert assoc.is_released, assoc.ended


async def find(port: int, identifier: Any, **more: Any) -> list[Any]:
    """Ask a peer for matches; it has to find well."""
    async with client(port, FIND, **more) as assoc:
        *found, last = [each async for each in assoc.c_find(identifier, FIND)]
    assert last.status == 0x0000
    return [each.decode() for each in found]


def counts(response: Any) -> Counts:
    """What the last response to a retrieval says of the sub-operations."""
    names = ("Completed", "Failed", "Warning")
    numbers = (response.command.get(f"NumberOf{name}Suboperations") or 0 for name in names)
    return Counts(response.status, *numbers)


async def get(
    port: int, identifier: Any, objects: Sequence[Object], **more: Any
) -> tuple[Counts, Receiver]:
    """Ask a peer for objects over the same association; the outcome and what came."""
    receiver = Receiver(None)
    handlers = [(evt.EVT_C_STORE, receiver.store)]
    async with client(port, GET, objects=objects, handlers=handlers, **more) as assoc:
        responses = [each async for each in assoc.c_get(identifier, GET)]
    return counts(responses[-1]), receiver


async def move(port: int, identifier: Any, destination: str, **more: Any) -> Counts:
    """Ask a peer to send objects to an AE; the outcome."""
    async with client(port, MOVE, **more) as assoc:
        responses = [each async for each in assoc.c_move(identifier, destination, MOVE)]
    return counts(responses[-1])

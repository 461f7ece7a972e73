"""Turns coroutine functions into tests that leave no task, no socket and no unheard error."""

from __future__ import annotations

import asyncio
import functools
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dicomwire import aio, evt
from dicomwire.network.watcher import the_watcher
from tests.network.ends import LOCAL, WAIT, Binding, entity

TestFunction = Callable[..., Coroutine[Any, Any, None]]


def sockets() -> set[str]:
    """The sockets of this process."""
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        try:
            target = str(each.readlink())
        except FileNotFoundError:  # the folder itself
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


def run(coroutine: Coroutine[Any, Any, None], factory: Any = None) -> None:
    """Run a coroutine to its end in a loop of its own, and see that it leaves nothing behind."""
    heard: list[Any] = []
    the_watcher()  # of the blocking API, which stays once something has used it
    before = sockets()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: heard.append(context))
        await asyncio.wait_for(coroutine, 6 * WAIT)
        await asyncio.sleep(0)  # tasks that are done have their call-backs still to come
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())
    gc.collect()  # a task that failed says so when it goes
    assert heard == []
    assert sockets() - before == set()


def asynchronous(test: TestFunction) -> Callable[..., None]:
    """Make a coroutine function a test."""

    @functools.wraps(test)
    def running(*args: Any, **more: Any) -> None:
        run(test(*args, **more))

    return running


@asynccontextmanager
async def served(*handlers: Binding, ae: Any = None, **more: Any) -> AsyncIterator[aio.Server]:
    """A server that runs while the block does."""
    async with aio.serve(LOCAL, 0, handlers, ae=ae or entity("SCP"), **more) as server:
        yield server


@asynccontextmanager
async def associated(
    *handlers: Binding, scp: Any = None, scu: Any = None, **more: Any
) -> AsyncIterator[tuple[aio.Association, aio.Association]]:
    """Both ends of an association; handlers are the acceptor's, `handlers=` the requestor's."""
    ends: list[aio.Association] = []
    bound = (evt.EVT_ESTABLISHED, lambda event: ends.append(event.assoc))
    async with (
        served(bound, *handlers, ae=scp) as server,
        aio.connect(LOCAL, server.port, ae=scu or entity(), **more) as assoc,
    ):
        yield assoc, ends[0]


async def soon(condition: Callable[[], object]) -> None:
    """Let the loop go around until something has happened."""
    async with asyncio.timeout(WAIT):
        while not condition():
            await _turn()


async def _turn() -> None:
    await asyncio.sleep(0.001)


async def everything(values: Any) -> list[Any]:
    """What an asynchronous iterator gives."""
    return [each async for each in values]


async def ended(assoc: aio.Association) -> None:
    """Wait until an association is over."""
    async with asyncio.timeout(WAIT):
        await assoc.join()

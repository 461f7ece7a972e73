"""Turns an AE into a running server of either API, so that one test is for both."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dicomwire import AE, aio
from tests.network.ends import LOCAL, WAIT

KINDS = ("threads", "asyncio")


@contextmanager
def threaded(
    ae: AE, handlers: Sequence[Any], found: list[Any] | None = None, **more: Any
) -> Iterator[int]:
    """The port of a server whose associations have threads; the server goes to `found`."""
    server = ae.start_server((LOCAL, 0), block=False, evt_handlers=list(handlers), **more)
    assert server is not None
    if found is not None:
        found.append(server)
    try:
        yield int(server.server_address[1])
    finally:
        ae.shutdown()


@contextmanager
def looped(
    ae: AE, handlers: Sequence[Any], found: list[Any] | None = None, **more: Any
) -> Iterator[int]:
    """The port of a server whose associations have tasks, in a loop in another thread."""
    ready, ports = threading.Event(), list[int]()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with aio.serve(LOCAL, 0, list(handlers), ae=ae, **more) as server:
            ports.append(server.port)
            if found is not None:
                found.append(server)
            ready.set()
            await stop.wait()

    def work() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(run())

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert ready.wait(WAIT)
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(WAIT)
        assert not thread.is_alive()


def served(kind: str, ae: AE, *handlers: Any, **more: Any) -> Any:
    """Serve in one of `KINDS`, or with "workers": a context manager that gives the port."""
    if kind == "workers":
        return threaded(ae, handlers, workers=2, **more)
    return (threaded if kind == "threads" else looped)(ae, handlers, **more)

"""Handlers that are coroutine functions, generators of either kind, or block, into answers."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from dicomwire.network import events
from dicomwire.network.events import Event, EventType, Handler, HandlerArgType, raised_by
from dicomwire.services.wants import END

logger = logging.getLogger("dicomwire.events")


class Handlers(events.Handlers):
    """Which functions are bound to which events; those of notification events may be `async def`.

    What such a function returned is awaited before the conversation goes on.
    """

    def __init__(self, bindings: Sequence[HandlerArgType] | None = None) -> None:
        self.untold: deque[tuple[EventType, Handler, Awaitable[object]]] = deque()
        super().__init__(bindings)

    def _tell(self, handler: Handler, event: Event, args: list[Any]) -> None:
        returned = handler(event, *args)
        if inspect.isawaitable(returned):
            self.untold.append((event.event, handler, returned))

    async def tell(self) -> None:
        """Await what functions bound to notification events have returned, in that order."""
        while self.untold:
            event, handler, told = self.untold.popleft()
            try:
                await told
            except Exception:
                logger.exception("%s", raised_by(event, handler))


def blocking(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a handler that blocks: it runs in a thread, and the event loop goes on meanwhile.

    For handlers that wait for a disk or a database, or compute for long. Such a handler may be a
    generator; it then runs in a thread from one `yield` to the next.

    Parameters
    ----------
    handler : callable
        A plain function, with the arguments of any handler.

    Returns
    -------
    callable
        To be bound instead.
    """
    if not inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        async def in_thread(*args: Any) -> Any:
            returned = await asyncio.to_thread(handler, *args)
            return _in_threads(returned) if inspect.isgenerator(returned) else returned

        return in_thread

    @functools.wraps(handler)
    def in_threads(*args: Any) -> AsyncIterator[Any]:
        return _in_threads(handler(*args))

    return in_threads


async def _in_threads(values: Iterator[Any]) -> AsyncIterator[Any]:
    try:
        while (value := await asyncio.to_thread(next, values, END)) is not END:
            yield value
    finally:
        with suppress(ValueError):  # it still runs: whoever waited for it was cancelled
            values.close()  # type: ignore[attr-defined]  # a generator, by its makers above

"""What the asyncio driver asks of an association into its handlers, its time-outs and its log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomwire.network.aio.stores import Stores
from dicomwire.network.aio.transport import Transport
from dicomwire.network.aio.waiting import Waiting
from dicomwire.network.events import EVT_C_STORE
from dicomwire.network.hooks import YIELDING, Handling, log_moved
from dicomwire.protocol.errors import Ended
from dicomwire.services.wants import END, Store, Unbound

if TYPE_CHECKING:
    from dicomwire.services.inspecting import Inspection

_MOST_AT_ONCE = 1000  # elements of a data set that are looked through without a turn of the loop

logger = logging.getLogger("dicomwire.service_class")


class _Destination(NamedTuple):
    """Where the sub-operations of a C-MOVE go."""

    association: Any
    stores: Stores


class Hooks(Handling):
    """The port between the asyncio driver and its association.

    A handler that is a plain function, or a plain generator, is called without a turn of the loop;
    what another one returned is awaited.
    """

    async def open_transport(self) -> Transport:
        """Connect to the peer."""
        transport: Transport = await self._assoc.open_transport()
        return transport

    async def give_up(self) -> None:
        """End the association: nothing came for too long."""
        await self._assoc.give_up()

    @property
    def has_untold(self) -> bool:
        """Whether handlers of notification events have to be awaited."""
        return bool(self._assoc.handlers.untold)

    async def tell(self) -> None:
        """Await them."""
        await self._assoc.handlers.tell()

    def call(self, name: str, attributes: dict[str, Any]) -> Any:
        """Call the handler of an intervention event; a `Waiting` when it is not done at once.

        Raises
        ------
        HandlerRaised
            When it raised, `Unbound` when there is none.
        """
        handler, args = self._bound(name, attributes)
        inspection = self._inspection(name, attributes)
        if inspection is not None:
            if inspection.takes_long or not inspection.go_on(_MOST_AT_ONCE):
                calling = partial(self._call, name, attributes, handler, args)
                return Waiting(self._called_after(inspection, calling))
            refusal = self._inspected(inspection)
            if refusal is not None:
                return refusal
        return self._call(name, attributes, handler, args)

    async def _called_after(self, inspection: Inspection, call: Callable[[], Any]) -> Any:
        """Let a thread look through what takes long, and others have their turn meanwhile."""
        await asyncio.to_thread(inspection.go_on)
        refusal = self._inspected(inspection)
        if refusal is not None:
            return refusal
        answer = call()
        return await answer.answer if isinstance(answer, Waiting) else answer

    def _call(self, name: str, attributes: dict[str, Any], handler: Any, args: Any) -> Any:
        try:
            returned = handler(self._event(name, attributes), *args)
            if hasattr(returned, "__await__"):
                return Waiting(self._called(name, returned))
            if name == EVT_C_STORE.name and callable(returned):
                return Waiting(self._called(name, _in_thread(returned)))
            return self._taken(name, returned)
        except Unbound:  # it is the default handler
            raise
        except Exception as error:
            raise self._raised(name) from error

    async def _called(self, name: str, returned: Any) -> Any:
        try:
            return self._taken(name, await returned)
        except Unbound:
            raise
        except Exception as error:
            raise self._raised(name) from error

    def _taken(self, name: str, returned: Any) -> Any:
        self._learn(name, returned)
        if name not in YIELDING or returned is None:
            return returned
        return aiter(returned) if hasattr(returned, "__aiter__") else iter(returned)

    def advance(self, name: str, values: Any) -> Any:
        """Return the next value that a handler yields, `END` after the last; or a `Waiting`.

        Raises
        ------
        HandlerRaised
            When the handler raised, or returned what yields nothing.
        """
        if hasattr(values, "__anext__"):
            return Waiting(self._advanced(name, values))
        try:
            return next(values, END)
        except Exception as error:
            raise self._raised(name) from error

    async def _advanced(self, name: str, values: Any) -> Any:
        try:
            return await anext(values, END)
        except Exception as error:
            raise self._raised(name) from error

    def close(self, values: Any) -> Any:
        """Let a handler that yields clean up."""
        close = getattr(values, "aclose", None) or getattr(values, "close", None)
        return None if close is None else Waiting(self._closed(close))

    async def _closed(self, close: Any) -> None:
        try:
            closing = close()
            if hasattr(closing, "__await__"):
                await closing
        except Exception:
            logger.exception("Exception in a handler that was closed")

    async def open_destination(
        self, host: str, port: int, settings: dict[str, Any]
    ) -> tuple[_Destination, int]:
        """Open an association to a move destination; tell how many instances go at once.

        Raises
        ------
        Ended
            Why there is none.
        """
        try:
            association = await self._assoc.open_destination(host, port, **settings)
        except Ended:
            logger.error("Move SCP: Unable to associate with destination AE")
            raise
        stores = Stores(association)
        return _Destination(association, stores), stores.most

    async def send_there(self, destination: _Destination, want: Store) -> None:
        """Send an instance there."""
        await destination.stores.send(want.dataset, want.tag, **want.fields)

    async def settle_there(self, destination: _Destination) -> tuple[Any, int]:
        """Wait for the next response, and return its tag and status."""
        tag, response = await destination.stores.settle()
        log_moved(response.status)
        return tag, response.status

    async def hang_up(self, destination: _Destination) -> None:
        """Release that association; whoever is cancelled has no time for that."""
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            await destination.association.abort()
            return
        await destination.stores.close()
        await destination.association.release()


async def _in_thread(work: Callable[[], Any]) -> Any:
    """Do what a handler left to be done; whoever is cancelled waits until the file is let go."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise

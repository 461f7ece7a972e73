"""Instances into C-STORE requests on one association, as many at once as the peer granted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol

from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Ended
from dicomwire.services import scp
from dicomwire.services.response import Response
from dicomwire.services.sending import Outgoing
from dicomwire.services.wants import Conversation
from dicomwire.services.window import Window
from dicomwire.standard.dimse import C_STORE


class Storing(Protocol):
    """What storing needs of the association."""

    connection: Connection

    @property
    def prepare_store(self) -> Callable[..., AbstractContextManager[tuple[Outgoing, Command]]]:
        """Prepare an instance, and the request that sends it; takes what `c_store` takes."""

    async def begin(self, operation: str, conversation: Conversation[Any]) -> Any:
        """Run the first part of an operation, and keep the turn until `done_asking`."""

    async def go_on(self, conversation: Conversation[Any]) -> Any:
        """Run a further part of the operation that `begin` began."""

    async def done_asking(self) -> None:
        """Let the next operation begin."""

    def log_response(self, response: Response) -> None:
        """Say in the log how a request was answered."""


class Stores:
    """C-STORE requests under way, at most as many as was negotiated (PS3.7 D.3.3.3).

    For one task. See `network.stores.Stores`, which is for threads.

    Parameters
    ----------
    association : Storing
        An association of a requestor.

    Attributes
    ----------
    most : int
        How many may be under way at once.
    """

    def __init__(self, association: Storing) -> None:
        self._association = association
        self._window: Window[Any] = Window(association.connection, scp.answer)
        self.most = self._window.most

    def __len__(self) -> int:
        return len(self._window)

    async def send(self, dataset: Any, tag: Any, **fields: Any) -> None:
        """Send an instance, and do not wait for the response."""
        association = self._association
        with association.prepare_store(dataset, **fields) as (what, command):
            conversation = self._window.send(what, command, tag)
            run = association.go_on(conversation) if self._window else None
            await (run or association.begin("C-STORE", conversation))

    async def settle(self) -> tuple[Any, Response]:
        """Wait for the next response, to whichever request; return its tag too.

        Raises
        ------
        Ended
            When the association ended before.
        RuntimeError
            When nothing is under way.
        """
        if not self._window:
            raise RuntimeError("No C-STORE request is under way")
        try:
            tag, message = await self._association.go_on(self._window.settle())
        except BaseException:
            self._window.forget()
            await self._association.done_asking()
            raise
        if not self._window:
            await self._association.done_asking()
        response = Response(C_STORE, message)
        self._association.log_response(response)
        return tag, response

    async def close(self) -> None:
        """Wait for all that is under way."""
        with suppress(Ended):
            while self._window:
                await self.settle()

"""Instances into C-STORE requests on one association, as many at once as the peer granted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Protocol

from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Ended
from dicomwire.services import scp
from dicomwire.services.response import Response
from dicomwire.services.scu import chunk_length
from dicomwire.services.sending import Outgoing
from dicomwire.services.wants import Conversation
from dicomwire.services.window import Window
from dicomwire.standard.dimse import C_STORE

Prepared = tuple[Outgoing, Command]


class Storing(Protocol):
    """What storing needs of the association."""

    connection: Connection

    @property
    def prepare_store(self) -> Callable[..., AbstractContextManager[tuple[Outgoing, Command]]]:
        """Prepare an instance, and the request that sends it; takes what `c_store` takes."""

    def check_established(self, operation: str) -> None:
        """Raise RuntimeError when nothing can be asked for."""

    def begin(self, operation: str, conversation: Conversation[Any]) -> Any:
        """Run the first part of an operation, and keep the turn until `done_asking`."""

    def go_on(self, conversation: Conversation[Any]) -> Any:
        """Run a further part of the operation that `begin` began."""

    def done_asking(self) -> None:
        """Let the next operation begin."""

    def poll(self) -> None:
        """Take in what has arrived, without waiting."""

    def log_response(self, response: Response) -> None:
        """Say in the log how a request was answered."""


class Stores:
    """C-STORE requests under way, at most as many as was negotiated (PS3.7 D.3.3.3).

    While one is under way no other operation begins on the association. For one thread.

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
        self._has_turn = False
        self.most = self._window.most

    @property
    def is_full(self) -> bool:
        """Whether one has to be settled before the next is sent."""
        return self._window.is_full

    def __len__(self) -> int:
        return len(self._window)

    @contextmanager
    def prepared(self, dataset: Any, **fields: Any) -> Iterator[Prepared]:
        """Open an instance and read its beginning, while others may be under way.

        Parameters
        ----------
        dataset : Dataset, str, Path or FileHeader
            The instance.
        **fields
            Further arguments of `Association.c_store`.

        Yields
        ------
        outgoing, command
            For `send_prepared`, within the context.

        Raises
        ------
        RuntimeError, AttributeError, TypeError, ValueError, LocalError
            As `Association.c_store`.
        """
        association = self._association
        with association.prepare_store(dataset, **fields) as prepared:
            prepared[0].stream.fetch(chunk_length(association.connection))
            yield prepared

    def send(self, dataset: Any, tag: Any, **fields: Any) -> None:
        """Send an instance, and do not wait for the response.

        Parameters
        ----------
        dataset, **fields
            See `prepared`.
        tag : anything
            What `settle` gives back with the response.

        Raises
        ------
        Ended
            Why the association is over.
        RuntimeError, AttributeError, TypeError, ValueError, LocalError
            As `Association.c_store`.
        """
        with self.prepared(dataset, **fields) as prepared:
            self.send_prepared(prepared, tag)

    def send_prepared(self, prepared: Prepared, tag: Any) -> None:
        """Send what was prepared, and do not wait for the response; see `send`.

        Raises
        ------
        RuntimeError
            When the association was over before: nothing was sent.
        """
        if self._has_turn and not self._window:
            self._attend()
        self._association.check_established("C-STORE")
        conversation = self._window.send(*prepared, tag)
        if self._has_turn:
            self._association.go_on(conversation)
        else:
            self._association.begin("C-STORE", conversation)
            self._has_turn = True

    def settle(self, another_follows: bool = False) -> tuple[Any, Response]:
        """Wait for the next response, to whichever request; return its tag too.

        Parameters
        ----------
        another_follows : bool
            Whether an instance is going to be sent at once: the turn is kept for it.

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
            tag, message = self._association.go_on(self._window.settle())
        except BaseException:
            self._window.forget()
            self._give_turn()
            raise
        if not self._window and not another_follows:
            self._give_turn()
        response = Response(C_STORE, message)
        self._association.log_response(response)
        return tag, response

    def _attend(self) -> None:
        """See to what the peer has said since the last response: that it is over, perhaps."""
        self._association.poll()
        connection = self._association.connection
        if connection.events or connection.ended is not None:
            self._give_turn()

    def _give_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._association.done_asking()

    def close(self) -> None:
        """Wait for all that is under way."""
        with suppress(Ended):
            while self._window:
                self.settle()
        self._give_turn()

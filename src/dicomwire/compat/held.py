"""An association whose messages a program sends and takes by hand, instead of the library."""

from __future__ import annotations

from time import monotonic
from typing import Any

from dicomwire.network.transport import wait_readable
from dicomwire.protocol.messages import Message
from dicomwire.protocol.pdus import ReleaseRQ
from dicomwire.services.wants import Conversation

_PENDING = (0xFF00, 0xFF01)  # PS3.7 C.1.3


def _nothing() -> Conversation[None]:
    """A conversation that is over at once."""
    yield from ()


class Held:
    """The turn of an association, kept over more than one call.

    Parameters
    ----------
    assoc : Association
        Which one. That of an acceptor can be held inside its handlers only, where it is already.
    """

    def __init__(self, assoc: Any) -> None:
        self.assoc = assoc
        self._taken = False
        self._awaiting = False

    def _take(self, operation: str) -> None:
        """Let nothing else receive, until `_give`; not even the watcher of idle connections."""
        if not self.assoc._turn.is_mine:
            self.assoc.begin(operation, _nothing())
            self._taken = True

    def _give(self) -> None:
        """Let the library look after the association again."""
        self._awaiting = False
        if self._taken:
            self._taken = False
            self.assoc.done_asking()

    def await_answer(self, operation: str) -> None:
        """Keep what comes for `receive`, until the last answer to what is about to be sent.

        Parameters
        ----------
        operation : str
            What is sent, for messages.

        Raises
        ------
        RuntimeError
            When another thread serves the association.
        """
        self._take(operation)
        self._awaiting = True

    def receive(self, operation: str, timeout: float | None, *kinds: type[Any]) -> Any:
        """Return the next event of the connection; see `next`.

        Parameters
        ----------
        operation : str
            Who asks, for messages.
        timeout, *kinds
            See `next`.

        Raises
        ------
        RuntimeError
            When another thread serves the association.
        """
        self._take(operation)
        event = self.next(timeout, *kinds)
        if isinstance(event, ReleaseRQ):
            self._awaiting = True  # that the program answers it
        last = isinstance(event, Message) and event.command.get("Status") not in _PENDING
        if self.assoc.connection.ended is not None or not self._awaiting or last:
            self._give()
        return event

    def settle(self) -> None:
        """Let the library see to what a program has done to the connection."""
        if self.assoc.is_acceptor:
            self.assoc.driver.wake()
        elif not self._awaiting or self.assoc.connection.ended is not None:
            self._take("settle")
            self._give()

    def next(self, timeout: float | None, *kinds: type[Any]) -> Any:
        """Return the next event of the connection, of some kinds; None when there is none.

        Parameters
        ----------
        timeout : float or None
            Seconds to wait for it; 0 takes what has come. None waits for ever.
        *kinds
            What is wanted; all else stays where it is.
        """
        end = None if timeout is None else monotonic() + timeout
        connection = self.assoc.connection
        while True:
            self.assoc.driver.poll()
            for event in list(connection.events):
                if not kinds or isinstance(event, kinds):
                    connection.events.remove(event)
                    return event
            sock = self.assoc.raw_socket
            left = None if end is None else end - monotonic()
            if connection.ended is not None or sock is None or not wait_readable(sock, left):
                return None

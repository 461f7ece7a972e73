"""An association whose messages a program sends and takes by hand, instead of the library."""

from __future__ import annotations

from time import monotonic
from typing import Any

from dicomwire.network.transport import wait_readable
from dicomwire.services.wants import Conversation


def _nothing() -> Conversation[None]:
    """A conversation that is over at once."""
    yield from ()


class Held:
    """The turn of an association, taken over more than one call.

    Parameters
    ----------
    assoc : Association
        Which one. That of an acceptor can be held inside its handlers only, where it is already.
    """

    def __init__(self, assoc: Any) -> None:
        self.assoc = assoc
        self._taken = False

    def take(self, operation: str) -> None:
        """Let nothing else receive, until `give`; not even the watcher of idle connections.

        Raises
        ------
        RuntimeError
            When another thread serves the association.
        """
        if not self.assoc._turn.is_mine:
            self.assoc._begin(operation, _nothing())
            self._taken = True

    def give(self) -> None:
        """Let the library look after the association again."""
        if self._taken:
            self._taken = False
            self.assoc.done_asking()

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

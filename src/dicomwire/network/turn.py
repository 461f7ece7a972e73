"""Threads that want to use one association into one after the other."""

from __future__ import annotations

import threading


def nested(operation: str, under_way: str) -> RuntimeError:
    """Return what is raised when an operation is begun inside another one."""
    return RuntimeError(
        f"{operation} cannot begin inside {under_way} on the same association: "
        "use another association, or wait until it is over"
    )


class Turn:
    """Who holds the conversation of an association: one operation at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # the thread itself: the number of one that has ended is given to the next one
        self._owner: threading.Thread | None = None
        self._operation = ""

    def take(self, operation: str) -> None:
        """Wait until nothing else is under way.

        Parameters
        ----------
        operation : str
            What is about to begin, for the message.

        Raises
        ------
        RuntimeError
            When this very thread is in the middle of another operation.
        """
        me = threading.current_thread()
        if self._owner is me:
            raise nested(operation, self._operation)
        self._lock.acquire()
        self._owner, self._operation = me, operation

    def give(self) -> None:
        """Let the next one begin."""
        self._owner, self._operation = None, ""
        self._lock.release()

    def disown(self) -> None:
        """Leave it to another thread to `give` the turn."""
        self._owner = None

    @property
    def operation(self) -> str:
        """What is under way; empty when nothing is."""
        return self._operation

    @property
    def is_mine(self) -> bool:
        """Whether this thread holds it."""
        return self._owner is threading.current_thread()

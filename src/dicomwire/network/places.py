"""Associations into places, of which there are only so many, in one process or in several."""

from __future__ import annotations

import os
import threading

_CELL = 4  # bytes of a number in the memory that processes share


class Places:
    """Which associations of this process hold one of the places that an AE has."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: set[int] = set()

    def claim(self, who: int, limit: int) -> bool:
        """Take a place; False when there is none left.

        Parameters
        ----------
        who : int
            Names the association.
        limit : int
            How many places there are.
        """
        with self._lock:
            if len(self._taken) >= limit:
                return False
            self._taken.add(who)
            return True

    def free(self, who: int) -> None:
        """Give back what `claim` took, if it did."""
        with self._lock:
            self._taken.discard(who)

    def ended(self) -> None:
        """Learn that a connection is over, whether it held a place or not."""


class Ledger:
    """What a process that hands out connections and its workers know of each other.

    Each worker writes its own numbers only, so what it held is forgotten with it.

    Parameters
    ----------
    workers : int
        How many.

    Attributes
    ----------
    held : sequence of int
        How many places each worker holds.
    ended : sequence of int
        How many of the connections that each was handed are over.
    """

    def __init__(self, workers: int) -> None:
        import mmap

        self._file = os.memfd_create("dicomwire") if hasattr(os, "memfd_create") else _unnamed()
        size = 2 * workers * _CELL
        os.truncate(self._file, size)
        numbers = memoryview(mmap.mmap(self._file, size)).cast("i")
        self.held, self.ended = numbers[:workers], numbers[workers:]

    def lock(self) -> None:
        """Keep the other processes from claiming; the system undoes it when this one dies."""
        import fcntl

        fcntl.lockf(self._file, fcntl.LOCK_EX)

    def unlock(self) -> None:
        """Let the others claim."""
        import fcntl

        fcntl.lockf(self._file, fcntl.LOCK_UN)

    def forget(self, worker: int) -> None:
        """Learn that a worker is dead."""
        self.held[worker] = self.ended[worker] = 0


def _unnamed() -> int:
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class SharedPlaces(Places):
    """The places of one worker, out of those that all have together.

    Parameters
    ----------
    ledger : Ledger
        What they share.
    worker : int
        Which one this process is.
    """

    def __init__(self, ledger: Ledger, worker: int) -> None:
        super().__init__()
        self._ledger, self._worker = ledger, worker

    def claim(self, who: int, limit: int) -> bool:
        """See `Places.claim`."""
        ledger = self._ledger
        with self._lock:
            ledger.lock()
            try:
                if sum(ledger.held) >= limit:
                    return False
                self._taken.add(who)
                ledger.held[self._worker] = len(self._taken)
                return True
            finally:
                ledger.unlock()

    def free(self, who: int) -> None:
        """See `Places.free`."""
        with self._lock:
            self._taken.discard(who)
            self._ledger.held[self._worker] = len(self._taken)

    def ended(self) -> None:
        """See `Places.ended`."""
        with self._lock:
            self._ledger.ended[self._worker] += 1

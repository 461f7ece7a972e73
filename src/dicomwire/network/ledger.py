"""Associations of several processes into places, of which they have only so many together."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

from dicomwire.network.places import Places

_CELL = 4  # bytes of a number in the memory that processes share
_MARK = 8  # bytes that stand for an address there
MARKS = 4096  # associations of a worker whose addresses are there
_NOBODY = bytes(_MARK)


class Ledger:
    """What a process that hands out connections and its workers know of each other.

    Each worker writes its own numbers only, so what it held is forgotten with it.

    Parameters
    ----------
    workers : int
        How many.
    besides : int
        Bytes for something else.

    Attributes
    ----------
    held : sequence of int
        How many places each worker holds.
    ended : sequence of int
        How many of the connections that each was handed are over.
    marks : sequence of byte
        For each worker in turn, 8 bytes that stand for the address of each of `MARKS` associations.
    besides : sequence of byte
        Memory for something else; it is no worker's.
    """

    def __init__(self, workers: int, besides: int = 0) -> None:
        self._file = os.memfd_create("dicomwire") if hasattr(os, "memfd_create") else _unnamed()
        size = 2 * workers * _CELL
        marked = size + workers * MARKS * _MARK
        os.truncate(self._file, marked + besides)
        memory = memoryview(mmap.mmap(self._file, marked + besides))
        numbers, self.marks = memory[:size].cast("i"), memory[size:marked]
        self.besides = memory[marked:]
        self.held, self.ended = numbers[:workers], numbers[workers:]

    def lock(self, byte: int = 0) -> None:
        """Keep the other processes from claiming; the system undoes it when this one dies.

        Parameters
        ----------
        byte : int
            The byte of the file that is locked for it: threads of a process share its locks, so
            what has another lock of this process has another byte.
        """
        import fcntl

        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, byte)

    def unlock(self, byte: int = 0) -> None:
        """Let the others claim."""
        import fcntl

        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, byte)

    @contextmanager
    def locked_besides(self) -> Iterator[None]:
        """Keep the other processes from `besides` within a block."""
        self.lock(1)
        try:
            yield
        finally:
            self.unlock(1)

    def forget(self, worker: int) -> None:
        """Learn that a worker is dead."""
        self.held[worker] = self.ended[worker] = 0
        size = MARKS * _MARK
        self.marks[worker * size : (worker + 1) * size] = bytes(size)


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
        first = worker * MARKS * _MARK
        self._free = [first + number * _MARK for number in range(MARKS)]
        self._marks: dict[int, int] = {}  # who -> where its mark is

    def claim(self, who: int, limit: int, address: str = "", most: int | None = None) -> bool:
        """See `Places.claim`."""
        ledger, mark = self._ledger, _mark(address)
        with self._lock:
            ledger.lock()
            try:
                if sum(ledger.held) >= limit:
                    return False
                if most is not None and bytes(ledger.marks).count(mark) >= most:
                    return False
                self._taken[who] = address
                ledger.held[self._worker] = len(self._taken)
                if self._free:
                    self._marks[who] = self._free.pop()
                    self._set(self._marks[who], mark)
                return True
            finally:
                ledger.unlock()

    def _set(self, place: int, mark: bytes) -> None:
        self._ledger.marks[place : place + _MARK] = mark

    @property
    def count(self) -> int:
        """See `Places.count`."""
        return sum(self._ledger.held)

    def free(self, who: int) -> None:
        """See `Places.free`."""
        with self._lock:
            self._taken.pop(who, None)
            self._ledger.held[self._worker] = len(self._taken)
            if who in self._marks:
                self._set(self._marks[who], _NOBODY)
                self._free.append(self._marks.pop(who))

    def ended(self) -> None:
        """See `Places.ended`."""
        with self._lock:
            self._ledger.ended[self._worker] += 1


def _mark(address: str) -> bytes:
    """Return what stands for an address: the same in all processes, and never `_NOBODY`."""
    return blake2b(address.encode(), digest_size=_MARK - 1).digest() + b"\1"

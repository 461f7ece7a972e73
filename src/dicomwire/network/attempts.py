"""Titles and users that were refused into whether an address may try another one now."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from struct import Struct

from dicomwire.network.access import canonical

_ROW = Struct("=8sdd")  # who, how many failures count still, and when that was so
_WAYS, _SETS = 8, 512
_HASHED = _ROW.size * _WAYS  # bytes of the rows that one address may be in
SIZE = _HASHED * _SETS  # bytes that are enough for all who try

MINUTE = 60.0
_NETWORK = 8  # bytes of an IPv6 address that are its subscriber's, RFC 4291 2.5.4

Locked = Callable[[], contextlib.AbstractContextManager[object]]


class Attempts:
    """How many titles and users of each address were refused a short while ago.

    Each attempt counts as a failure until it has passed, so that many at once are no more than
    one after the other. What failed is forgotten at an even pace: after a minute all of it is.
    An IPv6 address is its network of 64 bits, as whoever has one has all of it. The memory does
    not grow: among too many addresses, the one that failed least is forgotten.

    Parameters
    ----------
    memory : memoryview, optional
        `SIZE` bytes, zeros at the beginning, that other processes may have too.
    locked : callable, optional
        Makes what keeps those from the memory, for a `with`.
    clock : callable
        Says the time, in seconds; the same to all of them.
    """

    def __init__(
        self,
        memory: memoryview | None = None,
        locked: Locked = contextlib.nullcontext,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._memory = memoryview(bytearray(SIZE)) if memory is None else memory
        self._locked, self._clock = locked, clock
        self._lock = threading.Lock()

    def begin(self, host: str, most: int) -> bool:
        """Take note of an attempt; False when there were too many failures.

        Parameters
        ----------
        host : str
            The peer's address.
        most : int
            How many may fail in a minute.
        """
        return self._add(host, most, 1.0)

    def passed(self, host: str, most: int) -> None:
        """Take note that an attempt, which `begin` let in, did not fail."""
        self._add(host, most, -1.0)

    def _add(self, host: str, most: int, more: float) -> bool:
        who = _mark(host)
        first = int.from_bytes(who[:4], "big") % _SETS * _HASHED
        with self._lock, self._locked():
            now = self._clock()
            rows = []
            for at in range(first, first + _HASHED, _ROW.size):
                other, failures, when = _ROW.unpack_from(self._memory, at)
                left = max(failures - max(now - when, 0.0) * most / MINUTE, 0.0)
                rows.append((other != who, left, at))
            is_new, failed, place = min(rows)  # its own, or that of who failed least
            count = max((0.0 if is_new else failed) + more, 0.0)
            if count > most:
                return False
            _ROW.pack_into(self._memory, place, who, count, now)
            return True


@lru_cache(256)
def _mark(host: str) -> bytes:
    """Return what stands for an address: the same in all processes."""
    address = canonical(host)
    packed = address.packed[:_NETWORK] if address is not None else host.encode()
    return blake2b(packed, digest_size=8).digest()

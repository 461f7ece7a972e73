"""Connections without an association into as many as there may be: the oldest make room."""

from __future__ import annotations

import threading
from collections.abc import Callable

Drop = Callable[[str], None]
"""Ends a connection, from any thread, because of a setting of `Limits`."""


class _Caller:
    """Somebody who has connected and has no association yet."""

    def __init__(self, address: str, drop: Drop) -> None:
        self.address = address
        self.drop = drop
        self.held = 0  # bytes


class Negotiations:
    """Who has connected and has no association yet.

    Refusing the next one when there are too many would let those who never speak keep out those
    who do. So the oldest goes, of the address that has the most.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callers: dict[int, _Caller] = {}
        self._by_address: dict[str, dict[int, None]] = {}  # in the order in which they came

    def begin(self, who: int, address: str, drop: Drop, most: int) -> None:
        """Take note of a connection; another one may have to go for it.

        Parameters
        ----------
        who : int
            Names it.
        address : str
            Where it comes from.
        drop : callable
            Ends it.
        most : int
            How many there may be, with it.
        """
        with self._lock:
            gone = self._remove_one() if len(self._callers) >= most else None
            self._callers[who] = _Caller(address, drop)
            self._by_address.setdefault(address, {})[who] = None
        if gone is not None:
            gone.drop("negotiations")

    def _remove_one(self) -> _Caller | None:
        """Remove the oldest of the address that has the most."""
        found = max(self._by_address.values(), key=len, default=None)
        return self._remove(next(iter(found))) if found else None

    def hold(self, who: int, size: int, most: int) -> bool:
        """Ask for room for an association request; those with longer ones go for it.

        Parameters
        ----------
        who : int
            As given to `begin`.
        size : int
            Bytes.
        most : int
            How many all together may take.

        Returns
        -------
        bool
            Whether there is room; False for the longest.
        """
        gone = []
        with self._lock:
            caller = self._callers.get(who)
            if caller is None:
                return True
            caller.held = size
            total = sum(each.held for each in self._callers.values())
            while total > most:
                longest = max(self._callers, key=lambda each: self._callers[each].held)
                if longest == who or self._callers[longest].held <= size:
                    caller.held = 0
                    return False
                victim = self._remove(longest)
                if victim is not None:
                    total -= victim.held
                    gone.append(victim)
        for each in gone:
            each.drop("negotiation_memory")
        return True

    def end(self, who: int) -> None:
        """Take note that it has an association, or is over; once or more."""
        with self._lock:
            self._remove(who)

    def _remove(self, who: int) -> _Caller | None:
        caller = self._callers.pop(who, None)
        if caller is not None:
            others = self._by_address[caller.address]
            del others[who]
            if not others:
                del self._by_address[caller.address]
        return caller

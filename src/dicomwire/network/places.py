"""Associations into places, of which there are only so many."""

from __future__ import annotations

import threading


class Places:
    """Which associations of this process hold one of the places that an AE has."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[int, str] = {}  # and where each comes from

    def claim(self, who: int, limit: int, address: str = "", most: int | None = None) -> bool:
        """Take a place; False when there is none left.

        Parameters
        ----------
        who : int
            Names the association.
        limit : int
            How many places there are.
        address : str
            Where it comes from.
        most : int, optional
            How many of them one address may have.
        """
        with self._lock:
            if len(self._taken) >= limit:
                return False
            if most is not None and list(self._taken.values()).count(address) >= most:
                return False
            self._taken[who] = address
            return True

    @property
    def count(self) -> int:
        """How many are taken."""
        return len(self._taken)

    def free(self, who: int) -> None:
        """Give back what `claim` took, if it did."""
        with self._lock:
            self._taken.pop(who, None)

    def ended(self) -> None:
        """Learn that a connection is over, whether it held a place or not."""

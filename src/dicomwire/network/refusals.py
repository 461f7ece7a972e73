"""Who was refused, and by which setting, into lines of the log: of many one a second."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from dicomwire.network.log_text import visible
from dicomwire.protocol.errors import Aborted, Error, LimitReached

logger = logging.getLogger("dicomwire.server")

PERIOD = 1.0  # seconds for which connections are summed up
IN_FULL = 10  # of them, from one address and for one reason, get lines of their own
MOST = 1000  # addresses and reasons that are told apart
SUMS = 10  # of those, that get a sum of their own each
LONGEST = 300  # characters of a reason

Plan = Callable[[float, Callable[[], None]], object]
"""Has something called in so many seconds."""

_Kind = tuple[str, str]  # where from, and why they come to nothing
_OTHERS: _Kind = ("", "")


def peer_text(host: str, port: int, title: str = "") -> str:
    """Name a peer: its address, and its AE title if it has said one."""
    where = f"{host} port {port}"
    return f"{where} ({visible(title)})" if title else where


def limit_in(error: Error | None) -> LimitReached | None:
    """Return the limit that an association ended by, if it did by one."""
    cause = error.__cause__ if isinstance(error, Aborted) else error
    return cause if isinstance(cause, LimitReached) else None


def tell_limit(peer: dict[str, Any], limit: LimitReached) -> None:
    """Say that a peer reached a limit.

    Parameters
    ----------
    peer : dict
        As `Association.remote` gives it.
    limit : LimitReached
        What it did, and the setting.
    """
    tell_refused(peer, limit.what, f"Limits.{limit.setting}")


def tell_refused(peer: dict[str, Any], what: str, setting: str) -> None:
    """Say that a peer is refused.

    Parameters
    ----------
    peer : dict
        As `Association.remote` gives it.
    what : str
        What it did, or is.
    setting : str
        By which it is refused.
    """
    who = peer_text(peer["address"] or "?", peer["port"] or 0, peer["ae_title"])
    logger.warning("%s is refused: %s. Setting: %s", who, what, setting)


class Refusals:
    """Connections to a server that come to nothing: a flood of them must not fill the log.

    The first of a second, from one address and for one reason, get lines of their own. The others
    are counted, and a line says at its end how many they were; so they are in the next seconds,
    all of them, until there was one without any. Each connection is in a line, or in one sum.

    Parameters
    ----------
    plan : callable, optional
        Has the sums said when they are due. Without it each connection gets lines of its own.
    clock : callable
        Says the time, in seconds.
    """

    def __init__(
        self, plan: Plan | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._plan, self._clock = plan, clock
        self._lock = threading.Lock()
        self._began = clock() - PERIOD
        self._told: dict[_Kind, int] = {}  # since then, with lines of their own
        self._counted: dict[_Kind, int] = {}  # and without
        self._busy: frozenset[_Kind] = frozenset()  # that were counted in the second before

    def is_told(self, address: str, reason: str) -> bool:
        """Take note of a connection; tell whether it gets lines of its own.

        Parameters
        ----------
        address : str
            Where it came from.
        reason : str
            Why it comes to nothing.
        """
        with self._lock:
            if self._plan is None:
                return True
            now = self._clock()
            if now - self._began >= PERIOD and not self._counted:
                self._begin(now)
            kind = self._kind(address, visible(reason)[:LONGEST])
            told = self._told.get(kind, 0)
            if kind is not _OTHERS and kind not in self._busy and told < IN_FULL:
                self._told[kind] = told + 1
                return True
            if not self._counted and not self._is_planned(self._plan, now):
                return True
            self._counted[kind] = self._counted.get(kind, 0) + 1
            return False

    def _is_planned(self, plan: Plan, now: float) -> bool:
        try:
            plan(max(self._began + PERIOD - now, 0.0), self.sum_up)
        except RuntimeError:  # there can be no further thread
            return False
        return True

    def _kind(self, address: str, reason: str) -> _Kind:
        kind = address, reason
        known = kind in self._told or kind in self._counted
        return kind if known or len(self._told) + len(self._counted) < MOST else _OTHERS

    def _begin(self, now: float) -> None:
        self._began, self._told, self._busy = now, {}, frozenset(self._counted)
        self._counted = {}

    def sum_up(self) -> None:
        """Say how many connections got no line of their own; the next second begins."""
        with self._lock:
            if not self._counted:
                return
            counted, now = self._counted, self._clock()
            seconds = round(now - self._began)
            self._begin(now)
        when = f"in the last {seconds} seconds" if seconds > 1 else "in the last second"
        most = sorted(counted, key=lambda kind: -counted[kind])
        named = [kind for kind in most if kind is not _OTHERS][:SUMS]
        for kind in named:
            address, reason = kind
            logger.warning(
                "%d more connections from %s %s: %s", counted.pop(kind), address, when, reason
            )
        if counted:
            logger.warning(
                "%d more connections from other addresses, or for other reasons, %s",
                sum(counted.values()),
                when,
            )

    def close(self) -> None:
        """Say what there is to be said; from now on each connection gets lines of its own."""
        with self._lock:
            self._plan = None
        self.sum_up()

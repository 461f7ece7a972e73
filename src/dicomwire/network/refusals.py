"""Who was refused, and by which setting, into lines of the log: of a scan one a second."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from dicomwire.network.log_text import visible
from dicomwire.protocol.errors import Aborted, Error, LimitReached

logger = logging.getLogger("dicomwire.server")

PAUSE = 1.0  # seconds in which connections that are refused by the same setting share a line


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
    who = peer_text(peer["address"] or "?", peer["port"] or 0, peer["ae_title"])
    logger.warning("%s is refused: %s. Setting: Limits.%s", who, limit.what, limit.setting)


class Refusals:
    """Connections that are refused before a word was said: a scan must not fill the log.

    Parameters
    ----------
    clock : callable
        Says the time, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[str, tuple[float, int]] = {}  # setting -> when, and how many since

    def tell(self, who: str, what: str, setting: str) -> None:
        """Say that a connection is refused, unless that was said a moment ago.

        Parameters
        ----------
        who : str
            The peer, as `peer_text` names it.
        what : str
            What it did.
        setting : str
            By which it is refused.
        """
        now = self._clock()
        with self._lock:
            when, since = self._told.get(setting, (now - PAUSE, 0))
            is_due = now - when >= PAUSE
            self._told[setting] = (now, 0) if is_due else (when, since + 1)
        if is_due:
            more = f" (and {since} more since the last such line)" if since else ""
            logger.warning("%s is refused: %s. Setting: %s%s", who, what, setting, more)

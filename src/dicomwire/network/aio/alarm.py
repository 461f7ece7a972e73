"""A deadline that moves all the time into few timers of the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class Alarm:
    """Rings once when a deadline has passed.

    The loop has one timer for it, which looks when it fires whether the deadline is a later one
    by then: to move a deadline costs nothing.

    Parameters
    ----------
    loop : AbstractEventLoop
        Where the timer runs.
    due : callable
        Says when the deadline is now, on the monotonic clock; None while there is none.
    ring : callable
        Called when it has passed.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        due: Callable[[], float | None],
        ring: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._due = due
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._fires = float("inf")

    def look(self) -> None:
        """See to it that the timer fires in time for the deadline as it is now."""
        due = self._due()
        if due is not None and due < self._fires:
            self._set(due)

    def _set(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._fires = due
        self._timer = self._loop.call_later(max(due - time.monotonic(), 0.0), self._fired)

    def _fired(self) -> None:
        self._timer, self._fires = None, float("inf")
        due = self._due()
        if due is None:
            return
        if time.monotonic() >= due:
            self._ring()
        else:
            self._set(due)

    def stop(self) -> None:
        """Ring no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._fires = None, float("inf")

"""Calls into threads that wait a moment for the next: to wake one costs less than to start one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextvars import Context

# Seconds that a thread waits for the next call. Where calls are rarer a new thread does no harm.
LINGER = 0.05
IDLE = "dicomwire idle"  # what it is called then


class _Seat:
    """Where a thread waits, and what it is to do next."""

    __slots__ = ("awaited", "name", "work")

    def __init__(self, work: Callable[[], object], name: str) -> None:
        self.work: Callable[[], object] | None = work
        self.name = name
        self.awaited = threading.Lock()
        self.awaited.acquire()


class Threads:
    """Threads that come with calls and go when there are none for a while.

    Each call finds what a new thread has: its name, and a context (`contextvars`) with nothing in
    it. Only what was kept in a `threading.local` is still there.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[_Seat, None] = {}  # the last to come is the first to go on

    def begin(self, work: Callable[[], object], name: str) -> None:
        """Let a thread do something.

        Parameters
        ----------
        work : callable
            Without arguments; what it raises ends the thread, as with any other.
        name : str
            Of the thread meanwhile.

        Raises
        ------
        RuntimeError
            When no further thread can be had.
        """
        with self._lock:
            seat = self._idle.popitem()[0] if self._idle else None
        if seat is not None:
            seat.work, seat.name = work, name
            seat.awaited.release()
            return
        seat = _Seat(work, name)
        threading.Thread(target=self._serve, args=(seat,), name=name, daemon=True).start()

    def _serve(self, seat: _Seat) -> None:
        me = threading.current_thread()
        while seat.work is not None:
            work, seat.work = seat.work, None
            me.name = seat.name
            Context().run(work)
            del work  # and all that hangs on it
            me.name = IDLE
            self._wait(seat)

    def _wait(self, seat: _Seat) -> None:
        with self._lock:
            self._idle[seat] = None
        if seat.awaited.acquire(timeout=LINGER):
            return
        with self._lock:
            is_left = seat in self._idle
            self._idle.pop(seat, None)
        if not is_left:  # it was chosen just now
            seat.awaited.acquire()


_threads = Threads()


def the_threads() -> Threads:
    """Return those of this process; a forked child gets its own."""
    return _threads


def _begin_again() -> None:
    global _threads
    _threads = Threads()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_again)

"""Idle requestor sockets, and times, into calls when they are due: one thread for all of them."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Protocol


class Idle(Protocol):
    """An association that nobody uses at the moment."""

    def idle_until(self) -> float:
        """Return when the network time-out passes, on the monotonic clock."""

    def attend(self) -> None:
        """Take in what has arrived, or give up: the time-out passed. May block."""


class Watcher:
    """Waits on the sockets of all idle requestor associations of the process.

    To park a socket and to take it back costs one system call each and no thread switch.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[int, Idle] = {}
        self._parked: set[int] = set()
        self._stays = False
        self._calls: list[tuple[float, Callable[[], None]]] = []
        self._poll = _Epoll() if hasattr(select, "epoll") else _Select()
        self._thread: threading.Thread | None = None
        self._planned = float("inf")

    def add(self, descriptor: int, idle: Idle) -> None:
        """Begin with a socket; it is not parked yet."""
        with self._lock:
            self._idle[descriptor] = idle
            self._poll.add(descriptor)
            self._stays = True
            self._start()

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        """Have something called in so many seconds.

        Raises
        ------
        RuntimeError
            When no thread can be had for it.
        """
        with self._lock:
            self._start()
            self._calls.append((time.monotonic() + seconds, call))
        self._poll.wake()

    def _start(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="dicomwire idle watcher", daemon=True)
            thread.start()
            self._thread = thread

    def remove(self, descriptor: int) -> None:
        """Forget a socket, before it is closed."""
        with self._lock:
            if self._idle.pop(descriptor, None) is not None:
                self._parked.discard(descriptor)
                self._poll.remove(descriptor)

    def park(self, descriptor: int) -> None:
        """Watch a socket until it is taken back."""
        idle = self._idle.get(descriptor)
        if idle is None:
            return
        self._parked.add(descriptor)
        self._poll.arm(descriptor)
        if idle.idle_until() < self._planned:
            self._poll.wake()

    def look_again(self) -> None:
        """Learn that a time-out has changed."""
        self._poll.wake()

    def take(self, descriptor: int) -> None:
        """Stop watching a socket for the time being."""
        self._parked.discard(descriptor)
        self._poll.disarm(descriptor)

    def _run(self) -> None:
        while True:
            self._planned = float("inf")  # whoever parks from here on wakes us
            self._planned = self._next()
            pause = self._planned - time.monotonic()
            ready = self._poll.wait(None if pause == float("inf") else max(pause, 0.0))
            for descriptor in {*ready, *self._late()}:
                idle = self._idle.get(descriptor)
                if idle is not None and descriptor in self._parked:
                    self._parked.discard(descriptor)
                    self._call(idle.attend, "dicomwire idle association")
            for call in self._due():
                self._call(call, "dicomwire due call")
            if self._ends():
                return

    def _call(self, call: Callable[[], None], name: str) -> None:
        """Call something, as an association that takes in what has come, where it may block."""
        try:
            threading.Thread(target=call, name=name, daemon=True).start()
        except RuntimeError:  # there can be no further thread: the others wait a moment
            call()

    def _due(self) -> list[Callable[[], None]]:
        """Take the calls whose time has come."""
        with self._lock:
            now, calls = time.monotonic(), self._calls
            self._calls = [each for each in calls if each[0] > now]
        return [call for when, call in calls if when <= now]

    def _ends(self) -> bool:
        """Whether the thread ends: nothing is left to call, and no socket was ever there."""
        with self._lock:
            if self._stays or self._calls:
                return False
            self._thread = None
            return True

    def _next(self) -> float:
        times = [when for _, when in self._times()] + [when for when, _ in list(self._calls)]
        return min(times, default=float("inf"))

    def _late(self) -> list[int]:
        now = time.monotonic()
        return [descriptor for descriptor, when in self._times() if when <= now]

    def _times(self) -> list[tuple[int, float]]:
        parked = [(each, self._idle.get(each)) for each in list(self._parked)]
        return [(descriptor, idle.idle_until()) for descriptor, idle in parked if idle]


class _Epoll:
    """Linux: arming and disarming take effect while another thread waits."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._reading, self._writing = socket.socketpair()
        self._writing.setblocking(False)
        self._epoll.register(self._reading.fileno(), select.EPOLLIN)

    def add(self, descriptor: int) -> None:
        self._epoll.register(descriptor, select.EPOLLONESHOT)

    def remove(self, descriptor: int) -> None:
        try:
            self._epoll.unregister(descriptor)
        except (OSError, ValueError):
            return  # it was closed

    def arm(self, descriptor: int) -> None:
        try:
            self._epoll.modify(descriptor, select.EPOLLIN | select.EPOLLONESHOT)
        except (OSError, ValueError):
            return

    def disarm(self, descriptor: int) -> None:
        try:
            self._epoll.modify(descriptor, select.EPOLLONESHOT)
        except (OSError, ValueError):
            return

    def wait(self, timeout: float | None) -> list[int]:
        ready = [descriptor for descriptor, _ in self._epoll.poll(timeout)]
        if self._reading.fileno() in ready:
            self._reading.recv(4096)
            ready.remove(self._reading.fileno())
        return ready

    def wake(self) -> None:
        try:
            self._writing.send(b"\0")
        except BlockingIOError:
            return  # it is going to wake anyhow


class _Select:
    """Elsewhere: who waits is woken when the set changes."""

    def __init__(self) -> None:
        self._armed: set[int] = set()
        self._reading, self._writing = socket.socketpair()
        self._reading.setblocking(False)
        self._writing.setblocking(False)

    def add(self, descriptor: int) -> None:
        """Nothing to do before it is armed."""

    def remove(self, descriptor: int) -> None:
        self._armed.discard(descriptor)

    def arm(self, descriptor: int) -> None:
        self._armed.add(descriptor)
        self.wake()

    def disarm(self, descriptor: int) -> None:
        self._armed.discard(descriptor)

    def wait(self, timeout: float | None) -> list[int]:
        watched = {self._reading.fileno(), *self._armed}
        try:
            ready = set(_readable(watched, timeout))
        except (OSError, ValueError):
            return [each for each in self._armed if _is_closed(each)]
        if self._reading.fileno() in ready:
            ready.remove(self._reading.fileno())
            self._reading.recv(4096)
        self._armed -= ready
        return list(ready)

    def wake(self) -> None:
        try:
            self._writing.send(b"\0")
        except BlockingIOError:
            return


def _readable(descriptors: set[int], timeout: float | None) -> list[int]:
    if not hasattr(select, "poll"):  # Windows, where the number of a descriptor does not matter
        return select.select(list(descriptors), [], [], timeout)[0]
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return [each for each, _ in poll.poll(None if timeout is None else timeout * 1000)]


def _is_closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False


_watcher: Watcher | None = None
_watcher_lock = threading.Lock()


def the_watcher() -> Watcher:
    """Return the watcher of this process; a forked child gets its own."""
    return _watcher or _make_watcher()


def _make_watcher() -> Watcher:
    global _watcher
    with _watcher_lock:
        _watcher = _watcher or Watcher()
        return _watcher


def _begin_again() -> None:
    """Begin anew in a forked process: the thread, and perhaps the lock, are the parent's."""
    global _watcher, _watcher_lock
    _watcher, _watcher_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_again)

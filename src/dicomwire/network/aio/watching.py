"""Sockets into calls in the thread of an event loop, also of one that cannot watch sockets."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
from collections.abc import Callable
from typing import Any, Protocol
from weakref import WeakKeyDictionary, ref

READ, WRITE = 1, 2


class Watcher(Protocol):
    """Calls back while a socket can be read or written: an event loop, or what stands in for it."""

    def add_reader(self, fd: int, callback: Callable[[], object]) -> Any: ...

    def remove_reader(self, fd: int) -> Any: ...

    def add_writer(self, fd: int, callback: Callable[[], object]) -> Any: ...

    def remove_writer(self, fd: int) -> Any: ...


class WatchingThread:
    """Watches sockets for a loop that cannot: the Proactor, which is the default on Windows.

    A thread waits for all of them while there are any. What it finds it has the loop call, and it
    looks at that socket again once that is done.

    Parameters
    ----------
    loop : AbstractEventLoop
        Whose thread makes the calls.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = ref(loop)  # the loop is the key to this
        self._lock = threading.Lock()
        self._wanted: dict[int, dict[int, Callable[[], object]]] = {}
        self._called: set[int] = set()
        self._waking: socket.socket | None = None

    def add_reader(self, fd: int, callback: Callable[[], object]) -> None:
        """Call back while a socket can be read."""
        self._want(fd, READ, callback)

    def add_writer(self, fd: int, callback: Callable[[], object]) -> None:
        """Call back while a socket can be written."""
        self._want(fd, WRITE, callback)

    def remove_reader(self, fd: int) -> None:
        """Undo `add_reader`."""
        self._want(fd, READ, None)

    def remove_writer(self, fd: int) -> None:
        """Undo `add_writer`."""
        self._want(fd, WRITE, None)

    def _want(self, fd: int, event: int, callback: Callable[[], object] | None) -> None:
        with self._lock:
            wanted = self._wanted.setdefault(fd, {})
            if callback is None:
                wanted.pop(event, None)
            else:
                wanted[event] = callback
            if not wanted:
                del self._wanted[fd]
                self._called.discard(fd)
            if self._waking is None and self._wanted:
                self._start()
            else:
                self._wake()

    def _start(self) -> None:
        reading, self._waking = socket.socketpair()
        self._waking.setblocking(False)
        threading.Thread(
            target=self._watch, args=(reading,), name="dicomwire asyncio watcher", daemon=True
        ).start()

    def _wake(self) -> None:
        try:
            if self._waking is not None:
                self._waking.send(b"\0")
        except BlockingIOError:
            return  # it is going to wake anyhow

    def _watch(self, reading: socket.socket) -> None:
        with reading:
            while (wanted := self._to_watch()) is not None:
                wanted[reading.fileno()] = READ
                ready = wait_for(wanted)
                if ready.pop(reading.fileno(), 0):
                    reading.recv(4096)
                self._tell(ready)

    def _to_watch(self) -> dict[int, int] | None:
        """Return what is waited for by descriptor; None when there is nothing any more."""
        with self._lock:
            loop = self._loop()
            if not self._wanted or loop is None or loop.is_closed():
                assert self._waking is not None
                self._waking.close()
                self._waking = None
                return None
            return {
                fd: sum(wanted) for fd, wanted in self._wanted.items() if fd not in self._called
            }

    def _tell(self, ready: dict[int, int]) -> None:
        with self._lock:
            self._called.update(ready)
        loop = self._loop()
        if loop is None:
            return
        for fd, events in ready.items():
            try:
                loop.call_soon_threadsafe(self._call, fd, events)
            except RuntimeError:  # it is closed
                return

    def _call(self, fd: int, events: int) -> None:
        for event in (READ, WRITE):
            callback = self._wanted.get(fd, {}).get(event)
            if callback is not None and events & event:
                callback()
        with self._lock:
            self._called.discard(fd)
            self._wake()


def wait_for(wanted: dict[int, int]) -> dict[int, int]:
    """Wait until sockets are ready; return for what, by descriptor. One that was closed is not."""
    if hasattr(select, "poll"):
        poll = select.poll()
        for fd, events in wanted.items():
            poll.register(fd, select.POLLIN * (events & READ) | select.POLLOUT * (events // WRITE))
        ended = select.POLLHUP | select.POLLERR
        return {
            fd: READ * bool(events & (select.POLLIN | ended))
            | WRITE * bool(events & (select.POLLOUT | ended))
            for fd, events in poll.poll()
            if not events & select.POLLNVAL
        }
    reading = [fd for fd, events in wanted.items() if events & READ]
    writing = [fd for fd, events in wanted.items() if events & WRITE]
    try:
        can_read, can_write, failed = select.select(reading, writing, writing)
    except (OSError, ValueError):
        return {}
    found = dict.fromkeys(can_read, READ)
    for fd in (*can_write, *failed):  # Windows says here that connecting failed
        found[fd] = found.get(fd, 0) | WRITE
    return found


_threads: WeakKeyDictionary[asyncio.AbstractEventLoop, WatchingThread] = WeakKeyDictionary()


def watcher_of(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> Watcher:
    """Return what watches a socket for a loop: the loop itself, if it can."""
    try:
        loop.remove_reader(sock.fileno())
    except NotImplementedError:
        return _threads.setdefault(loop, WatchingThread(loop))
    return loop

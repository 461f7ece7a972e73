"""A socket into the few operations that a driver needs, with time-outs and without polling."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from dicomwire.network.addresses import is_tls
from dicomwire.protocol.limits import DEFAULT, Limits

Buffer = bytes | bytearray | memoryview

MOST_BUFFERS = 1000  # that one sendmsg takes: IOV_MAX is 1,024 on Linux and macOS

QUICKACK = getattr(socket, "TCP_QUICKACK", None)
_DONTWAIT = getattr(socket, "MSG_DONTWAIT", None)
# Linux keeps what is sent with it for 200 ms at most (tcp(7), send(2)); nobody else has it.
_MORE = int(getattr(socket, "MSG_MORE", 0))  # as numbers: flags of an enumeration add slowly
_NOW, _TOGETHER = int(_DONTWAIT or 0), int(_DONTWAIT or 0) | _MORE

# To put a thread to sleep and to wake it takes up to 150 us on a virtual machine, about as long as
# a peer needs to answer, or to take what fills the buffers between the two. So where the last
# answer (the last room) came soon, the next is looked for before the thread sleeps: for a moment,
# by one thread of a process, if another processor runs the peer and no other thread has received
# anything lately: it would be kept from the interpreter. Whoever looks gives way to everybody else
# who wants the processor.
LOOK = 400e-6  # seconds
PROMPT = 2e-3  # seconds within which the last answer has to have come
_looking = threading.Lock()
_last_received = (0, 0.0)  # the id of the transport, and when
_spare_processor = (os.cpu_count() or 1) > 1
give_way: Callable[[], object] = getattr(os, "sched_yield", time.monotonic)


class TooSlow(TimeoutError):
    """The peer takes less than `Limits.rate`.

    Parameters
    ----------
    count : int
        Bytes that it took.
    seconds : float
        While it was waited for so long.
    """

    def __init__(self, count: int, seconds: float) -> None:
        super().__init__(f"{count} bytes in {seconds:.0f} s")
        self.count, self.seconds = count, seconds


def wait_readable(sock: socket.socket, timeout: float | None) -> bool:
    """Wait until something can be read; tell whether that came before `timeout` seconds."""
    if timeout is not None and timeout <= 0:
        return False
    if hasattr(select, "poll"):  # unlike select it takes descriptors beyond 1,023
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))
    return bool(select.select([sock], [], [], timeout)[0])


class Transport(Protocol):
    """What a driver does with a connection.

    Attributes
    ----------
    sock : socket
        The socket itself.
    """

    sock: socket.socket

    def receive(self, buffer: memoryview, timeout: float | None, expecting: bool) -> int:
        """Wait for bytes and put them into the buffer; 0 means that the peer closed.

        Parameters
        ----------
        buffer : memoryview
            Where to.
        timeout : float or None
            Seconds; None waits for ever.
        expecting : bool
            Whether the peer is about to send: then its segments are acknowledged at once, because
            a peer that leaves Nagle's algorithm on sends the next only after that.

        Raises
        ------
        TimeoutError, OSError
        """

    def receive_waiting(self, buffer: memoryview) -> int | None:
        """Like `receive` but without waiting; None means that nothing is there."""

    def send(
        self,
        buffers: Sequence[Buffer],
        timeout: float | None,
        when_readable: Callable[[], object],
        more_follows: bool = False,
    ) -> None:
        """Send all bytes of all buffers.

        Parameters
        ----------
        buffers : sequence of buffers
            In order.
        timeout : float or None
            Seconds without progress.
        when_readable : callable
            Called when the peer sends while it does not read: it may be telling why.
        more_follows : bool
            Whether the system may keep the bytes for a moment, to send them with what follows.

        Raises
        ------
        TimeoutError, OSError
            `TooSlow` when the peer takes too little.
        """

    def wake(self) -> None:
        """Make a `receive` in another thread return."""

    def cut(self) -> None:
        """End the connection under a thread that is sending; `close` is still to come."""

    def close(self) -> None:
        """Close the connection."""

    def fileno(self) -> int:
        """Return the descriptor, for those who wait for many."""


def is_plain(sock: socket.socket) -> bool:
    """Whether `PlainTransport` can move the bytes of a socket."""
    has_calls = _DONTWAIT is not None and hasattr(sock, "sendmsg") and hasattr(select, "poll")
    return has_calls and not is_tls(sock)


class PlainTransport:
    """TCP on systems with sendmsg: one system call for many buffers, none to wait.

    Parameters
    ----------
    sock : socket
        Connected.
    limits : Limits
        How slow the peer may be.
    """

    def __init__(self, sock: socket.socket, limits: Limits = DEFAULT) -> None:
        sock.settimeout(None)
        self.sock = sock
        self._limits = limits
        self._sent, self._waited = 0, 0.0  # bytes, and seconds in which there was no room
        self._timeout: float | None = None
        self._is_prompt = self._takes_promptly = False  # the peer
        self._recv_into = sock.recv_into
        self._sendmsg = sock.sendmsg
        self._setsockopt = sock.setsockopt

    def receive(self, buffer: memoryview, timeout: float | None, expecting: bool) -> int:
        """See `Transport.receive`."""
        if timeout != self._timeout:
            self._set_timeout(timeout)
        if expecting and QUICKACK is not None:
            self._setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)
        begin = time.monotonic()
        if self._is_prompt and self._is_alone(begin) and _looking.acquire(blocking=False):
            try:
                count = self._look(buffer, begin + LOOK)
            finally:
                _looking.release()
            if count is not None:
                return count
        try:
            count = self._recv_into(buffer)
        except BlockingIOError:
            raise TimeoutError from None
        self._is_prompt = _spare_processor and self._note() - begin < PROMPT
        return count

    def _is_alone(self, now: float) -> bool:
        """Whether no other connection of the process has received anything lately."""
        by, when = _last_received
        return by == id(self) or now - when > PROMPT

    def _note(self) -> float:
        """Note that something was received; return when."""
        global _last_received
        now = time.monotonic()
        _last_received = id(self), now
        return now

    def _look(self, buffer: memoryview, end: float) -> int | None:
        """Receive without going to sleep; None when nothing came until some time."""
        while True:
            try:
                count = self._recv_into(buffer, 0, _NOW)
                self._note()
                return count
            except BlockingIOError:
                if time.monotonic() >= end:
                    return None
                give_way()

    def _set_timeout(self, timeout: float | None) -> None:
        seconds = max(timeout, 1e-6) if timeout is not None else 0.0
        whole = int(seconds)
        value = struct.pack("ll", whole, int((seconds - whole) * 1e6))
        self._setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
        self._timeout = timeout

    def receive_waiting(self, buffer: memoryview) -> int | None:
        """See `Transport.receive_waiting`."""
        try:
            return self._recv_into(buffer, 0, _NOW)
        except BlockingIOError:
            return None

    def send(
        self,
        buffers: Sequence[Buffer],
        timeout: float | None,
        when_readable: Callable[[], object],
        more_follows: bool = False,
    ) -> None:
        """See `Transport.send`."""
        flags = _TOGETHER if more_follows else _NOW
        for first in range(0, len(buffers), MOST_BUFFERS):
            waiting = buffers[first : first + MOST_BUFFERS]
            while waiting:
                try:
                    sent = self._sendmsg(waiting, (), flags)
                except BlockingIOError:
                    sent = self._send_later(waiting, flags, timeout, when_readable)
                self._sent += sent
                waiting = after(waiting, sent)

    def _send_later(
        self,
        buffers: Sequence[Buffer],
        flags: int,
        timeout: float | None,
        when_readable: Callable[[], object],
    ) -> int:
        """Wait until there is room, and send some; 0 when there may be room now."""
        begin = time.monotonic()
        if self._takes_promptly and self._is_alone(begin) and _looking.acquire(blocking=False):
            try:
                sent = self._look_for_room(buffers, flags, begin + LOOK)
            finally:
                _looking.release()
            if sent:
                return sent
        self._wait_writable(timeout, when_readable)
        took = time.monotonic() - begin
        self._takes_promptly = _spare_processor and took < PROMPT
        self._waited += took
        if self._waited > self._limits.grace:
            self._check_rate()
        return 0

    def _check_rate(self) -> None:
        sent, waited, self._sent, self._waited = self._sent, self._waited, 0, 0.0
        if sent < self._limits.rate * waited:
            raise TooSlow(sent, waited)

    def _look_for_room(self, buffers: Sequence[Buffer], flags: int, end: float) -> int:
        """Send some without going to sleep; 0 when there was no room until some time."""
        while time.monotonic() < end:
            give_way()
            try:
                return self._sendmsg(buffers, (), flags)
            except BlockingIOError:
                continue
        return 0

    def _wait_writable(self, timeout: float | None, when_readable: Callable[[], object]) -> None:
        poll = select.poll()
        poll.register(self.sock, select.POLLOUT | select.POLLIN)
        end = None if timeout is None else time.monotonic() + timeout
        left = timeout
        while left is None or left > 0:
            ready = poll.poll(None if left is None else left * 1000)
            if not ready:
                break
            if ready[0][1] & ~select.POLLOUT:
                when_readable()
            if ready[0][1] & ~select.POLLIN:  # there is room, or the line is broken
                return
            # what the peer sends is no sign that it reads
            left = None if end is None else end - time.monotonic()
        raise TimeoutError

    def wake(self) -> None:
        """See `Transport.wake`."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RD)

    def cut(self) -> None:
        """See `Transport.cut`."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """See `Transport.close`."""
        self.sock.close()

    def fileno(self) -> int:
        """See `Transport.fileno`."""
        return self.sock.fileno()


def after(buffers: Sequence[Buffer], sent: int) -> Sequence[Buffer]:
    """Return what is left of the buffers once the first `sent` bytes are gone."""
    for index, buffer in enumerate(buffers):
        size = len(buffer)
        if sent < size:
            return [memoryview(buffer)[sent:], *buffers[index + 1 :]] if sent else buffers[index:]
        sent -= size
    return ()

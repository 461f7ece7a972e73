"""A socket without sendmsg, as those of TLS are, into what a driver needs: in whole records."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence

from dicomwire.network.transport import QUICKACK, Buffer, TooSlow, wait_readable
from dicomwire.protocol.limits import DEFAULT, Limits

JOINED = 0x80000  # bytes that are joined for a socket that has no sendmsg
RECORD = 0x1000  # bytes in a TLS record that others are likely to follow; it has 0x4000 at most


class StreamTransport:
    """TLS, and systems without sendmsg: buffers are joined before they are sent.

    A TLS session may not be read and written by two threads at once, so both happen under a lock;
    the wait for the peer does not.

    Parameters
    ----------
    sock : socket or SSLSocket
        Connected; the TLS handshake is done.
    limits : Limits
        How slow the peer may be.
    """

    def __init__(self, sock: socket.socket, limits: Limits = DEFAULT) -> None:
        self.sock = sock
        self._limits = limits
        self._lock = threading.Lock()

    def receive(self, buffer: memoryview, timeout: float | None, expecting: bool) -> int:
        """See `Transport.receive`."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            count = self.receive_waiting(buffer)
            if count is not None:
                return count
            if expecting and QUICKACK is not None:
                self.sock.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)
            left = None if end is None else end - time.monotonic()
            if not wait_readable(self.sock, left):
                raise TimeoutError

    def receive_waiting(self, buffer: memoryview) -> int | None:
        """See `Transport.receive_waiting`."""
        with self._lock:
            self.sock.settimeout(0.0)
            return receive_records(self.sock, buffer)

    def send(
        self,
        buffers: Sequence[Buffer],
        timeout: float | None,
        when_readable: Callable[[], object],
        more_follows: bool = False,
    ) -> None:
        """See `Transport.send`; nothing is kept for a moment."""
        waiting: list[Buffer] = []
        size = 0
        for buffer in buffers:
            waiting.append(buffer)
            size += len(buffer)
            if size >= JOINED:
                self._send_joined(waiting, timeout)
                waiting, size = [], 0
        if waiting:
            self._send_joined(waiting, timeout)

    def _send_joined(self, buffers: Sequence[Buffer], timeout: float | None) -> None:
        limits = self._limits
        with self._lock:
            self.sock.settimeout(timeout)
            begin, sent, left = time.monotonic(), 0, memoryview(b"".join(buffers))
            while left:
                count = self.sock.send(left)
                left, sent = left[count:], sent + count
                took = time.monotonic() - begin
                if took > limits.grace:
                    if sent < limits.rate * took:
                        raise TooSlow(sent, took)
                    begin, sent = begin + took, 0

    def wake(self) -> None:
        """See `Transport.wake`."""
        with contextlib.suppress(OSError):
            # below the TLS layer: the thread that reads is in the middle of it
            socket.socket.shutdown(self.sock, socket.SHUT_RD)

    def cut(self) -> None:
        """See `Transport.cut`."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """See `Transport.close`."""
        self.sock.close()

    def fileno(self) -> int:
        """See `Transport.fileno`."""
        return self.sock.fileno()


def receive_records(sock: socket.socket, buffer: memoryview) -> int | None:
    """Receive what has come over a socket that does not block: TLS gives a record a call.

    Parameters
    ----------
    sock : socket or SSLSocket
        The socket.
    buffer : memoryview
        Where to.

    Returns
    -------
    int or None
        The number of bytes; 0 when the peer closed, None when nothing is there.

    Raises
    ------
    OSError
        When nothing was received before.
    """
    count = _receive_record(sock, buffer)
    if count is None or count < RECORD:
        return count
    with contextlib.suppress(OSError):  # the next call comes upon it
        while (more := _receive_record(sock, buffer[count:])) is not None:
            count += more
            if more < RECORD:  # also at the end of the connection, and of the buffer
                break
    return count


def _receive_record(sock: socket.socket, buffer: memoryview) -> int | None:
    if not buffer:
        return 0
    try:
        return sock.recv_into(buffer)
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError, InterruptedError):
        return None
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return 0

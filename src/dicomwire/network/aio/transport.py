"""A socket of our own into the few operations that the asyncio driver needs; none of them waits."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Protocol

from dicomwire.network.aio.watching import watcher_of
from dicomwire.network.keepalive import keep_alive
from dicomwire.network.records import JOINED, receive_records
from dicomwire.network.transport import MOST_BUFFERS, QUICKACK, Buffer, after
from dicomwire.protocol.limits import DEFAULT, Limits

# As numbers: flags of an enumeration add slowly.
_MORE = int(getattr(socket, "MSG_MORE", 0))

Callback = Callable[[], object]


class Transport(Protocol):
    """What the driver does with a connection.

    Attributes
    ----------
    sock : socket
        The socket itself.
    """

    sock: socket.socket

    def read(self, buffer: memoryview) -> int | None:
        """Put what has arrived into the buffer: 0 when the peer closed, None when nothing has.

        Raises
        ------
        OSError
        """

    def write(self, buffers: Sequence[Buffer], more_follows: bool = False) -> Sequence[Buffer]:
        """Send as much as the system takes, and return what is left of the buffers.

        Raises
        ------
        OSError
        """

    def has_more(self) -> bool:
        """Whether bytes have come that `watch_reading` tells nothing of."""

    def watch_reading(self, callback: Callback | None) -> None:
        """Have something called whenever bytes can be read; None: no more."""

    def watch_writing(self, callback: Callback | None) -> None:
        """Have something called whenever bytes can be written; None: no more."""

    def acknowledge(self) -> None:
        """Acknowledge segments at once for a moment: a peer with Nagle's algorithm waits for it."""

    def close(self) -> None:
        """Close the connection."""


class SocketTransport:
    """TCP: bytes go from the system to where they belong.

    Parameters
    ----------
    sock : socket
        Connected.
    loop : AbstractEventLoop
        The running loop.
    """

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        sock.setblocking(False)
        with contextlib.suppress(OSError):  # the peer is gone already
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self._watcher = watcher_of(loop, sock)
        self._descriptor = sock.fileno()
        self._recv_into = sock.recv_into
        self._setsockopt = sock.setsockopt
        self._is_read = self._is_written = False

    def read(self, buffer: memoryview) -> int | None:
        """See `Transport.read`."""
        try:
            return self._recv_into(buffer)
        except (BlockingIOError, InterruptedError):
            return None

    def write(self, buffers: Sequence[Buffer], more_follows: bool = False) -> Sequence[Buffer]:
        """See `Transport.write`."""
        flags = _MORE if more_follows else 0
        for first in range(0, len(buffers), MOST_BUFFERS):
            waiting = buffers[first : first + MOST_BUFFERS]
            while waiting:
                try:
                    sent = self.sock.sendmsg(waiting, (), flags)
                except (BlockingIOError, InterruptedError):
                    return [*waiting, *buffers[first + MOST_BUFFERS :]]
                waiting = after(waiting, sent)
        return ()

    def has_more(self) -> bool:
        """See `Transport.has_more`."""
        return False

    def watch_reading(self, callback: Callback | None) -> None:
        """See `Transport.watch_reading`."""
        if callback is not None:
            self._watcher.add_reader(self._descriptor, callback)
        elif self._is_read:
            self._watcher.remove_reader(self._descriptor)
        self._is_read = callback is not None

    def watch_writing(self, callback: Callback | None) -> None:
        """See `Transport.watch_writing`."""
        if callback is not None:
            self._watcher.add_writer(self._descriptor, callback)
        elif self._is_written:
            self._watcher.remove_writer(self._descriptor)
        self._is_written = callback is not None

    def acknowledge(self) -> None:
        """See `Transport.acknowledge`."""
        if QUICKACK is not None:
            try:
                self._setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)
            except OSError:  # the peer is gone: the next read says so
                return

    def close(self) -> None:
        """See `Transport.close`."""
        self.watch_reading(None)
        self.watch_writing(None)
        self.sock.close()


class JoiningTransport(SocketTransport):
    """TLS, and systems without sendmsg: buffers are joined before they are sent."""

    def read(self, buffer: memoryview) -> int | None:
        """See `Transport.read`."""
        return receive_records(self.sock, buffer)

    def has_more(self) -> bool:
        """See `Transport.has_more`."""
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0

    def write(self, buffers: Sequence[Buffer], more_follows: bool = False) -> Sequence[Buffer]:
        """See `Transport.write`; nothing is kept for a moment."""
        rest = list(buffers)
        rest.reverse()
        while rest:
            joined, size = [], 0
            while rest and size < JOINED:
                joined.append(rest.pop())
                size += len(joined[-1])
            left = memoryview(joined[0] if len(joined) == 1 else b"".join(joined))
            while left:
                try:
                    left = left[self.sock.send(left) :]
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
                    rest.reverse()
                    return [left, *rest]
        return ()


def transport_for(
    sock: socket.socket, loop: asyncio.AbstractEventLoop, limits: Limits = DEFAULT
) -> Transport:
    """Return the fastest transport that the socket and the system allow."""
    keep_alive(sock, limits.keepalive)
    if isinstance(sock, ssl.SSLSocket) or not hasattr(sock, "sendmsg"):
        return JoiningTransport(sock, loop)
    return SocketTransport(sock, loop)

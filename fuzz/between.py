"""A port that passes everything on to another one, into the bytes that went either way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOOPBACK = "127.0.0.1"
_PATIENCE = 30.0  # seconds of silence after which a peer is taken for gone


class Between:
    """Who listens between two programs.

    Attributes
    ----------
    port : int
        Where to call instead.
    heard : list of (bytearray, bytearray)
        Of each connection, what the caller sent, and what it was answered.
    """

    def __init__(self, target: int, listening: socket.socket) -> None:
        self.port: int = listening.getsockname()[1]
        self.heard: list[tuple[bytearray, bytearray]] = []
        self._target = target
        self._listening = listening
        self._threads: list[threading.Thread] = []

    def serve(self) -> None:
        """Pass connections on, until nobody listens any more."""
        while True:
            try:
                caller = self._listening.accept()[0]
            except OSError:
                return
            called = socket.create_connection((_LOOPBACK, self._target))
            asked, answered = bytearray(), bytearray()
            self.heard.append((asked, answered))
            for way in ((caller, called, asked), (called, caller, answered)):
                thread = threading.Thread(target=_pass_on, args=way)
                thread.start()
                self._threads.append(thread)

    def finish(self) -> None:
        """Wait until all connections are over."""
        for thread in self._threads:
            thread.join(_PATIENCE)


def _pass_on(source: socket.socket, target: socket.socket, heard: bytearray) -> None:
    source.settimeout(_PATIENCE)
    try:
        while data := source.recv(1 << 16):
            heard += data
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # either is gone
        target.close()


@contextmanager
def between(target: int) -> Iterator[Between]:
    """Listen before a port until the block is left.

    Parameters
    ----------
    target : int
        The port of loopback that everything is passed on to.
    """
    with socket.create_server((_LOOPBACK, 0)) as listening:
        subject = Between(target, listening)
        serving = threading.Thread(target=subject.serve)
        serving.start()
        try:
            yield subject
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            serving.join()
            subject.finish()

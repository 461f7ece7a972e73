"""Servers that are no DICOM application, or an odd one, on loopback."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Behaviour = Callable[[socket.socket], object]
LISTENS = 5.0  # seconds that a server waits for a client that says nothing


@contextmanager
def serving(behave: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve each connection in its turn until the end of the block.

    Parameters
    ----------
    behave : callable
        Does with a connection what it does; it is closed afterwards.
    tls : SSLContext, optional
        For TLS.

    Yields
    ------
    int
        The port.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            sock, _ = listening.accept()
            sock.settimeout(LISTENS)
            with suppress(OSError):  # ssl.SSLError is one
                if tls is not None:
                    sock = tls.wrap_socket(sock, server_side=True)
                behave(sock)
            sock.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = listening.getsockname()[1]
    try:
        yield port
    finally:
        over.set()
        socket.create_connection(("127.0.0.1", port)).close()  # ends the accept
        thread.join()
        listening.close()


def saying(answer: bytes) -> Behaviour:
    """Take a request, answer it so, and wait for the other side to close."""

    def behave(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(answer)
        silent(sock)

    return behave


def silent(sock: socket.socket) -> None:
    """Read until the other side closes."""
    while sock.recv(65536):
        pass


def closing(sock: socket.socket) -> None:
    """Take a request and hang up."""
    sock.recv(65536)


def web(sock: socket.socket) -> None:
    """Answer what is HTTP; wait for more of what is not."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        more = sock.recv(65536)
        if not more:
            return
        heard += more
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def greeting(text: bytes) -> Behaviour:
    """Speak first, as servers of other protocols do."""

    def behave(sock: socket.socket) -> None:
        sock.sendall(text)
        silent(sock)

    return behave

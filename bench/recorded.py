"""One association with a peer into a server that gives the same answers, at once.

What comes from a peer comes no faster than the peer is. A server that has the peer's bytes in
memory says how fast they can be taken: the requests are the same, so the answers fit them.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOOPBACK = "127.0.0.1"
_RELEASE_RQ, _RELEASE_RP = 0x05, 0x06


def record(port: int, ask: Callable[[int], object]) -> bytes:
    """Return what a peer sends on one association.

    Parameters
    ----------
    port : int
        Where the peer listens.
    ask : callable
        Asks at the port that it is given, over one association.
    """
    said = bytearray()
    with socket.create_server((_LOOPBACK, 0)) as listening:
        between = threading.Thread(target=_record, args=(listening, port, said))
        between.start()
        ask(listening.getsockname()[1])
        between.join()
    return bytes(said)


def _record(listening: socket.socket, port: int, said: bytearray) -> None:
    asking = listening.accept()[0]
    with asking, socket.create_connection((_LOOPBACK, port)) as peer:
        back = threading.Thread(target=_copy, args=(asking, peer, bytearray()))
        back.start()
        _copy(peer, asking, said)
        back.join()


def _copy(source: socket.socket, target: socket.socket, seen: bytearray) -> None:
    while data := source.recv(1 << 16):
        seen += data
        target.sendall(data)
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:  # it is gone already
        return


@contextmanager
def replaying(said: bytes) -> Iterator[int]:
    """Give the same answers to everybody; yields the port.

    Parameters
    ----------
    said : bytes
        What `record` returned.
    """
    with socket.create_server((_LOOPBACK, 0)) as listening:
        threading.Thread(target=_serve, args=(listening, said), daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)  # ends the wait for the next connection


def _serve(listening: socket.socket, said: bytes) -> None:
    accepted = said[: 6 + int.from_bytes(said[2:6])]  # the A-ASSOCIATE-AC
    last = said[-10:]
    if last[0] != _RELEASE_RP:
        raise SystemExit("what was recorded does not end with a release")
    answers = memoryview(said)[len(accepted) : -len(last)]
    while True:
        try:
            connection = listening.accept()[0]
        except OSError:
            return
        with connection, connection.makefile("rb") as file:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for number in range(1 << 16):
                head = file.read(6)
                if len(head) < 6:
                    break
                file.read(int.from_bytes(head[2:6]))
                if head[0] == _RELEASE_RQ:
                    connection.sendall(last)
                elif number == 0:
                    connection.sendall(accepted)
                elif number == 2:  # the request is a command set and an identifier
                    connection.sendall(answers)

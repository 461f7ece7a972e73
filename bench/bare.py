"""The bytes of a benchmark through bare sockets into files: how fast Python can be at all.

A sender and a receiver, each a process, as storescu and storescp are. There is no association, no
command set and nothing is looked at: a header of 12 bytes before each 16 KiB, as a P-DATA-TF has,
which the receiver leaves out; one file for each object; an answer of 100 bytes to each, for which
the sender waits only when 16 are under way. All objects have one size, which is said once.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from pathlib import Path

HEADER, PDU = 12, 16382  # bytes: of a header, and of what is sent with one header
UNDER_WAY = 16  # objects that have no answer yet
ANSWER = b"r" * 100
_SIZE = struct.Struct("<Q")
_READ = 1 << 20


def pieces(view: memoryview, passed: int) -> list[memoryview]:
    """Return what of received bytes is no header.

    Parameters
    ----------
    view : memoryview
        Received bytes, all of one object.
    passed : int
        How many bytes of the object came before.
    """
    found, at, end = [], 0, len(view)
    while at < end:
        into = (passed + at) % PDU
        if into < HEADER:
            at += HEADER - into
            continue
        stop = min(at + PDU - into, end)
        found.append(view[at:stop])
        at = stop
    return found


def wire_length(size: int) -> int:
    """Return how long an object of `size` bytes is with its headers."""
    return size + -(-size // (PDU - HEADER)) * HEADER


def receive(port: int, folder: Path) -> None:
    """Serve one sender after the other, until the process is ended."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        while True:
            connection = listening.accept()[0]
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if size := connection.recv(_SIZE.size):
                    _receive(connection, folder, wire_length(*_SIZE.unpack(size)))


def _receive(connection: socket.socket, folder: Path, length: int) -> None:
    whole = memoryview(bytearray(_READ))
    number = got = 0
    file = -1
    while came := connection.recv_into(whole):
        at = 0
        while at < came:
            if not got:
                file = os.open(folder / "incoming", os.O_WRONLY | os.O_CREAT, 0o666)
            stop = at + min(came - at, length - got)
            os.writev(file, pieces(whole[at:stop], got))
            got += stop - at
            at = stop
            if got == length:
                os.close(file)
                os.rename(folder / "incoming", folder / f"CT.{number}")  # noqa: PTH104 - speed
                connection.send(ANSWER)
                number, got = number + 1, 0


def send(port: int, folder: Path) -> None:
    """Send the files of a folder."""
    with os.scandir(folder) as found:
        paths = [entry.path for entry in found]
    size = Path(paths[0]).stat().st_size
    buffer = memoryview(bytearray(size))
    header, step = bytes(HEADER), PDU - HEADER
    parts: list[bytes | memoryview] = []
    for start in range(0, size, step):
        parts += (header, buffer[start : start + step])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(_SIZE.pack(size))
        answers = 0  # in bytes
        for number, path in enumerate(paths):
            file = os.open(path, os.O_RDONLY)
            os.readv(file, [buffer])
            os.close(file)
            _send_all(connection, parts)
            while number - answers // len(ANSWER) >= UNDER_WAY - 1:
                answers += len(connection.recv(4096))
        while answers < len(paths) * len(ANSWER):
            answers += len(connection.recv(4096))


def _send_all(connection: socket.socket, parts: list[bytes | memoryview]) -> None:
    length = sum(map(len, parts))
    sent = connection.sendmsg(parts)
    if sent < length:
        connection.sendall(memoryview(b"".join(parts))[sent:])


if __name__ == "__main__":
    {"send": send, "receive": receive}[sys.argv[1]](int(sys.argv[2]), Path(sys.argv[3]))

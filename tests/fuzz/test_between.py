"""The port that listens between two programs."""

from __future__ import annotations

import socket
import threading

import pytest

from fuzz.between import between

pytestmark = pytest.mark.socket


def test_both_ways_are_passed_on_and_heard() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as caller:
                while data := caller.recv(100):
                    caller.sendall(data.upper())

        answering = threading.Thread(target=answer)
        answering.start()
        with (
            between(server.getsockname()[1]) as listening,
            socket.create_connection(("127.0.0.1", listening.port)) as calling,
        ):
            calling.sendall(b"echo")
            assert calling.recv(4) == b"ECHO"
            calling.shutdown(socket.SHUT_WR)
        answering.join()
    assert listening.heard == [(bytearray(b"echo"), bytearray(b"ECHO"))]

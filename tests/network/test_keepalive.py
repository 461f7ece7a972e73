"""Turns seconds into what the system does about a peer that is gone, and its errors into words."""

from __future__ import annotations

import errno
import socket
import sys

import pytest

from dicomwire.network.keepalive import MOST, is_late, keep_alive, vanished

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other names elsewhere")


@pytest.fixture
def sock() -> socket.socket:
    return socket.socket()


def settings(sock: socket.socket) -> tuple[int, ...]:
    names = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    return tuple(sock.getsockopt(socket.IPPROTO_TCP, each) for each in names)


@linux
@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(60.0, (30, 10, 3)), (1, (1, 1, 3)), (4, (1, 1, 3)), (100, (49, 17, 3)), (1e9, (MOST,) * 2)],
)
def test_half_of_it_is_silence(
    sock: socket.socket, seconds: float, expected: tuple[int, ...]
) -> None:
    with sock:
        keep_alive(sock, seconds)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert settings(sock)[: len(expected)] == expected


@linux
def test_none_leaves_it_to_the_system(sock: socket.socket) -> None:
    with sock:
        before = settings(sock)
        keep_alive(sock, None)
        assert not sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert settings(sock) == before


def test_a_connection_that_is_closed_is_left_alone(sock: socket.socket) -> None:
    sock.close()
    keep_alive(sock, 60.0)


def test_time_outs_of_ours_are_not_those_of_the_system() -> None:
    theirs = OSError(errno.ETIMEDOUT, "Connection timed out")
    assert isinstance(theirs, TimeoutError)
    assert not is_late(theirs)
    assert is_late(TimeoutError())
    assert is_late(TimeoutError("timed out"))
    assert not is_late(ConnectionResetError())


@pytest.mark.parametrize(
    ("error", "is_told"),
    [
        (OSError(errno.ETIMEDOUT, "Connection timed out"), True),
        (OSError(errno.EHOSTUNREACH, "No route to host"), True),
        (OSError(errno.ECONNRESET, "Connection reset by peer"), False),
        (TimeoutError(), False),
        (None, False),
    ],
)
def test_what_the_system_says_of_it(error: OSError | None, is_told: bool) -> None:
    found = vanished(error)
    assert (found is not None) == is_told
    if found is not None:
        assert error is found.error
        assert "Limits.keepalive" in found.check

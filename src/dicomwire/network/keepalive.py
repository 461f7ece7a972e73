"""A peer whose machine or line is gone without a word into the end of the connection."""

from __future__ import annotations

import contextlib
import errno
import socket

from dicomwire.protocol.errors import Lost

PROBES = 3
MOST = 0x7FFF  # seconds, for Linux
# Half of the time in silence, then the probes: 30 s, 10 s, 3 times for 60 s.
_IDLE = getattr(socket, "TCP_KEEPIDLE", None) or getattr(socket, "TCP_KEEPALIVE", None)  # macOS
_INTERVAL, _COUNT = (getattr(socket, name, None) for name in ("TCP_KEEPINTVL", "TCP_KEEPCNT"))

_GONE = {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN}


def keep_alive(sock: socket.socket, seconds: float | None) -> None:
    """Have the system end a connection whose peer does not even answer the system any more.

    A peer that is only silent does answer. What was sent and is not acknowledged keeps the probes
    back: then the time-outs count, and at last the system's, 15 minutes on Linux.

    Parameters
    ----------
    sock : socket
        Connected.
    seconds : float or None
        `Limits.keepalive`; None leaves it to the system.
    """
    if seconds is None:
        return
    each = min(max(1, round(seconds / 2 / PROBES)), MOST)
    silence = min(max(1, round(seconds) - PROBES * each), MOST)
    settings = ((_IDLE, silence), (_INTERVAL, each), (_COUNT, PROBES))
    with contextlib.suppress(OSError):  # the peer is gone already, or this is no TCP
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in settings:
            if option is not None:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)


def is_late(error: Exception) -> bool:
    """Whether a time-out of ours has passed; that of the system has a number, and is an end."""
    return isinstance(error, TimeoutError) and error.errno is None


def vanished(error: OSError | None) -> Lost | None:
    """Say that a peer cannot be reached any more; None when it is not that."""
    if error is None or error.errno not in _GONE:
        return None
    return Lost(
        f"The peer cannot be reached any more ({error.strerror})",
        error,
        "its machine, and what is between; Limits.keepalive says how soon that is noticed",
    )

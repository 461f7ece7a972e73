"""Ctrl-C during a query into a C-CANCEL, and, when that does not help, an abort."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dicomwire.apps.output import log

GRACE = 3.0  # seconds that a peer has to answer a C-CANCEL


class Interruption:
    """Whether the user has had enough.

    Attributes
    ----------
    happened : bool
        Whether Ctrl-C was pressed.
    """

    def __init__(self) -> None:
        self.happened = False


@contextmanager
def interruptible(
    cancel: Callable[[], None], abort: Callable[[], None], grace: float = GRACE
) -> Iterator[Interruption]:
    """Turn Ctrl-C and SIGTERM into calls, instead of into an exception, until the block's end.

    A thread of its own waits for signals: a signal handler in the main thread could not wait for
    what that thread holds, and would come late when the thread waits for the peer.

    Parameters
    ----------
    cancel : callable
        What the first one calls, from another thread.
    abort : callable
        What the second one calls, or the end of the time.
    grace : float
        Seconds between the first one and the end of the time.
    """
    state = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield state
        return
    ours, signals = socket.socketpair()
    signals.setblocking(False)
    wakeup = signal.set_wakeup_fd(signals.fileno(), warn_on_full_buffer=False)
    before = {each: signal.signal(each, _note) for each in (signal.SIGINT, signal.SIGTERM)}
    watcher = threading.Thread(
        target=_watch, args=(ours, state, cancel, abort, grace), name="Interruptions", daemon=True
    )
    watcher.start()
    try:
        yield state
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        signal.set_wakeup_fd(wakeup)
        signals.close()
        watcher.join()
        ours.close()


def _note(*_: object) -> None:
    """Leave a signal to the thread that waits for it."""


def _watch(
    ours: socket.socket,
    state: Interruption,
    cancel: Callable[[], None],
    abort: Callable[[], None],
    grace: float,
) -> None:
    if not _next(ours):
        return
    state.happened = True
    log.warning("Interrupted: the peer is asked to stop; once more to stop at once")
    cancel()
    ours.settimeout(grace)
    try:
        if not _next(ours):
            return
    except TimeoutError:
        log.warning("The peer has not stopped within %g s", grace)
    abort()


def _next(ours: socket.socket) -> bool:
    """Wait for a signal that means the end; False when there is nothing more to wait for."""
    while number := ours.recv(1):
        if number[0] in (signal.SIGINT, signal.SIGTERM):
            return True
    return False

"""A call into a process of its own, which ends with it."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable

logger = logging.getLogger("dicomwire.server")

# Windows, which cannot fork, has no SIGHUP.
SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


def fork(work: Callable[[], None]) -> int:
    """Do some work in a process that is forked now; return its ID.

    It takes no SIGINT, SIGTERM or SIGHUP, as the one that forked it says what it has to do: a
    Ctrl-C goes to all processes of a terminal, and so does what stops a service.

    Parameters
    ----------
    work : callable
        What to do there; nothing else goes on there, and no `atexit` function is called.

    Raises
    ------
    OSError
        When there can be no further process.
    """
    _flush()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            for each in SIGNALS:  # SIG_IGN would be inherited by programs that a handler starts
                signal.signal(each, leave_it)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if pid == 0:
        _do(work)
    return pid


def leave_it(*_: object) -> None:
    """Leave a signal to somebody else."""


def _do(work: Callable[[], None]) -> None:
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # nothing may go on in what was the parent's code
        logger.exception("A process of a server ends")
    finally:
        _flush()
        os._exit(code)


def _flush() -> None:
    """Write what is buffered, lest both processes do."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()

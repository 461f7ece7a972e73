"""Turns a call into a process: what it does, how it ends, which signals it leaves alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from dicomwire.network.processes import fork

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no system call fork")


def outcome(work: Callable[[], None]) -> int:
    """How a process that does the work ends."""
    _, status = os.waitpid(fork(work), 0)
    return os.waitstatus_to_exitcode(status)


def test_the_work_is_done_elsewhere_and_nothing_goes_on_there() -> None:
    reading, writing = os.pipe()
    assert outcome(lambda: os.write(writing, b"%d" % os.getpid()) and None) == 0
    os.close(writing)
    said = os.read(reading, 100)
    os.close(reading)
    assert int(said) != os.getpid()


def fail() -> None:
    raise SystemExit(7)


def test_what_raises_ends_with_1() -> None:
    assert outcome(fail) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_left_to_the_parent(number: int) -> None:
    assert outcome(lambda: os.kill(os.getpid(), number)) == 0
    assert outcome(lambda: os.kill(os.getpid(), signal.SIGKILL)) == -signal.SIGKILL
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()

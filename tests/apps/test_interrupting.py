"""Signals during a block: what is called, and that all is as before afterwards."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from dicomwire.apps.interrupting import interruptible

pytestmark = pytest.mark.no_socket

WAIT = 20.0


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_without_a_signal_nothing_is_called() -> None:
    before = signal.getsignal(signal.SIGINT)
    calls: list[str] = []
    with interruptible(lambda: calls.append("cancel"), lambda: calls.append("abort")) as state:
        assert signal.getsignal(signal.SIGINT) is not before
    assert (calls, state.happened) == ([], False)
    assert signal.getsignal(signal.SIGINT) is before
    assert "Interruptions" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_one_cancels(number: int) -> None:
    called, aborted = threading.Event(), threading.Event()
    with interruptible(called.set, aborted.set, grace=WAIT) as state:
        os.kill(os.getpid(), number)
        assert called.wait(WAIT)
    assert state.happened
    assert not aborted.is_set()


def test_the_second_one_aborts() -> None:
    called, aborted = threading.Event(), threading.Event()
    with interruptible(called.set, aborted.set, grace=WAIT):
        press()
        assert called.wait(WAIT)
        press()
        assert aborted.wait(WAIT)


def test_a_peer_that_does_not_stop_is_left() -> None:
    aborted = threading.Event()
    with interruptible(lambda: None, aborted.set, grace=0.01):
        press()
        assert aborted.wait(WAIT)


def test_in_another_thread_signals_stay_as_they_are() -> None:
    states: list[bool] = []

    def block() -> None:
        with interruptible(lambda: None, lambda: None) as state:
            states.append(state.happened)

    thread = threading.Thread(target=block)
    thread.start()
    thread.join(WAIT)
    assert states == [False]

"""Threads that go on with the next call, and go when there is none."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from dicomwire.network import threads
from dicomwire.network.threads import IDLE, Threads
from tests.network.ends import until

PATIENCE = 30.0
pytestmark = pytest.mark.no_socket

WHO: ContextVar[str] = ContextVar("who", default="nobody")


@pytest.fixture
def some(monkeypatch: pytest.MonkeyPatch) -> Iterator[Threads]:
    """Threads that stay as long as the test."""
    monkeypatch.setattr(threads, "LINGER", PATIENCE)
    made = Threads()
    yield made
    monkeypatch.setattr(threads, "LINGER", 0.0)
    while made._idle:
        made.begin(int, "goes")


class Called:
    """What calls of these threads saw."""

    def __init__(self, some: Threads) -> None:
        self.threads = some
        self.seen: list[tuple[threading.Thread, str, str]] = []

    def once(self, name: str) -> None:
        """Make a call, and wait until its thread is idle again, or gone."""
        done = threading.Event()

        def work() -> None:
            me = threading.current_thread()
            self.seen.append((me, me.name, WHO.get()))
            WHO.set(name)
            done.set()

        self.threads.begin(work, name)
        assert done.wait(PATIENCE)
        thread = self.seen[-1][0]
        until(lambda: len(self.threads._idle) == 1 or not thread.is_alive())


def test_a_thread_goes_on_with_the_next_call(some: Threads) -> None:
    called = Called(some)
    for name in ("one", "two", "three"):
        called.once(name)
        assert called.seen[-1][0].name == IDLE
    assert len({thread for thread, _, _ in called.seen}) == 1
    assert [(name, who) for _, name, who in called.seen] == [
        ("one", "nobody"),
        ("two", "nobody"),  # a context of its own each time, as in a new thread
        ("three", "nobody"),
    ]


def test_it_goes_when_nothing_comes(some: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    called = Called(some)
    monkeypatch.setattr(threads, "LINGER", 0.001)
    for _ in range(3):
        called.once("one")
        called.seen[-1][0].join(PATIENCE)
    assert len({thread for thread, _, _ in called.seen}) == 3
    assert not called.threads._idle


def test_calls_at_the_same_time_have_threads_of_their_own(some: Threads) -> None:
    together = threading.Barrier(5)
    for _ in range(4):
        some.begin(lambda: together.wait(PATIENCE), "one of four")
    together.wait(PATIENCE)
    until(lambda: len(some._idle) == 4)
    assert not together.broken


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_raises_ends_its_thread_alone(some: Threads) -> None:
    called = Called(some)
    failed: list[threading.Thread] = []

    def fail() -> None:
        failed.append(threading.current_thread())
        raise ValueError("of a handler")

    called.threads.begin(fail, "fails")
    until(lambda: bool(failed))
    failed[0].join(PATIENCE)
    called.once("next")
    assert called.seen[-1][1] == "next"


def test_none_is_lost_between_two_calls(some: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that has waited long enough may be chosen in that very moment."""
    monkeypatch.setattr(threads, "LINGER", 1e-6)
    done = threading.Semaphore(0)
    end = time.monotonic() + 0.2
    count = 0
    while time.monotonic() < end:
        some.begin(lambda: done.release(), "short")
        assert done.acquire(timeout=PATIENCE)
        count += 1
    assert count
    until(lambda: not some._idle)


def test_nothing_of_a_call_stays(some: Threads) -> None:
    called = Called(some)

    class Big:
        """What a call holds."""

    big = Big()
    is_held = weakref.ref(big)
    called.threads.begin(lambda big=big: None, "big")  # type: ignore[misc]
    del big
    until(lambda: is_held() is None)

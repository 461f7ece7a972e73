"""Turns deadlines that move into rings: in time, once, and with few timers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from dicomwire.network.aio import alarm
from dicomwire.network.aio.alarm import Alarm

pytestmark = pytest.mark.no_socket


class Timer:
    """One of the loop's."""

    def __init__(self, fires: float, call: Callable[[], None]) -> None:
        self.fires, self.call = fires, call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """The monotonic clock, and the part of a loop that sets timers by it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[Timer] = []

    def monotonic(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[[], None]) -> Timer:
        assert delay >= 0
        self.timers.append(Timer(self.now + delay, call))
        return self.timers[-1]

    def pass_to(self, when: float) -> None:
        """Let the time come, and what is set for a time until then happen."""
        while due := [each for each in self.waiting() if each.fires <= when]:
            first = min(due, key=lambda timer: timer.fires)
            first.cancelled = True
            self.now = max(self.now, first.fires)
            first.call()
        self.now = when

    def waiting(self) -> list[Timer]:
        return [each for each in self.timers if not each.cancelled]


class Deadline:
    """A deadline, and when it rang."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.when: float | None = None
        self.rings: list[float] = []
        loop = cast(asyncio.AbstractEventLoop, clock)
        self.alarm = Alarm(loop, lambda: self.when, lambda: self.rings.append(clock.now))

    def move(self, when: float | None) -> None:
        self.when = when
        self.alarm.look()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(alarm, "time", clock)
    return clock


def test_it_rings_once_and_when_it_is_due(clock: Clock) -> None:
    deadline = Deadline(clock)
    deadline.move(1010)
    clock.pass_to(1009.9)
    assert deadline.rings == []
    clock.pass_to(2000)
    assert deadline.rings == [1010]
    assert clock.waiting() == []


def test_one_that_has_passed_rings_in_the_next_turn(clock: Clock) -> None:
    deadline = Deadline(clock)
    deadline.move(990)
    assert deadline.rings == []
    clock.pass_to(1000)
    assert deadline.rings == [1000]


def test_a_deadline_that_moves_on_needs_no_timer(clock: Clock) -> None:
    deadline = Deadline(clock)
    for later in range(1000):
        deadline.move(1030 + later / 1000)
    assert len(clock.timers) == 1
    clock.pass_to(1030.5)
    assert deadline.rings == []
    clock.pass_to(1031)
    assert deadline.rings == [1030.999]
    assert len(clock.timers) == 2


def test_one_that_comes_nearer_is_kept(clock: Clock) -> None:
    deadline = Deadline(clock)
    deadline.move(1030)
    deadline.move(1001)
    assert len(clock.waiting()) == 1
    clock.pass_to(1001)
    assert deadline.rings == [1001]
    assert len(clock.timers) == 2


def test_one_that_is_taken_back_or_stopped_does_not_ring(clock: Clock) -> None:
    deadline, other = Deadline(clock), Deadline(clock)
    deadline.move(1001)
    deadline.move(None)
    other.move(1001)
    other.alarm.stop()
    clock.pass_to(2000)
    assert deadline.rings == other.rings == []
    deadline.move(2001)
    other.move(2001)
    clock.pass_to(2001)
    assert deadline.rings == other.rings == [2001]

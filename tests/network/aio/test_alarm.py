"""Turns deadlines that move into rings: in time, once, and with few timers."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from dicomwire.network.aio.alarm import Alarm
from tests.network.aio.loops import asynchronous, soon

pytestmark = pytest.mark.no_socket


class Deadline:
    """A deadline, and the timers that were set for it."""

    def __init__(self) -> None:
        self.when: float | None = None
        self.rings: list[float] = []
        self.timers = 0
        loop = asyncio.get_running_loop()
        self.alarm = Alarm(loop, lambda: self.when, lambda: self.rings.append(time.monotonic()))
        later = loop.call_later

        def counted(*args: Any, **more: Any) -> Any:
            self.timers += getattr(args[1], "__self__", None) is self.alarm
            return later(*args, **more)

        loop.call_later = counted  # type: ignore[method-assign]

    def move(self, seconds: float | None) -> None:
        self.when = None if seconds is None else time.monotonic() + seconds
        self.alarm.look()


@asynchronous
async def test_it_rings_once_and_not_too_early() -> None:
    deadline = Deadline()
    deadline.move(0.02)
    due = deadline.when
    assert due is not None
    await soon(lambda: deadline.rings)
    assert deadline.rings[0] >= due
    await asyncio.sleep(0.03)
    assert len(deadline.rings) == 1


@asynchronous
async def test_a_deadline_that_moves_on_needs_no_timer() -> None:
    deadline = Deadline()
    for _ in range(1000):
        deadline.move(30)
    assert deadline.timers == 1
    deadline.move(None)
    assert deadline.timers == 1
    deadline.alarm.stop()


@asynchronous
async def test_one_that_comes_nearer_is_kept() -> None:
    deadline = Deadline()
    deadline.move(30)
    deadline.move(0.01)
    await soon(lambda: deadline.rings)
    assert deadline.timers == 2


@asynchronous
async def test_one_that_is_taken_back_or_stopped_does_not_ring() -> None:
    deadline = Deadline()
    deadline.move(0.01)
    deadline.when = None
    other = Deadline()
    other.move(0.01)
    other.alarm.stop()
    await asyncio.sleep(0.03)
    assert deadline.rings == other.rings == []

"""A timer with a clock that the test turns."""

from __future__ import annotations

import pytest

from dicomwire.compat import timer
from dicomwire.compat.timer import Timer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(timer, "monotonic", lambda: now[0])
    return now


def test_it_counts_down_from_its_start(clock: list[float]) -> None:
    watch = Timer(5)
    clock[0] += 10
    assert (watch.expired, watch.remaining) == (False, 5)
    watch.start()
    clock[0] += 4
    assert (watch.expired, watch.remaining) == (False, 1)
    clock[0] += 2
    assert (watch.expired, watch.remaining) == (True, -1)
    watch.restart()
    assert not watch.expired


def test_a_stopped_one_stays_where_it_is(clock: list[float]) -> None:
    watch = Timer(5)
    watch.start()
    clock[0] += 2
    watch.stop()
    clock[0] += 100
    assert (watch.expired, watch.remaining) == (False, 3)


def test_without_a_time_out_it_never_expires(clock: list[float]) -> None:
    watch = Timer(None)
    watch.start()
    clock[0] += 1e9
    assert (watch.expired, watch.remaining, watch.timeout) == (False, 1, None)
    watch.timeout = 1
    assert watch.expired

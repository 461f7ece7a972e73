"""Turns failures into refusals for a while, under a clock of the test's own."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from dicomwire.network.attempts import SIZE, Attempts

pytestmark = pytest.mark.no_socket

PEER, OTHER = "192.0.2.1", "192.0.2.2"
MOST = 6  # a minute: one in ten seconds


class Guesses:
    """Attempts, and what time it is."""

    def __init__(self, **more: Any) -> None:
        self.now = 1000.0
        self.attempts = Attempts(clock=lambda: self.now, **more)

    def fail(self, count: int, host: str = PEER) -> int:
        """So many failures at once; tell how many were tried."""
        return sum(self.attempts.begin(host, MOST) for _ in range(count))

    def succeed(self, count: int, host: str = PEER) -> int:
        """So many that pass; tell how many were tried."""
        tried = 0
        for _ in range(count):
            if self.attempts.begin(host, MOST):
                tried += 1
                self.attempts.passed(host, MOST)
        return tried


@pytest.fixture
def guesses() -> Guesses:
    return Guesses()


def test_so_many_may_fail_and_one_more_when_a_part_of_a_minute_is_over(guesses: Guesses) -> None:
    assert guesses.fail(1000) == MOST
    guesses.now += 9.9
    assert guesses.fail(10) == 0
    guesses.now += 0.2
    assert guesses.fail(10) == 1
    guesses.now += 61.0
    assert guesses.fail(1000) == MOST


def test_who_is_refused_does_not_wait_longer_for_it(guesses: Guesses) -> None:
    guesses.fail(MOST)
    for _ in range(100):
        guesses.now += 0.1
        guesses.fail(1)
    assert guesses.succeed(1) == 0  # the one that came free was used by a failure at 10 s
    guesses.now += 10.0
    assert guesses.succeed(5) == 5


def test_what_passes_costs_nothing(guesses: Guesses) -> None:
    assert guesses.succeed(10_000) == 10_000
    assert guesses.fail(10) == MOST
    assert guesses.succeed(1) == 0


def test_many_at_once_are_no_more_than_one_after_the_other(guesses: Guesses) -> None:
    tried = [guesses.attempts.begin(PEER, MOST) for _ in range(100)]  # nobody has answered yet
    assert sum(tried) == MOST
    for _ in range(MOST):
        guesses.attempts.passed(PEER, MOST)
    assert guesses.fail(100) == MOST


def test_others_may_try(guesses: Guesses) -> None:
    guesses.fail(1000)
    assert guesses.fail(1000, OTHER) == MOST
    assert guesses.succeed(1, "::1") == 1


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1", True),
        ("somewhere", "elsewhere", False),
    ],
)
def test_which_addresses_are_one(guesses: Guesses, one: str, other: str, are_one: bool) -> None:
    guesses.fail(MOST, one)
    assert (guesses.fail(1, other) == 0) is are_one


def test_among_ever_so_many_who_fails_most_is_remembered(guesses: Guesses) -> None:
    guesses.fail(MOST)
    for number in range(10_000):
        guesses.now += 0.0001
        guesses.fail(1, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert guesses.fail(1) == 0
    assert len(guesses.attempts._memory) == SIZE


def test_processes_count_together() -> None:
    memory = memoryview(bytearray(SIZE))
    one, other = Guesses(memory=memory), Guesses(memory=memory)
    assert one.fail(4) == 4
    assert other.fail(4) == 2
    assert one.fail(1) == 0


def test_threads_count_together(guesses: Guesses) -> None:
    tried: list[int] = []
    threads = [threading.Thread(target=lambda: tried.append(guesses.fail(200))) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum(tried) == MOST

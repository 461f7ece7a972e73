"""Turns many connections that come to nothing into few lines, and loses none of them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest

from dicomwire.network.refusals import (
    IN_FULL,
    LONGEST,
    MOST,
    SUMS,
    Refusals,
    peer_text,
    tell_refused,
)

pytestmark = pytest.mark.no_socket

PEER, OTHER = "192.0.2.1", "192.0.2.2"


class Scan:
    """Refusals under a clock of the test's own, and what is planned for later."""

    def __init__(self) -> None:
        self.now = 100.0
        self.planned: list[tuple[float, Callable[[], None]]] = []
        self.refusals = Refusals(self.plan, lambda: self.now)

    def plan(self, seconds: float, call: Callable[[], None]) -> None:
        self.planned.append((self.now + seconds, call))

    def knock(self, count: int, address: str = PEER, reason: str = "closed") -> int:
        """So many connections; tell how many of them get a line."""
        return sum(self.refusals.is_told(address, reason) for _ in range(count))

    def go_on(self, seconds: float) -> None:
        """Let time pass, and what is due happen."""
        self.now += seconds
        due = [call for when, call in self.planned if when <= self.now]
        self.planned = [each for each in self.planned if each[0] > self.now]
        for call in due:
            call()


@pytest.fixture
def scan() -> Scan:
    return Scan()


def test_few_get_lines_of_their_own_and_nothing_is_planned(scan: Scan) -> None:
    for _ in range(10):
        assert scan.knock(IN_FULL) == IN_FULL
        scan.go_on(1.0)
    assert scan.planned == []


def test_of_many_the_first_get_lines_and_the_others_one_a_second(
    scan: Scan, caplog: pytest.LogCaptureFixture
) -> None:
    assert scan.knock(100) == IN_FULL
    scan.go_on(0.4)
    assert scan.knock(5) == 0
    assert caplog.messages == []
    scan.go_on(0.6)
    assert caplog.messages == ["95 more connections from 192.0.2.1 in the last second: closed"]
    assert caplog.records[0].levelname == "WARNING"
    assert scan.knock(1) == 0  # it goes on
    scan.go_on(1.0)
    assert caplog.messages[1:] == ["1 more connections from 192.0.2.1 in the last second: closed"]
    assert scan.planned == []
    scan.go_on(1.0)  # a second of peace
    assert scan.knock(20) == IN_FULL
    scan.go_on(7.2)  # whoever says it was busy
    assert caplog.messages[2:] == [
        "10 more connections from 192.0.2.1 in the last 7 seconds: closed"
    ]


def test_addresses_and_reasons_are_told_apart(scan: Scan, caplog: pytest.LogCaptureFixture) -> None:
    assert scan.knock(IN_FULL + 2) == IN_FULL
    assert scan.knock(IN_FULL + 1, OTHER) == IN_FULL
    assert scan.knock(IN_FULL + 3, PEER, "unknown\nPDU") == IN_FULL
    scan.go_on(1.0)
    assert caplog.messages == [
        "3 more connections from 192.0.2.1 in the last second: unknown\\nPDU",
        "2 more connections from 192.0.2.1 in the last second: closed",
        "1 more connections from 192.0.2.2 in the last second: closed",
    ]


def test_of_ever_so_many_addresses_none_is_lost_and_few_are_kept(
    scan: Scan, caplog: pytest.LogCaptureFixture
) -> None:
    told = 0
    for number in range(3 * MOST):
        told += scan.knock(2, f"192.0.2.{number}", "x" * 9 * LONGEST)
    told += scan.knock(1000)
    refusals = scan.refusals
    assert len(refusals._told) + len(refusals._counted) <= MOST + 1
    scan.go_on(1.0)
    assert told + summed_up(caplog.messages) == 6 * MOST + 1000
    assert len(caplog.messages) <= SUMS + 1


def summed_up(lines: list[str]) -> int:
    found = [re.match(r"(\d+) more connections from ", line) for line in lines]
    return sum(int(each[1]) for each in found if each)


def test_the_end_says_what_is_left_and_after_it_each_gets_a_line(
    scan: Scan, caplog: pytest.LogCaptureFixture
) -> None:
    scan.knock(IN_FULL + 7)
    scan.refusals.close()
    assert summed_up(caplog.messages) == 7
    scan.go_on(1.0)  # what was planned finds nothing to say
    assert len(caplog.messages) == 1
    assert scan.knock(100) == 100


def test_who_has_nobody_to_say_sums_later_says_each_line() -> None:
    refusals = Refusals()
    assert all(refusals.is_told(PEER, "closed") for _ in range(1000))


def test_where_nothing_can_be_planned_each_gets_a_line() -> None:
    def plan(seconds: float, call: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    refusals = Refusals(plan)
    assert all(refusals.is_told(PEER, "closed") for _ in range(100))


def test_threads_lose_none(caplog: pytest.LogCaptureFixture) -> None:
    refusals, told = Refusals(lambda seconds, call: None), [0] * 4
    going = threading.Barrier(5)

    def knock(number: int) -> None:
        going.wait()
        told[number] = sum(refusals.is_told(PEER, "closed") for _ in range(3000))

    threads = [threading.Thread(target=knock, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    going.wait()
    for _ in range(200):
        refusals.sum_up()
    for each in threads:
        each.join()
    refusals.close()
    assert sum(told) + summed_up(caplog.messages) == 12_000


def test_a_title_cannot_begin_a_line(caplog: pytest.LogCaptureFixture) -> None:
    assert peer_text("192.0.2.1", 104, "A\nB") == "192.0.2.1 port 104 (A\\nB)"
    peer = {"address": None, "port": None, "ae_title": "A\nB"}
    tell_refused(peer, "it is", "Limits.x")
    assert caplog.messages == ["? port 0 (A\\nB) is refused: it is. Setting: Limits.x"]

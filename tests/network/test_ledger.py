"""Turns associations of several processes into places."""

from __future__ import annotations

import os

import pytest

from dicomwire.network.ledger import Ledger, SharedPlaces

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no system call fork")


def test_an_address_has_only_so_many_of_all_workers() -> None:
    ledger = Ledger(2)
    one, other = SharedPlaces(ledger, 0), SharedPlaces(ledger, 1)
    assert one.claim(1, 9, "a", 2)
    assert other.claim(1, 9, "a", 2)
    assert not one.claim(2, 9, "a", 2)
    assert one.claim(2, 9, "b", 2)
    other.free(1)
    assert one.claim(3, 9, "a", 2)
    assert not other.claim(1, 9, "a", 2)
    ledger.forget(0)  # it died, with both
    assert other.claim(1, 9, "a", 2)
    assert other.count == 1


def test_workers_share_them() -> None:
    ledger = Ledger(2)
    one, other = SharedPlaces(ledger, 0), SharedPlaces(ledger, 1)
    assert [one.claim(1, 3), other.claim(1, 3), other.claim(2, 3)] == [True] * 3
    assert not one.claim(2, 3)
    assert list(ledger.held) == [1, 2]
    other.free(1)
    assert one.claim(2, 3)
    ledger.forget(0)  # it died, with both of its own
    assert other.claim(3, 3)
    assert list(ledger.held) == [0, 2]
    for _ in range(3):
        other.ended()
    assert list(ledger.ended) == [0, 3]


def test_none_is_given_twice() -> None:
    """Processes claim as fast as they can: the places are just taken up."""
    ledger, limit = Ledger(4), 20_000
    waiting, start = os.pipe()
    children = []
    for number in range(4):
        pid = os.fork()
        if pid == 0:
            os.close(start)
            places = SharedPlaces(ledger, number)
            os.read(waiting, 1)  # all begin when the other end is closed
            for who in range(limit):
                places.claim(who, limit)
            os._exit(0)
        children.append(pid)
    os.close(start)
    for pid in children:
        os.waitpid(pid, 0)
    os.close(waiting)
    assert sum(ledger.held) == limit

"""Turns associations into places, in one process and in several."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dicomwire.network.places import Ledger, Places, SharedPlaces

several = pytest.mark.skipif(not hasattr(os, "fork"), reason="no system call fork")


@pytest.fixture
def switching() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_there_are_only_so_many() -> None:
    places = Places()
    assert [places.claim(who, 2) for who in (1, 2, 3)] == [True, True, False]
    places.free(3)  # it has none
    assert not places.claim(3, 2)
    places.free(1)
    assert places.claim(3, 2)


def test_an_address_has_only_so_many() -> None:
    places = Places()
    assert [places.claim(who, 9, "one", 2) for who in (1, 2, 3)] == [True, True, False]
    assert places.claim(4, 9, "other", 2)
    places.free(1)
    assert places.claim(3, 9, "one", 2)
    assert not places.claim(5, 9, "one", 2)
    assert places.claim(5, 9, "one")  # who has no limit takes one


@several
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


@several
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


@several
def test_none_is_given_twice(switching: None) -> None:
    """Threads of several processes claim as fast as they can: the places are just taken up."""
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
    places = Places()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda who: places.claim(who, 50), range(400))) == 50

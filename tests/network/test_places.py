"""Turns associations into places."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dicomwire.network.places import Places


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


def test_none_is_given_twice(switching: None) -> None:
    """Threads claim as fast as they can: the places are just taken up."""
    places = Places()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda who: places.claim(who, 50), range(400))) == 50

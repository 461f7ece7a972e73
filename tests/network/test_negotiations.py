"""Turns connections without an association into those that stay and those that make room."""

from __future__ import annotations

import pytest

from dicomwire.network.negotiations import Negotiations

pytestmark = pytest.mark.no_socket


class Calls:
    """Connections by number, and which of them were given up."""

    def __init__(self) -> None:
        self.callers = Negotiations()
        self.gone: list[int] = []
        self.settings: list[str] = []

    def begin(self, who: int, address: str, most: int = 3) -> None:
        def drop(setting: str) -> None:
            self.gone.append(who)
            self.settings.append(setting)

        self.callers.begin(who, address, drop, most)


def test_the_oldest_of_the_address_with_the_most_makes_room() -> None:
    calls = Calls()
    calls.begin(1, "quiet")
    for who in (2, 3):
        calls.begin(who, "noisy")
    assert calls.gone == []
    calls.begin(4, "other")
    assert calls.gone == [2]
    calls.begin(5, "other")  # all have one: the first of them
    assert calls.gone == [2, 1]
    calls.begin(6, "other")
    assert calls.gone == [2, 1, 4]
    assert calls.settings == ["negotiations"] * 3


def test_who_has_an_association_makes_no_room() -> None:
    calls = Calls()
    for who in (1, 2, 3):
        calls.begin(who, "one")
        calls.callers.end(who)
        calls.callers.end(who)
    calls.begin(4, "one")
    assert calls.callers.hold(1, 10**9, 1)  # its request is not on its way any more
    assert calls.gone == []


def test_the_longest_request_goes_for_a_shorter_one() -> None:
    calls = Calls()
    for who in (1, 2, 3):
        calls.begin(who, "one", most=9)
    assert calls.callers.hold(1, 600, 1000)
    assert calls.callers.hold(2, 300, 1000)
    assert not calls.callers.hold(3, 700, 1000)  # it would be the longest
    assert calls.gone == []
    assert calls.callers.hold(3, 400, 1000)
    assert calls.gone == [1]
    assert calls.settings == ["negotiation_memory"]
    assert not calls.callers.hold(3, 1001, 1000)  # alone, too
    assert calls.gone == [1]

"""Threads that come with work and go without."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from dicomwire.network import hands
from dicomwire.network.hands import MOST, Hands

PATIENCE = 30.0
pytestmark = pytest.mark.no_socket


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(hands, "LINGER", 0.01)
    yield
    for thread in mine():
        thread.join(PATIENCE)
    assert mine() == []


def mine() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "dicomwire hand"]


def test_all_is_done_by_a_few_and_close_waits_for_it() -> None:
    done: list[int] = []
    some = Hands()
    tasks = [some.begin(lambda number=number: done.append(number)) for number in range(100)]  # type: ignore[misc]
    assert len(mine()) <= MOST
    for task in tasks:
        task.close()
    assert sorted(done) == list(range(100))


def test_they_work_at_the_same_time() -> None:
    together = threading.Barrier(MOST)
    some = Hands()
    tasks = [some.begin(lambda: void(together.wait(PATIENCE))) for _ in range(MOST)]
    for task in tasks:
        task.close()
    assert not together.broken


def test_there_are_new_ones_when_the_others_are_gone() -> None:
    some, done = Hands(), list[int]()
    for number in range(3):
        some.begin(lambda number=number: done.append(number)).close()  # type: ignore[misc]
        for thread in mine():
            thread.join(PATIENCE)
    assert done == [0, 1, 2]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_close_does_not_wait_for_what_failed() -> None:
    def fail() -> None:
        raise ValueError

    Hands().begin(fail).close()


def void(_: object) -> None:
    """Forget a value."""

"""Responses to C-GET and C-MOVE into counts, lines and exit codes."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from dicomwire.apps.asking import Answer
from dicomwire.apps.exits import Exit
from dicomwire.apps.retrieving import Counts, Retrieval, failed_instances

pytestmark = pytest.mark.no_socket

GET = "1.2.840.10008.5.1.4.1.2.2.3"
PENDING, SUCCESS, WITH_FAILURES, CANCELLED, UNABLE = 0xFF00, 0x0000, 0xB000, 0xFE00, 0xC000


def status(code: int, **counts: int) -> Dataset:
    made = Dataset()
    made.Status = code
    for name, number in counts.items():
        setattr(made, f"NumberOf{name.capitalize()}Suboperations", number)
    return made


def answer(code: int | None, *failed: str, interrupted: bool = False, **counts: int) -> Answer:
    said = Dataset() if code is None else status(code, **counts)
    identifier = Dataset()
    if failed:
        identifier.FailedSOPInstanceUIDList = list(failed)
    return Answer("C-GET", GET, said, identifier, interrupted)


def concluded(retrieval: Retrieval, caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.clear()
    with caplog.at_level("INFO", "dicomwire.apps"):
        retrieval.conclude()
    return [each.message for each in caplog.records]


def test_numbers_that_a_response_does_not_give_stay() -> None:
    counts = Counts()
    counts.update(status(PENDING, remaining=3, completed=1, failed=1, warning=1), last=False)
    assert (counts.done, counts.remaining) == (3, 3)
    counts.update(status(PENDING, completed=2), last=False)
    assert (counts.completed, counts.failed, counts.remaining) == (2, 1, 3)


@pytest.mark.parametrize(
    ("last", "completed", "remaining"),
    [
        (status(SUCCESS), 3, 0),
        (status(SUCCESS, completed=2), 2, 0),
        (status(CANCELLED, remaining=2, completed=1), 1, 2),
        (status(UNABLE), 1, 0),
    ],
)
def test_a_last_response_without_numbers(last: Dataset, completed: int, remaining: int) -> None:
    counts = Counts(remaining=2, completed=1)
    counts.update(last, last=True)
    assert (counts.completed, counts.remaining) == (completed, remaining)


@pytest.mark.parametrize(
    ("last", "to_be_cancelled", "code"),
    [
        (answer(SUCCESS, completed=1), False, Exit.DONE),
        (answer(SUCCESS, completed=1, failed=1), False, Exit.FAILED),
        (answer(WITH_FAILURES, "1.2", completed=1, failed=1), False, Exit.FAILED),
        (answer(WITH_FAILURES, completed=1, warning=1), False, Exit.DONE),
        (answer(UNABLE), False, Exit.FAILED),
        (answer(CANCELLED, remaining=1), False, Exit.FAILED),
        (answer(CANCELLED, remaining=1), True, Exit.DONE),
        (answer(CANCELLED, interrupted=True), False, Exit.INTERRUPTED),
        (answer(None), False, Exit.ENDED_EARLY),
        (answer(None, interrupted=True), False, Exit.INTERRUPTED),
    ],
)
def test_exit_codes(last: Answer, to_be_cancelled: bool, code: Exit) -> None:
    retrieval = Retrieval("received", to_be_cancelled)
    retrieval.begin()
    assert retrieval.end(last) is code


def test_the_bar_is_told_how_many_are_done() -> None:
    retrieval, shown = Retrieval("received"), []
    retrieval.show = lambda done, total: shown.append((done, total))
    retrieval.begin()
    retrieval.pending(answer(PENDING, remaining=3, completed=0, failed=1, warning=0))
    retrieval.pending(answer(PENDING, remaining=2, completed=1, failed=1, warning=0))
    assert shown == [(1, 4), (2, 4)]


def test_the_conclusion_sums_up_and_names_what_failed(caplog: pytest.LogCaptureFixture) -> None:
    retrieval = Retrieval("received")
    some_failed = answer(WITH_FAILURES, "1.2", "1.3", completed=1, warning=1, failed=2)
    for last in (answer(SUCCESS, completed=3), some_failed):
        retrieval.begin()
        retrieval.end(last)
    assert retrieval.any_failed
    assert concluded(retrieval, caplog) == [
        "Failed: instance 1.2",
        "Failed: instance 1.3",
        "5 received, 1 of them with a warning, 2 failed",
    ]


def test_not_too_many_are_named(caplog: pytest.LogCaptureFixture) -> None:
    retrieval = Retrieval("received")
    retrieval.begin()
    retrieval.end(answer(WITH_FAILURES, *(f"1.{n}" for n in range(12)), failed=12))
    lines = concluded(retrieval, caplog)
    assert len(lines) == 12
    assert lines[-2:] == ["and 2 more instances", "0 received, 12 failed"]


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (answer(SUCCESS), "0 received: the peer found nothing that matches"),
        (answer(UNABLE), "0 received"),
        (answer(CANCELLED, completed=2, remaining=4), "2 received, 4 not tried"),
    ],
)
def test_other_conclusions(last: Answer, said: str, caplog: pytest.LogCaptureFixture) -> None:
    retrieval = Retrieval("received")
    retrieval.begin()
    retrieval.end(last)
    assert concluded(retrieval, caplog) == [said]


def test_failed_instances() -> None:
    assert failed_instances(None) == []
    assert failed_instances(Dataset()) == []
    one = Dataset()
    one.FailedSOPInstanceUIDList = []
    assert failed_instances(one) == []
    one.FailedSOPInstanceUIDList = "1.2"
    assert failed_instances(one) == ["1.2"]
    one.FailedSOPInstanceUIDList = ["1.2", "1.3"]
    assert failed_instances(one) == ["1.2", "1.3"]

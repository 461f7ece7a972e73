"""Turns C-FIND requests into the responses of handlers that yield what they like, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire.dataset.codec import decode, encode
from dicomwire.protocol.command import Command
from dicomwire.protocol.messages import Memory
from dicomwire.protocol.pdus import Abort
from dicomwire.services import scp
from dicomwire.services.association import abort
from dicomwire.services.wants import END, Call, Flush, Next
from tests.protocol import pairs
from tests.protocol.pairs import EXPLICIT, feed
from tests.services.stage import Side, associated_for, message, said

PATIENT_ROOT = "1.2.840.10008.5.1.4.1.2.1.1"
RELEVANT_PATIENT = "1.2.840.10008.5.1.4.37.1"
REPOSITORY = "1.2.840.10008.5.1.4.1.1.201.6"
UPS_PUSH, UPS_PULL = "1.2.840.10008.5.1.4.34.6.1", "1.2.840.10008.5.1.4.34.6.3"
PRIVATE = "1.2.826.0.1.3680043.9.9999.1"
FIND: Command = {"CommandField": 0x0020, "MessageID": 5, "Priority": 2}


def match(name: str = "A^B", **elements: Any) -> Dataset:
    dataset = Dataset()
    dataset.PatientName = name
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


class Identifier(Memory):
    """The identifier of a request, which knows how often it was dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.write([memoryview(encode(match("A*"), EXPLICIT))])
        self.discarded = 0

    def discard(self) -> None:
        self.discarded += 1


def found(
    handler: Callable[..., Any] | None, sop_class: str = PATIENT_ROOT, context: str = ""
) -> list[tuple[Command, Dataset | None]]:
    """What a request is answered with when a handler is bound."""
    _, acceptor = associated_for(context or sop_class)
    identifier = Identifier()
    asked = message(1, {**FIND, "AffectedSOPClassUID": sop_class}, identifier)
    side = Side(acceptor, scp.answer(acceptor, asked), {"EVT_C_FIND": handler} if handler else {})
    side.advance()
    side.flush()
    assert side.done
    assert side.error is None
    assert identifier.discarded == 1
    answers = said(side)
    for command, _data in answers:
        assert command["CommandField"] == 0x8020
        assert command["MessageIDBeingRespondedTo"] == 5
        assert command["AffectedSOPClassUID"] == sop_class
    return [(command, decode(data, EXPLICIT) if data else None) for command, data in answers]


def statuses(handler: Callable[..., Any] | None, sop_class: str = PATIENT_ROOT) -> list[int]:
    return [command["Status"] for command, _ in found(handler, sop_class)]


def yielding(*values: Any) -> Callable[..., Iterator[Any]]:
    def handler(message: Any) -> Iterator[Any]:
        yield from values

    return handler


@pytest.mark.parametrize("sop_class", [PATIENT_ROOT, UPS_PUSH, PRIVATE])
@pytest.mark.parametrize("pending", [0xFF00, 0xFF01])
def test_each_match_is_a_response_and_success_comes_last(sop_class: str, pending: int) -> None:
    answers = found(yielding((pending, match("A")), (pending, match("B"))), sop_class)
    assert [command["Status"] for command, _ in answers] == [pending, pending, 0x0000]
    names = [dataset and str(dataset.PatientName) for _, dataset in answers]
    assert names == ["A", "B", None]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([(0xFF00, match("A"))], [0xFF00, 0x0000]),
        ([(0xFF00, match("A")), (0xFF00, match("B"))], [0xFF00, 0x0000]),
        ([(0xFF00, match("A")), (0xC200, None)], [0xFF00, 0xC200]),
        ([(0xC100, None)], [0xC100]),
        ([], [0x0000]),
    ],
    ids=["one", "two", "one, then a failure", "more than one found", "none"],
)
def test_relevant_patient_information_has_one_match_at_most(values: Any, expected: Any) -> None:
    assert statuses(yielding(*values), RELEVANT_PATIENT) == expected


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (None, [0xC311]),
        (lambda message: None, [0x0000]),
        (lambda message: [], [0x0000]),
        (lambda message: [(0xFF00, match())], [0xFF00, 0x0000]),
        (lambda message: ((0xFF00, match()),), [0xFF00, 0x0000]),
        (lambda message: 0xFF00, [0xC311]),
        (yielding(), [0x0000]),
        (yielding(0xFF00), [0xC311]),
        (yielding(None), [0xC311]),
        (yielding((0xFF00, match(), 7)), [0xC311]),
        (yielding([0xFF00, match()]), [0xFF00, 0x0000]),
        (yielding((0xFF00, match()), "match"), [0xFF00, 0xC311]),
    ],
    ids=["unbound", "None", "empty list", "list", "tuple", "number", "nothing", "a bare status",
         "yields None", "too many", "a list each", "wrong later"],
)  # fmt: skip
@pytest.mark.box("7.16")
def test_the_shape_of_what_a_handler_gives(handler: Any, expected: list[int]) -> None:
    assert statuses(handler) == expected


@pytest.mark.parametrize("first", [True, False])
def test_a_handler_that_raises_ends_with_a_failure(first: bool) -> None:
    def handler(message: Any) -> Iterator[Any]:
        if not first:
            yield 0xFF00, match()
        raise KeyError("of a handler")

    assert statuses(handler) == ([] if first else [0xFF00]) + [0xC311]


def test_a_handler_that_is_no_generator_may_raise_too() -> None:
    def handler(message: Any) -> Any:
        raise KeyError("of a handler")

    assert statuses(handler) == [0xC311]


@pytest.mark.parametrize(
    "last", [0x0000, 0xFE00, 0xA700, 0xA900, 0xC123, 0x0122, 0x1234, 0xFFFF], ids=hex
)
def test_a_status_that_is_neither_pending_nor_a_warning_is_the_last(last: int) -> None:
    answers = found(yielding((0xFF00, match()), (last, match()), (0xFF00, match())))
    assert [command["Status"] for command, _ in answers] == [0xFF00, last]
    assert answers[-1][1] is None


def test_a_warning_is_sent_and_matches_go_on() -> None:
    values = (0xFF00, match()), (0xB001, None), (0xFF00, match())
    assert statuses(yielding(*values), REPOSITORY) == [0xFF00, 0xB001, 0xFF00, 0x0000]


def test_what_explains_a_status_goes_along() -> None:
    status = Dataset()
    status.Status, status.ErrorComment, status.OffendingElement = 0xA900, "no level", 0x00080052
    status.PatientName = "of no response"
    [(command, _)] = found(yielding((status, None)))
    assert command["Status"] == 0xA900
    assert command["ErrorComment"] == "no level"
    assert command["OffendingElement"] == [0x00080052]


@pytest.mark.parametrize(
    ("status", "expected"), [(Dataset(), 0xC001), ("0000", 0xC002), (None, 0xC002), (-1, 0xC002)]
)
def test_a_status_that_is_none(status: Any, expected: int) -> None:
    assert statuses(yielding((status, match()), (0xFF00, match()))) == [expected]


def unencodable() -> Dataset:
    dataset = Dataset()
    dataset.add_new(0x00280010, "US", "many")
    return dataset


@pytest.mark.filterwarnings("ignore:A value of type")
@pytest.mark.parametrize("identifier", [None, Dataset(), "match", unencodable()],
                         ids=["None", "empty", "text", "unencodable"])  # fmt: skip
def test_a_pending_match_that_cannot_be_sent_ends_the_query(identifier: Any) -> None:
    values = (0xFF00, match()), (0xFF00, identifier), (0xFF00, match())
    answers = found(yielding(*values))
    assert [command["Status"] for command, _ in answers] == [0xFF00, 0xC312]
    assert answers[-1][0]["ErrorComment"]


def test_a_match_may_be_encoded_already() -> None:
    handler = yielding((0xFF00, encode(match("Encoded^Already"), EXPLICIT)), (0xFF00, b""))
    (first, data), (last, none) = found(handler)
    assert (first["Status"], data.PatientName if data else "") == (0xFF00, "Encoded^Already")
    assert (last["Status"], none) == (0xC312, None)


def test_a_handler_is_closed_when_no_more_is_wanted() -> None:
    closed: list[bool] = []

    def handler(message: Any) -> Iterator[Any]:
        try:
            yield 0xA700, None
        finally:
            closed.append(True)

    assert statuses(handler) == [0xA700]
    assert closed == [True]


def test_a_procedure_step_is_asked_for_over_the_context_of_another() -> None:
    answers = found(yielding((0xFF00, match())), UPS_PUSH, context=UPS_PULL)
    assert [command["Status"] for command, _ in answers] == [0xFF00, 0x0000]


def test_other_sop_classes_need_a_context_of_their_own() -> None:
    _, acceptor = associated_for(PATIENT_ROOT)
    asked = message(1, {**FIND, "AffectedSOPClassUID": REPOSITORY}, Identifier())
    side = Side(acceptor, scp.answer(acceptor, asked))
    side.advance()
    assert [command["Status"] for command, _ in said(side)] == [0x0122]
    assert side.heard == []


@pytest.mark.parametrize("missing", ["class", "identifier"])
@pytest.mark.box("7.17")
def test_a_request_that_lacks_something_is_answered(missing: str) -> None:
    _, acceptor = associated_for(PATIENT_ROOT)
    uid = {} if missing == "class" else {"AffectedSOPClassUID": PATIENT_ROOT}
    asked = message(1, {**FIND, **uid}, None if missing == "identifier" else Identifier())
    side = Side(acceptor, scp.answer(acceptor, asked))
    side.advance()
    assert [command["Status"] for command, _ in said(side)] == [0x0120]
    assert side.heard == []


# -- cancel and abort ------------------------------------------------------------------------

CANCEL: Command = {"CommandField": 0x0FFF, "MessageIDBeingRespondedTo": 5}


def arriving(number: int = 5) -> bytes:
    command = {**FIND, "MessageID": number, "AffectedSOPClassUID": PATIENT_ROOT}
    return pairs.message(1, command, encode(match("A*"), EXPLICIT))


@pytest.mark.parametrize("at_once", [True, False])
def test_a_cancel_is_seen_without_being_waited_for(at_once: bool) -> None:
    _, acceptor = associated_for(PATIENT_ROOT)

    def handler(message: Any) -> Iterator[Any]:
        for _ in range(5):
            if message.command["MessageID"] in acceptor.cancelled:
                yield 0xFE00, None
                return
            yield 0xFF00, match()
            feed(acceptor, pairs.message(1, CANCEL))

    side = Side(acceptor, scp.serve(acceptor), {"EVT_C_FIND": handler})
    side.advance()
    feed(acceptor, arriving() + (pairs.message(1, CANCEL) if at_once else b""))
    side.advance()
    answers = [command["Status"] for command, _ in said(side)]
    assert answers == ([] if at_once else [0xFF00]) + [0xFE00]
    assert acceptor.cancelled == set()
    assert not side.done


def test_a_cancel_from_before_is_not_for_the_next_request_of_that_number() -> None:
    _, acceptor = associated_for(PATIENT_ROOT)
    seen: list[bool] = []

    def handler(message: Any) -> Any:
        seen.append(5 in acceptor.cancelled)

    side = Side(acceptor, scp.serve(acceptor), {"EVT_C_FIND": handler})
    side.advance()
    feed(acceptor, pairs.message(1, CANCEL) + arriving())
    side.advance()
    assert seen == [False]


def test_cancels_of_nothing_take_no_room_and_hide_no_later_one() -> None:
    _, acceptor = associated_for(PATIENT_ROOT)
    for number in range(1000):
        feed(acceptor, pairs.message(1, {**CANCEL, "MessageIDBeingRespondedTo": number}))
        assert number in acceptor.cancelled
    assert len(acceptor.cancelled) <= 100
    assert not acceptor.events


@pytest.mark.parametrize("by_peer", [True, False])
def test_nothing_is_sent_once_the_association_is_aborted(by_peer: bool) -> None:
    _, acceptor = associated_for(PATIENT_ROOT)
    closed: list[bool] = []

    def handler(message: Any) -> Iterator[Any]:
        try:
            yield 0xFF00, match()
            if by_peer:
                feed(acceptor, Abort(0, 0).encode())
            else:
                Side(acceptor, abort(acceptor)).advance()
            yield 0xFF00, match()
            raise AssertionError("nobody asks")
        finally:
            closed.append(True)

    side = Side(acceptor, scp.serve(acceptor), {"EVT_C_FIND": handler})
    side.advance()
    feed(acceptor, arriving())
    side.advance()
    assert [command["Status"] for command, _ in said(side)] == [0xFF00]
    assert side.error is acceptor.ended
    assert closed == [True]


def test_only_after_the_last_response_nothing_more_is_announced() -> None:
    _, acceptor = associated_for(PATIENT_ROOT)
    asked = message(1, {**FIND, "AffectedSOPClassUID": PATIENT_ROOT}, Identifier())
    conversation = scp.answer(acceptor, asked)
    values = iter([(0xFF00, match()), (0xFF00, match())])
    announced, answer = [], None
    with suppress(StopIteration):
        while True:
            want = conversation.send(answer)
            answer = values if isinstance(want, Call) else None
            if isinstance(want, Next):
                answer = next(want.values, END)
            elif isinstance(want, Flush):
                announced.append(want.more_follows)
    assert announced == [True, True, False]

"""Turns limits that were set into refusals: by the claim where there is one, and never silently."""

from __future__ import annotations

import pytest

from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Aborted, LimitReached
from dicomwire.protocol.limits import Limits
from dicomwire.protocol.messages import Message
from dicomwire.protocol.pdus import Abort
from dicomwire.protocol.reader import LARGEST
from tests.protocol.pairs import (
    ECHO,
    accept,
    feed,
    in_state,
    message,
    pdus_of,
    request,
    taken,
    values,
)


def acceptor(maximum_length: int = 16382, **limits: int) -> Connection:
    connection = Connection(False, maximum_length, limits=Limits(**limits))
    connection.connected()
    return connection


def established(maximum_length: int = 16382, **limits: int) -> Connection:
    connection = acceptor(maximum_length, **limits)
    feed(connection, request().encode())
    accept(connection)
    taken(connection)
    return connection


def reached(connection: Connection) -> LimitReached:
    """Why it was aborted; the A-ABORT that says so has gone out."""
    ended = connection.ended
    assert isinstance(ended, Aborted), ended
    assert isinstance(ended.__cause__, LimitReached)
    (abort,) = pdus_of(taken(connection))
    assert isinstance(abort, Abort)
    assert (abort.source, abort.reason) == (ended.source, ended.reason)
    return ended.__cause__


@pytest.mark.parametrize("field", Limits().as_dict())
@pytest.mark.parametrize("value", [-1, "1", 1.5, None])
def test_what_is_no_limit_is_refused(field: str, value: object) -> None:
    seconds = ("stall", "keepalive")
    nothing = ("associations_per_address", "failures_per_minute", *seconds)
    may_be = {None: nothing, 1.5: (*seconds, "grace")}
    if field in may_be.get(value, ()):  # type: ignore[call-overload]  # -1 and "1" are not there
        assert getattr(Limits(**{field: value}), field) == value  # type: ignore[arg-type]
        return
    with pytest.raises(ValueError, match=f"Limits.{field}"):
        Limits(**{field: value})  # type: ignore[arg-type]


def test_an_association_request_is_refused_by_its_claim() -> None:
    connection = acceptor(associate_length=1000)
    feed(connection, bytes((1, 0)) + (1001).to_bytes(4, "big"))
    cause = reached(connection)
    assert cause.setting == "associate_length"
    assert "1001 bytes" in cause.what


def test_an_association_request_that_there_is_no_room_for_is_refused_by_its_claim() -> None:
    connection, asked = acceptor(), []

    def may_hold(size: int) -> bool:
        asked.append(size)
        return size < 20_000

    connection.reader.may_hold = may_hold
    head = bytes((1, 0)) + (10_000).to_bytes(4, "big")
    for piece in (head, bytes(100), bytes(100)):
        feed(connection, piece)
    assert asked == [10_000]  # once, not at each read
    assert connection.ended is None
    other = acceptor()
    other.reader.may_hold = may_hold
    feed(other, bytes((1, 0)) + (20_000).to_bytes(4, "big"))
    assert reached(other).setting == "negotiation_memory"


def test_the_memory_of_a_long_request_is_given_back() -> None:
    connection = acceptor()
    feed(connection, bytes((1, 0)) + (600_000).to_bytes(4, "big") + bytes(599_999))
    assert len(connection.get_buffer().obj) >= 600_000  # type: ignore[arg-type]
    feed(connection, bytes(1))
    assert len(connection.get_buffer().obj) <= 8192  # type: ignore[arg-type]


def test_a_command_set_without_end_is_refused() -> None:
    connection = established(command_set=5000)
    for _ in range(3):
        feed(connection, values((1, 1, bytes(2000))))
    cause = reached(connection)
    assert (cause.setting, cause.reason) == ("command_set", 6)


def test_empty_fragments_are_counted() -> None:
    connection = established(empty_fragments=10)
    feed(connection, values((1, 1, b"")) * 10)
    assert connection.ended is None
    feed(connection, values((1, 1, b"")))
    assert reached(connection).setting == "empty_fragments"


@pytest.mark.parametrize("at_once", [True, False])
def test_messages_that_nobody_has_looked_at_are_counted(at_once: bool) -> None:
    connection = established(waiting=20)
    echo = message(1, ECHO)
    feed(connection, echo * 20)
    assert connection.ended is None
    assert len(connection.events) == 20
    if at_once:
        feed(connection, echo)
        assert reached(connection).setting == "waiting"
    else:
        connection.events.clear()
        feed(connection, echo * 20)
        assert connection.ended is None


@pytest.mark.parametrize("limits", [{}, {"waiting": 20, "memory": 50_000}])
def test_responses_that_were_asked_for_may_come_as_fast_as_they_like(
    limits: dict[str, int],
) -> None:
    connection = in_state("Sta6")
    connection.limits = Limits(**limits)
    pending = {
        "CommandField": 0x8020, "MessageIDBeingRespondedTo": 1, "CommandDataSetType": 1,
        "Status": 0xFF00,
    }  # fmt: skip
    match = message(1, pending, b"\x10\0\x20\0\2\0\0\0X ")
    count = LARGEST // len(match)  # a fast SCP fills the whole buffer
    connection.reader._resize(LARGEST)
    for _ in range(3):
        feed(connection, match * count)
        assert connection.ended is None, connection.ended
        assert len(connection.events) == count > 1000
        feed(connection, message(1, ECHO))  # a request behind them is one, not one more
        assert connection.ended is None, connection.ended
        connection.events.clear()
    feed(connection, match * count)
    feed(connection, match * count)  # who does not look at them cannot be flooded without end
    assert reached(connection).setting in ("waiting", "memory")


def test_so_are_their_bytes() -> None:
    connection = established(memory=50_000)
    long = message(1, {**ECHO, "AffectedSOPClassUID": "1" * 1000})
    feed(connection, long * 40)
    assert connection.ended is None
    feed(connection, long * 100)
    assert reached(connection).setting == "memory"


@pytest.mark.parametrize("long", [1000, 10_000, 60_000])
def test_messages_that_wait_take_little_more_than_that(long: int) -> None:
    memory = 1 << 17
    connection = established(memory=memory, waiting=100_000)
    count = 0
    while connection.ended is None:
        waiting = [each for each in connection.events if isinstance(each, Message)]
        held = sum(len(each.command["ErrorComment"]) for each in waiting)
        count += 1
        feed(connection, message(1, {**ECHO, "MessageID": count, "ErrorComment": "x" * long}))
    assert reached(connection).setting == "memory"
    assert held < max(1.1 * memory, 33 * long)
    assert held > memory // 2


def test_a_pdu_that_is_to_be_held_whole_is_refused_by_its_claim() -> None:
    connection = established(0, pdu_length=50_000)
    claim = bytes((4, 0)) + (0xFFFFFFF0).to_bytes(4, "big")
    connection.reader.show = lambda raw: None
    feed(connection, claim)
    assert reached(connection).setting == "pdu_length"
    streaming = established(0, pdu_length=50_000)  # no limit was announced, and nobody looks
    feed(streaming, claim)
    assert streaming.ended is None

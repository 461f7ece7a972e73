"""What a P-DATA-TF costs in calls, not in seconds: a number that no machine changes."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType

import pytest

from dicomwire.protocol.command import encode_command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.items import MaximumLength
from dicomwire.protocol.messages import Message
from tests.protocol.pairs import STORE, associated, data_of, feed, raw_acceptor, taken, values

PDUS, LENGTH = 1000, 16384  # P-DATA-TF, and the bytes of each
READ = 256 * 1024
WHOLE = values((3, 0, bytes(LENGTH - 6)))


def calls(action: Callable[[], object]) -> int:
    """How many functions an action calls, in Python and in C."""
    count = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    gc.disable()  # what a collection calls is not the action's
    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count - 1  # setprofile


class Blackhole:
    """A sink that costs nothing."""

    length = 0

    def write(self, fragments: list[memoryview]) -> None:
        """Count in Python's own time, not in calls."""
        Blackhole.length += LENGTH - 6

    def finish(self) -> None:
        """Nothing."""

    def discard(self) -> None:
        """Nothing."""


def receiving() -> Connection:
    """A connection in the middle of a data set, its buffer grown by what came so far."""
    connection = raw_acceptor(maximum_length=LENGTH)
    sink = Blackhole()
    connection.reader.assembly.choose_sink = lambda context_id, command: sink
    feed(connection, values((3, 3, encode_command({**STORE, "CommandDataSetType": 1}))))
    feed(connection, WHOLE * 64)
    return connection


def reads(connection: Connection, size: int) -> int:
    """Calls for PDUS whole PDUs in reads of at most `size` bytes; the driver's own not counted."""
    total, stream = 0, memoryview(WHOLE * PDUS)
    while stream:
        view: memoryview | None = None

        def get() -> None:
            nonlocal view
            view = connection.get_buffer()

        total += calls(get)
        assert view is not None
        count = min(len(view), size, len(stream))
        view[:count] = stream[:count]
        stream = stream[count:]
        total += calls(partial(connection.received, count))
    assert connection.ended is None
    return total


def test_the_counter_counts() -> None:
    assert calls(lambda: None) == 1
    assert calls(lambda: (len(""), max(1, 2))) == 3


def test_at_most_three_calls_a_pdu_in() -> None:
    connection = receiving()
    assert len(connection.get_buffer()) >= READ * 0.9  # it grew to what a read brings
    total = reads(connection, READ)
    assert total <= 3 * PDUS, f"{total / PDUS:.2f} calls a PDU"


@pytest.mark.parametrize(("size", "budget"), [(READ // 4, 8), (LENGTH, 30), (1460, 200)])
def test_small_reads_cost_more_but_not_without_end(size: int, budget: int) -> None:
    total = reads(receiving(), size)
    assert total <= budget * PDUS, f"{total / PDUS:.2f} calls a PDU"


def test_at_most_two_calls_a_pdu_out() -> None:
    requestor, _ = associated(answer=(MaximumLength(LENGTH),))
    data = bytes(requestor.fragment * PDUS)
    requestor.send_command(3, dict(STORE))
    before = len(requestor.out)
    total = calls(lambda: requestor.send_data(3, data, last=True))
    assert len(requestor.out) - before == 2 * PDUS  # a header and a piece each
    assert total <= 2 * PDUS, f"{total / PDUS:.2f} calls a PDU"
    assert sum(map(len, requestor.out[before:])) == len(data) + 12 * PDUS


def test_a_message_costs_the_same_however_long_it_is() -> None:
    requestor, _ = associated(answer=(MaximumLength(LENGTH),))
    costs = set()
    for count in (10, 1000):
        data = bytes(requestor.fragment * count)
        requestor.send_message(3, dict(STORE), data)  # once for the headers
        costs.add(calls(partial(requestor.send_message, 3, dict(STORE), data)))
    assert len(costs) == 1


def test_the_fast_path_is_taken_and_right() -> None:
    connection = raw_acceptor(maximum_length=LENGTH)
    pieces = [bytes([n % 256]) * (LENGTH - 6) for n in range(100)]
    stream = values((3, 3, encode_command({**STORE, "CommandDataSetType": 1})))
    stream += b"".join(values((3, 0, piece)) for piece in pieces) + values((3, 2, b"end"))
    feed(connection, stream, step=READ)
    (found,) = connection.events
    assert isinstance(found, Message)
    assert data_of(found) == b"".join(pieces) + b"end"
    assert taken(connection) == b""

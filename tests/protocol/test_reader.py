"""However a stream is cut, it means the same; whatever comes, the answer is a documented one."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from mmap import mmap
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwire.protocol.command import Command, encode_command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Aborted, Ended, Fault, UnrecognizedPDU
from dicomwire.protocol.items import MaximumLength
from dicomwire.protocol.limits import Limits
from dicomwire.protocol.messages import Message
from dicomwire.protocol.pdus import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ContextResult,
    PDataTF,
    PresentationDataValue,
    ReleaseRP,
    ReleaseRQ,
)
from dicomwire.protocol.reader import LARGEST, MAPPED, SMALLEST
from tests.examples import examples
from tests.protocol.pairs import (
    ARRIVING,
    ECHO,
    IMPLICIT,
    STATES,
    STORE,
    Watcher,
    accept,
    feed,
    in_state,
    message,
    pdus_of,
    plain,
    raw_acceptor,
    request,
    taken,
    values,
)

# -- any split -----------------------------------------------------------------------------


LONGEST = Limits().associate_length


def fragments(
    draw: st.DrawFn, context_id: int, control: int, data: bytes
) -> list[tuple[int, int, bytes]]:
    """Cut a command set or data set anywhere, also into empty pieces."""
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=4)))
    edges = [0, *cuts, len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(edges)]
    last = len(pieces) - 1
    return [(context_id, control | 2 * (n == last), p) for n, p in enumerate(pieces)]


@st.composite
def conversations(draw: st.DrawFn) -> bytes:
    """An association as its acceptor sees it, ending in a release, an abort, or not at all."""
    parts: list[tuple[int, int, bytes]] = []
    for number in range(draw(st.integers(0, 4))):
        data = draw(st.none() | st.binary(max_size=60) | st.integers(0, 9000).map(bytes))
        command: Command = {**(ECHO if data is None else STORE), "MessageID": number}
        command["CommandDataSetType"] = 0x0101 if data is None else 1
        context_id = draw(st.sampled_from([1, 3]))
        parts += fragments(draw, context_id, 1, encode_command(command))
        if data is not None:
            parts += fragments(draw, context_id, 0, data)
    stream = [request().encode()]
    while parts:  # several presentation data values a PDU, also across messages
        count = draw(st.integers(1, 4))
        stream.append(values(*parts[:count]))
        del parts[:count]
    stream.append(draw(st.sampled_from([b"", ReleaseRQ().encode(), Abort(0, 0).encode()])))
    stream.append(draw(st.sampled_from([b"", b"\x99", b"\4\0\0\0\0\1\0", *ARRIVING.values()])))
    return b"".join(stream)


@dataclass
class Outcome:
    """All that a driver can see of a connection."""

    state: str
    events: list[object]
    out: bytes
    ended: tuple[type, str] | None
    flags: tuple[bool, bool]
    shown: list[bytes] = field(default_factory=list)


def run(stream: bytes, steps: Callable[[], int], watcher: Watcher | None = None) -> Outcome:
    """Give a stream to an acceptor in pieces."""
    connection = Connection(False, tap=watcher)
    connection.connected()
    position, events = 0, []
    while position < len(stream):
        view = connection.get_buffer()
        count = min(steps(), len(view), len(stream) - position)
        view[:count] = stream[position : position + count]
        connection.received(count)
        position += count
        if connection.events and isinstance(connection.events[0], AssociateRQ):
            events.append(connection.events[0])
            accept(connection)
    return Outcome(
        connection.machine.state,
        [plain(each) for each in [*events, *connection.events]],
        taken(connection),
        None if connection.ended is None else (type(connection.ended), str(connection.ended)),
        (connection.artim, connection.wants_close),
    )


def after_the_request(steps: Callable[[], int]) -> Callable[[], int]:
    """The request whole, for the acceptance has to be sent before the rest may come."""
    first = [len(request().encode())]
    return lambda: first.pop() if first else steps()


@given(conversations(), st.integers(0, 1 << 32))
def test_any_split_means_the_same(stream: bytes, seed: int) -> None:
    whole = run(stream, after_the_request(lambda: len(stream)))
    dice = random.Random(seed)
    for longest in (6, 100, 5000):
        steps = partial(dice.randint, 1, longest)
        assert run(stream, after_the_request(steps)) == whole


@examples(25)
@given(conversations())
def test_byte_by_byte(stream: bytes) -> None:
    whole = run(stream, after_the_request(lambda: len(stream)))
    assert run(stream, lambda: 1) == whole


@given(conversations(), st.integers(1, 3000))
def test_a_tap_that_wants_data_changes_nothing(stream: bytes, step: int) -> None:
    plainly = run(stream, after_the_request(lambda: step))
    watcher = Watcher()
    assert run(stream, after_the_request(lambda: step), watcher) == plainly
    shown = b"".join(raw for way, _, raw in watcher.seen if way == "received")
    assert stream.startswith(shown) or plainly.state in ("Sta1", "Sta13")


# -- any garbage ---------------------------------------------------------------------------


def check_outcome(connection: Connection) -> None:
    """Nothing goes out but an A-ABORT or a rejection, and then the association is over."""
    sent = pdus_of(taken(connection))
    assert all(isinstance(pdu, Abort | AssociateRJ) for pdu in sent)
    if sent:
        assert connection.machine.state == "Sta13"
        assert isinstance(connection.ended, Ended)
        assert connection.artim


@pytest.mark.parametrize("state", STATES)
@examples(25)
@given(data=st.binary(max_size=200), kind=st.none() | st.integers(0, 8), watched=st.booleans())
def test_any_garbage(state: str, data: bytes, kind: int | None, watched: bool) -> None:
    connection = in_state(state)
    connection.watch(Watcher() if watched else None)
    if kind is not None:
        data = bytes((kind, 0)) + len(data).to_bytes(4, "big") + data
    feed(connection, data)
    check_outcome(connection)
    connection.closed()
    assert connection.machine.state == "Sta1"


@pytest.mark.parametrize("watched", [False, True])
@given(stream=conversations(), data=st.data())
def test_a_damaged_stream(watched: bool, stream: bytes, data: st.DataObject) -> None:
    raw = bytearray(stream)
    start = len(request().encode())
    if len(raw) > start:
        for _ in range(data.draw(st.integers(1, 3))):
            raw[data.draw(st.integers(start, len(raw) - 1))] = data.draw(st.integers(0, 255))
    connection = raw_acceptor()
    connection.watch(Watcher() if watched else None)
    feed(connection, bytes(raw[start:]), step=data.draw(st.sampled_from([0, 3, 50])))
    check_outcome(connection)
    other = raw_acceptor()  # and cut in another way it is the same
    other.watch(connection.tap)
    feed(other, bytes(raw[start:]), step=1000)
    assert [plain(each) for each in other.events] == [plain(each) for each in connection.events]
    assert str(other.ended) == str(connection.ended)
    assert other.machine.state == connection.machine.state


@given(data=st.data())
def test_a_damaged_request(data: st.DataObject) -> None:
    raw = bytearray(request().encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    connection = in_state("Sta2")
    connection.watch(Watcher())
    feed(connection, bytes(raw), step=data.draw(st.sampled_from([0, 1])))
    check_outcome(connection)


@given(data=st.data())
def test_a_damaged_answer(data: st.DataObject) -> None:
    results = [ContextResult(1, 0, IMPLICIT), ContextResult(3, 3, IMPLICIT)]
    raw = bytearray(AssociateAC("SCP", "SCU", results, [MaximumLength(4096)]).encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    connection = in_state("Sta5")
    connection.watch(Watcher())
    feed(connection, bytes(raw))
    check_outcome(connection)


def test_after_a_framing_error_nothing_has_a_meaning() -> None:
    connection = raw_acceptor()
    feed(connection, b"\x99\0\0\0\0\0" + ReleaseRQ().encode() + request().encode() * 3)
    feed(connection, request().encode() * 200)
    assert pdus_of(taken(connection)) == [Abort(2, 1)]
    assert not connection.events


@pytest.mark.parametrize(
    ("first", "what", "fault"),
    [
        (b"\x16\x03\x01\x02\0\x01", "speaks TLS", Fault.SETTINGS),  # a ClientHello
        (b"\x15\x03\x03\0\x02\x02", "speaks TLS", Fault.SETTINGS),  # an alert
        (b"\x16\x04\0\0\0\0", "Unknown PDU type received '0x16'", Fault.PEER),
        (b"GET / HTTP/1.1", "speaks HTTP", Fault.SETTINGS),
        (b"HTTP/1.1 400 Bad", "speaks HTTP", Fault.SETTINGS),
        (b"GETTING", "Unknown PDU type received '0x47'", Fault.PEER),
    ],
)
def test_what_is_no_dicom_is_named(first: bytes, what: str, fault: Fault) -> None:
    connection = in_state("Sta2")
    feed(connection, first)
    cause = connection.ended.__cause__ if connection.ended else None
    assert isinstance(cause, UnrecognizedPDU)
    assert what in str(cause)
    assert (cause.fault, bool(cause.check)) == (fault, True)
    assert pdus_of(taken(connection)) == [Abort(0, 0)]


def test_bytes_after_the_last_value_of_a_pdu_are_a_fault() -> None:
    connection = raw_acceptor()
    whole = values((1, 3, encode_command({**ECHO, "CommandDataSetType": 0x0101})))
    longer = whole[:2] + (len(whole) - 6 + 5).to_bytes(4, "big") + whole[6:] + bytes(5)
    feed(connection, longer)
    assert len(connection.events) == 1  # what came before has its meaning
    assert pdus_of(taken(connection)) == [Abort(2, 6)]


# -- memory --------------------------------------------------------------------------------


def room(connection: Connection) -> int:
    """How many bytes the receive buffer has."""
    return len(connection.get_buffer()) + connection.reader._end


def test_the_buffer_begins_small() -> None:
    assert room(in_state("Sta2")) == SMALLEST


def is_free(memory: Any) -> bool:
    """Whether nobody looks at memory any more: it may be resized."""
    try:
        memory.resize(1) if isinstance(memory, mmap) else memory.append(0)
    except BufferError:
        return False
    return True


def test_an_association_that_is_over_holds_no_buffer() -> None:
    connection = raw_acceptor()
    feed(connection, values((3, 3, encode_command({**STORE, "CommandDataSetType": 1}))))
    feed(connection, MIDDLE * 200)
    assert room(connection) == LARGEST
    held = connection.get_buffer().obj
    assert isinstance(held, mmap)  # an allocator would keep its place
    assert not is_free(held)
    connection.closed()
    assert is_free(held)
    assert connection.ended is not None
    assert len(connection.get_buffer()) == SMALLEST  # whoever reads on has room


def test_a_long_request_is_gone_when_it_was_read() -> None:
    connection = in_state("Sta2")
    plainly = request().encode()
    raw = plainly + (b"\x60\0\xff\xfb" + bytes(0xFFFB)) * 5
    whole = b"\1\0" + (len(raw) - 6).to_bytes(4, "big") + raw[6:]
    feed(connection, whole[:-1])
    held = connection.get_buffer().obj
    assert isinstance(held, mmap)
    assert not is_free(held)
    feed(connection, whole[-1:])
    assert [*connection.events] == [request()]
    assert is_free(held)


@pytest.mark.parametrize("length", [LONGEST, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("state", ["Sta2", "Sta5", "Sta6"])
def test_a_header_alone_costs_no_memory(state: str, length: int) -> None:
    for kind in range(256):
        connection = in_state(state)
        feed(connection, bytes((kind, 0)) + length.to_bytes(4, "big"))
        assert room(connection) == SMALLEST
        # only an A-ASSOCIATE may be that long; whether it may come now is seen when it is whole
        waits = kind in (1, 2) and length == LONGEST
        assert (connection.ended is None) == waits
        assert (not connection.out) == waits


def test_a_long_associate_is_read_as_it_comes() -> None:
    filler = b"\x60\0\xff\xfb" + bytes(0xFFFB)  # an item that PS3.8 does not define
    plainly = request().encode()
    raw = plainly + filler * 15
    whole = b"\1\0" + (len(raw) - 6).to_bytes(4, "big") + raw[6:]
    connection = in_state("Sta2")
    position = 0
    while position < len(whole):
        view = connection.get_buffer()
        most = max(SMALLEST, position) if position < MAPPED // 2 else len(whole) - position
        assert len(view) <= most  # it doubles; what is mapped costs only what is written
        count = min(len(view), len(whole) - position)
        view[:count] = whole[position : position + count]
        connection.received(count)
        position += count
    assert [*connection.events] == [request()]
    assert room(connection) <= LONGEST + 6


def test_the_longest_associate() -> None:
    plainly = request().encode()
    fill = LONGEST - (len(plainly) - 6)
    items = b""
    while fill:
        size = min(fill, 0xFFFF) if fill - 0xFFFF not in range(1, 4) else 0xFF00
        items += b"\x60\0" + (size - 4).to_bytes(2, "big") + bytes(size - 4)
        fill -= size
    for more, accepted in ((b"", True), (b"\x60\0\0\0", False)):
        body = plainly[6:] + items + more
        connection = in_state("Sta2")
        feed(connection, b"\1\0" + len(body).to_bytes(4, "big") + body)
        assert (connection.machine.state == "Sta3") == accepted
        assert bool(connection.out) != accepted


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("announced", [4096, 16382, 0])
def test_the_buffer_stays_within_what_was_announced(announced: int, watched: bool) -> None:
    connection = raw_acceptor(maximum_length=announced)
    connection.watch(Watcher(wants_data=watched))
    length = announced or 500_000
    kind = {**STORE, "CommandDataSetType": 1}
    feed(connection, values((3, 3, encode_command(kind))))
    for _ in range(40):
        feed(connection, values((3, 0, bytes(length - 6))))
        most = max(LARGEST, length + 6) if watched else LARGEST
        assert room(connection) <= most
    feed(connection, values((3, 2, b"")))
    assert isinstance(connection.events[0], Message)


@dataclass
class Recorder:
    """A sink that only notes what it was given."""

    given: list[tuple[str, int]] = field(default_factory=list)

    def write(self, fragments: list[memoryview]) -> None:
        """Note how much came."""
        self.given.append(("write", sum(map(len, fragments))))

    def finish(self) -> None:
        """Note the end."""
        self.given.append(("finish", 0))

    def discard(self) -> None:
        """Note that there is no end."""
        self.given.append(("discard", 0))


def recorded() -> tuple[Connection, Recorder, list[tuple[int, Command]]]:
    connection, recorder, asked = raw_acceptor(), Recorder(), []

    def choose(context_id: int, command: Command) -> Recorder:
        asked.append((context_id, command))
        return recorder

    connection.reader.assembly.choose_sink = choose
    return connection, recorder, asked


def test_a_sink_is_chosen_for_data_sets_and_given_one_write_a_read() -> None:
    connection, recorder, asked = recorded()
    kind = {**STORE, "CommandDataSetType": 1}
    feed(connection, message(1, dict(ECHO)))
    assert asked == []
    feed(connection, values((3, 3, encode_command(kind))))
    assert asked == [(3, kind)]
    feed(connection, values((3, 0, bytes(100))) * 5)
    assert recorder.given == [("write", 500)]
    feed(connection, values((3, 0, bytes(50)), (3, 2, bytes(7))))
    assert recorder.given[1:] == [("write", 57), ("finish", 0)]
    assert isinstance(connection.events[1], Message)
    assert connection.events[1].data is recorder


@pytest.mark.parametrize("how", ["abort", "aborted", "lost", "broken"])
def test_a_sink_learns_that_its_data_set_stays_incomplete(how: str) -> None:
    connection, recorder, _ = recorded()
    whole = message(3, dict(STORE), bytes(300))
    feed(connection, whole[:-100])
    assert recorder.given == [("write", 200)]
    if how == "abort":
        connection.step(Abort())
    elif how == "aborted":
        connection.reader.received(0)
        connection.closed()
    elif how == "lost":
        connection.closed(OSError(104, "reset"))
    else:
        feed(connection, bytes(100) + b"\x99\0\0\0\0\0\0")
        assert recorder.given[1:] == [("write", 100), ("finish", 0)]
        return
    assert recorder.given[1:] == [("discard", 0)]
    connection.closed()
    assert recorder.given[1:] == [("discard", 0)]


# -- progress ------------------------------------------------------------------------------


def test_in_pdu_and_in_message() -> None:
    connection = raw_acceptor()
    reader = connection.reader
    raw = message(3, dict(STORE), bytes(10))
    command = values((3, 1, b"\0\0\0\0"))
    for data, in_pdu, in_message in (
        (raw[:3], True, True),
        (raw[3:20], True, True),
        (raw[20:-22], False, True),
        (raw[-22:-1], True, True),
        (raw[-1:], False, False),
        (command, False, True),  # part of a command set: more is awaited
    ):
        feed(connection, data)
        assert (reader.in_pdu, reader.in_message) == (in_pdu, in_message)
    assert connection.ended is None


def test_empty_fragments_are_few() -> None:
    kind = {**STORE, "CommandDataSetType": 1}
    for first in (b"", values((3, 3, encode_command(kind)))):
        control = 0 if first else 1
        connection = raw_acceptor()
        feed(connection, first + values((3, control, b"")) * Limits().empty_fragments)
        assert connection.ended is None
        feed(connection, values((3, control, b"")))
        assert isinstance(connection.ended, Aborted)
    connection = raw_acceptor()  # of a message, not of an association
    for _ in range(3):
        body = values((3, 3, encode_command(kind))), values((3, 0, b"")) * 600, values((3, 2, b""))
        feed(connection, b"".join(body))
    assert len(connection.events) == 3


def test_p_data_in_one_pdu_and_release_in_one_read() -> None:
    stream = PDataTF(
        [
            PresentationDataValue(1, 3, encode_command({**ECHO, "CommandDataSetType": 0x0101})),
            PresentationDataValue(3, 3, encode_command({**STORE, "CommandDataSetType": 1})),
            PresentationDataValue(3, 2, b"data"),
        ]
    ).encode()
    connection = raw_acceptor()
    feed(connection, stream + ReleaseRQ().encode() + ReleaseRP().encode())
    kinds = [type(each) for each in connection.events]
    assert kinds == [Message, Message, ReleaseRQ]
    assert pdus_of(taken(connection)) == [Abort(2, 2)]


MIDDLE = values((3, 0, bytes(4090)))  # exactly as long as announced


@pytest.mark.parametrize(
    ("odd", "answer"),
    [
        (values((3, 0, bytes(4091))), Abort(2, 6)),  # longer than announced
        (values((1, 0, bytes(4090))), Abort(2, 6)),  # another context
        (values((3, 1, bytes(4090))), Abort(2, 6)),  # a command
        (MIDDLE[:9] + b"\xff" + MIDDLE[10:], Abort(2, 6)),  # a value that ends before its PDU
        (MIDDLE[:8] + b"\xff" + MIDDLE[9:], Abort(2, 6)),  # one that ends behind it
        (b"\x08" + MIDDLE[1:], Abort(2, 1)),
        (b"\x05" + MIDDLE[1:], Abort(2, 6)),
        (values((3, 0, bytes(10)), (3, 0, bytes(10))), None),  # two values
        (values((3, 0, b"")), None),
        (values((3, 0xFC, bytes(4090))), None),  # reserved bits
        (b"\4\xff" + MIDDLE[2:], None),  # the reserved octet
        (values((3, 0, b"odd")), None),
    ],
)
def test_the_fast_path_lets_nothing_pass(odd: bytes, answer: Abort | None) -> None:
    outcomes = []
    for step in (0, 100):  # 100: too little for the fast path ever to see a whole PDU
        connection = raw_acceptor(maximum_length=4096)
        feed(connection, values((3, 3, encode_command({**STORE, "CommandDataSetType": 1}))))
        feed(connection, MIDDLE * 64)
        assert len(connection.get_buffer()) > 0x10000
        feed(connection, MIDDLE * 2 + odd + MIDDLE * 2 + values((3, 2, b"")), step)
        outcomes.append([plain(each) for each in connection.events])
        assert pdus_of(taken(connection)) == ([answer] if answer else [])
        assert len(connection.events) == (0 if answer else 1)
    assert outcomes[0] == outcomes[1]

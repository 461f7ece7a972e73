"""Two connections hold a conversation in memory: associate, echo, store, release, abort."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import (
    Aborted,
    AssociateTimedOut,
    DimseTimedOut,
    Ended,
    Fault,
    LocalError,
    Lost,
    Rejected,
    Released,
)
from dicomwire.protocol.items import MaximumLength, RoleSelection
from dicomwire.protocol.messages import Message
from dicomwire.protocol.negotiation import AcceptedContext
from dicomwire.protocol.pdus import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ContextResult,
    PDataTF,
    ProposedContext,
    ReleaseRP,
    ReleaseRQ,
)
from tests.protocol.pairs import (
    CT,
    ECHO,
    EXPLICIT,
    IMPLICIT,
    STORE,
    VERIFICATION,
    Watcher,
    accept,
    associated,
    data_of,
    feed,
    in_state,
    message,
    pdus_of,
    plain,
    pump,
    raw_acceptor,
    request,
    taken,
    values_of,
)


def ends(one: Connection, other: Connection) -> tuple[str, str]:
    return one.machine.state, other.machine.state


# -- the association -----------------------------------------------------------------------


def test_associate() -> None:
    requestor, acceptor = associated()
    assert ends(requestor, acceptor) == ("Sta6", "Sta6")
    assert requestor.established
    assert requestor.contexts == {
        1: AcceptedContext(1, VERIFICATION, IMPLICIT, as_scu=True, as_scp=False),
        3: AcceptedContext(3, CT, EXPLICIT, as_scu=True, as_scp=False),
    }
    assert acceptor.contexts == {
        1: AcceptedContext(1, VERIFICATION, IMPLICIT, as_scu=False, as_scp=True),
        3: AcceptedContext(3, CT, EXPLICIT, as_scu=False, as_scp=True),
    }
    assert requestor.request == acceptor.request == request()
    assert requestor.answer == acceptor.answer
    assert not requestor.artim
    assert not acceptor.artim


def test_each_side_keeps_to_the_others_maximum_length() -> None:
    requestor, acceptor = associated(MaximumLength(4096), answer=(MaximumLength(0),))
    assert acceptor.fragment == 4096 - 12
    assert requestor.fragment == 0x20000 - 12
    requestor, acceptor = associated(RoleSelection(CT, True, False))
    assert acceptor.fragment == 16384 - 12  # for a peer that does not say


def test_rejected_contexts_are_kept() -> None:
    requestor = Connection(True)
    requestor.step(request())
    requestor.connected()
    results = [ContextResult(3, 0, IMPLICIT), ContextResult(1, 3)]
    feed(requestor, AssociateAC("SCP", "SCU", results).encode())
    assert requestor.rejected == [ContextResult(1, 3)]
    assert [*requestor.contexts] == [3]
    with pytest.raises(LocalError, match="context 1 was not accepted"):
        requestor.send_message(1, dict(ECHO))


def test_reject() -> None:
    requestor, acceptor = Connection(True), Connection(False)
    acceptor.connected()
    requestor.step(request())
    requestor.connected()
    pump(requestor, acceptor)
    acceptor.step(AssociateRJ(2, 3, 2))
    pump(requestor, acceptor)
    for one in (requestor, acceptor):
        assert isinstance(one.ended, Rejected)
        assert (one.ended.result, one.ended.source, one.ended.reason) == (2, 3, 2)
    assert ends(requestor, acceptor) == ("Sta1", "Sta1")
    assert requestor.wants_close
    assert not acceptor.artim


def test_what_cannot_be_encoded_moves_nothing() -> None:
    requestor = Connection(True)
    with pytest.raises(LocalError, match="longer than 16"):
        requestor.step(AssociateRQ("A" * 17, "SCU"))
    assert (requestor.machine.state, requestor.request) == ("Sta1", None)
    acceptor = in_state("Sta3")
    with pytest.raises(LocalError, match="longer than 16"):
        acceptor.accept(AssociateAC("A" * 17, "SCU"), [])
    assert acceptor.machine.state == "Sta3"
    assert acceptor.contexts == {}
    assert not acceptor.out
    acceptor.step(AssociateRJ(1, 1, 1))  # and the association can still be refused


# -- messages ------------------------------------------------------------------------------


def test_echo() -> None:
    requestor, acceptor = associated()
    requestor.send_message(1, dict(ECHO))
    pump(requestor, acceptor)
    (asked,) = acceptor.events
    assert plain(asked) == (1, {**ECHO, "CommandDataSetType": 0x0101}, None)
    answer = {"CommandField": 0x8030, "MessageIDBeingRespondedTo": 1, "Status": 0}
    acceptor.send_message(1, dict(answer))
    pump(requestor, acceptor)
    assert plain(requestor.events[0]) == (1, {**answer, "CommandDataSetType": 0x0101}, None)


FRAGMENT = 4096 - 12
AROUND = sorted({max(k * FRAGMENT + d, 0) for k in (0, 1, 2, 5) for d in (-2, -1, 0, 1, 2)})


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("size", AROUND)
def test_store_of_sizes_around_the_fragment(size: int, watched: bool) -> None:
    requestor, acceptor = associated(answer=(MaximumLength(4096),), maximum_length=4096)
    requestor.watch(Watcher() if watched else None)
    data = (bytes(range(256)) * (size // 256 + 1))[:size]
    requestor.send_message(3, dict(STORE), data)
    sent = taken(requestor)
    first, *values = values_of(sent)
    assert first.control == 3
    # PS3.8 Annex E: the last fragment, and only it, says so; no PDU is longer than announced
    assert [value.control for value in values] == [0] * (len(values) - 1) + [2]
    assert [len(value.data) for value in values[:-1]] == [FRAGMENT] * (len(values) - 1)
    assert len(values) == max(1, -(-size // FRAGMENT))
    assert len(values[-1].data) + 12 <= 4096
    feed(acceptor, sent)
    (found,) = acceptor.events
    assert isinstance(found, Message)
    assert data_of(found) == data
    assert found.command == {**STORE, "CommandDataSetType": 1}


@pytest.mark.parametrize("watched", [False, True])
@given(parts=st.lists(st.integers(0, 9000), min_size=1, max_size=6))
def test_a_data_set_sent_in_parts(watched: bool, parts: list[int]) -> None:
    requestor, acceptor = associated(answer=(MaximumLength(4096),), maximum_length=4096)
    requestor.watch(Watcher() if watched else None)
    whole = bytes(itertools.islice(itertools.cycle(range(251)), sum(parts)))
    requestor.send_command(3, dict(STORE))
    position = 0
    for number, size in enumerate(parts):
        piece = whole[position : position + size]
        requestor.send_data(3, piece, last=number == len(parts) - 1)
        position += size
    sent = taken(requestor)
    assert all(len(pdu.encode()) <= 4096 + 6 for pdu in pdus_of(sent))
    assert all(value.data for value in values_of(sent)[1:-1])
    feed(acceptor, sent)
    (found,) = acceptor.events
    assert isinstance(found, Message)
    assert data_of(found) == whole


def test_data_is_not_copied() -> None:
    requestor, _ = associated()
    data = bytearray(b"a" * 100_000)
    requestor.send_message(3, dict(STORE), data)
    data[:] = b"b" * 100_000
    assert b"a" * 100 not in taken(requestor)


def test_messages_in_both_directions_cross() -> None:
    requestor, acceptor = associated()
    for number in range(5):  # PS3.7 D.3.3.3: asynchronous operations
        requestor.send_message(3, {**STORE, "MessageID": number}, bytes(50_000 + number))
        acceptor.send_message(1, {**ECHO, "MessageID": 100 + number})
        acceptor.send_message(3, {**STORE, "MessageID": 200 + number}, bytes(30_000 + number))
    pump(requestor, acceptor, step=1000)
    came = [plain(each) for each in acceptor.events]
    assert [(m[1]["MessageID"], len(m[2])) for m in came] == [
        (number, 50_000 + number) for number in range(5)
    ]
    back = [plain(each) for each in requestor.events]
    assert [m[1]["MessageID"] for m in back] == [
        number for pair in range(5) for number in (100 + pair, 200 + pair)
    ]


def test_a_message_while_another_ones_data_set_is_sent() -> None:
    requestor, _ = associated()
    with pytest.raises(LocalError, match="No data set"):
        requestor.send_data(3, b"data", last=True)
    requestor.send_command(3, dict(STORE))
    with pytest.raises(LocalError, match="in the middle"):
        requestor.send_message(1, dict(ECHO))
    with pytest.raises(LocalError, match="context 1"):
        requestor.send_data(1, b"data", last=True)
    requestor.send_data(3, b"data", last=True)
    requestor.send_message(1, dict(ECHO))
    with pytest.raises(LocalError, match="context 99"):
        requestor.send_message(99, dict(ECHO))


def test_after_the_end_sending_says_why_it_ended() -> None:
    requestor, acceptor = associated()
    requestor.send_command(3, dict(STORE))
    acceptor.step(Abort(2, 0))
    pump(requestor, acceptor)
    with pytest.raises(Aborted) as caught:
        requestor.send_data(3, b"data", last=True)
    assert caught.value is requestor.ended
    with pytest.raises(Aborted) as caught:
        requestor.send_message(1, dict(ECHO))
    assert caught.value is requestor.ended


# -- release -------------------------------------------------------------------------------


@pytest.mark.parametrize("requestor_releases", [True, False])
def test_release(requestor_releases: bool) -> None:
    first, second = associated()
    if not requestor_releases:
        first, second = second, first
    first.step(ReleaseRQ())
    pump(first, second)
    assert list(second.events) == [ReleaseRQ()]
    assert ends(first, second) == ("Sta7", "Sta8")
    second.step(ReleaseRP())
    assert second.artim
    pump(first, second)
    assert isinstance(first.ended, Released)
    assert isinstance(second.ended, Released)
    assert (first.ended.by_peer, second.ended.by_peer) == (False, True)
    assert ends(first, second) == ("Sta1", "Sta1")
    assert first.wants_close
    assert not second.artim


@pytest.mark.parametrize("acceptor_first", [True, False])
def test_release_collision(acceptor_first: bool) -> None:
    requestor, acceptor = associated()
    for one in (acceptor, requestor) if acceptor_first else (requestor, acceptor):
        one.step(ReleaseRQ())
    asked = {one: taken(one) for one in (requestor, acceptor)}
    order = [(requestor, acceptor), (acceptor, requestor)]
    for one, other in order if acceptor_first else reversed(order):
        feed(one, asked[other])
    assert ends(requestor, acceptor) == ("Sta9", "Sta10")
    assert [*requestor.events] == [*acceptor.events] == [ReleaseRQ()]
    acceptor.events.clear()
    with pytest.raises(LocalError):  # the acceptor waits for its turn
        acceptor.step(ReleaseRP())
    requestor.step(ReleaseRP())  # PS3.8 7.2.2.8: the requestor answers first
    assert requestor.machine.state == "Sta11"
    pump(requestor, acceptor)
    assert acceptor.machine.state == "Sta12"
    assert [*acceptor.events] == [ReleaseRP()]
    acceptor.step(ReleaseRP())
    pump(requestor, acceptor)
    assert ends(requestor, acceptor) == ("Sta1", "Sta1")
    assert isinstance(requestor.ended, Released)
    assert isinstance(acceptor.ended, Released)


def test_data_while_we_await_the_release() -> None:
    requestor, acceptor = associated()
    requestor.step(ReleaseRQ())
    acceptor.send_message(3, dict(STORE), bytes(40_000))  # it does not know yet
    pump(requestor, acceptor)
    assert requestor.machine.state == "Sta7"
    (found,) = requestor.events
    assert isinstance(found, Message)  # AR-6
    assert data_of(found) == bytes(40_000)
    acceptor.send_message(1, dict(ECHO))  # AR-7: and may go on before it answers
    acceptor.step(ReleaseRP())
    pump(requestor, acceptor)
    assert isinstance(requestor.events[1], Message)
    assert isinstance(requestor.ended, Released)
    with pytest.raises(Released):
        requestor.send_message(1, dict(ECHO))


def test_a_release_gives_up_a_message_that_is_not_complete() -> None:
    connection = raw_acceptor()
    whole = message(3, dict(STORE), b"data")
    feed(connection, whole[: len(whole) - 16])
    assert connection.reader.in_message
    feed(connection, ReleaseRQ().encode())
    assert [*connection.events] == [ReleaseRQ()]
    connection.step(ReleaseRP())
    assert pdus_of(taken(connection)) == [ReleaseRP()]
    feed(connection, whole)  # AA-6: what comes now is ignored
    assert [*connection.events] == [ReleaseRQ()]
    assert not connection.out
    assert not connection.reader.in_message


# -- abort and loss ------------------------------------------------------------------------

MAY_ABORT = ["Sta3", "Sta5", *(f"Sta{number}" for number in range(6, 13))]


@pytest.mark.parametrize("requestor", [True, False])
@pytest.mark.parametrize("state", MAY_ABORT)
def test_abort_in_every_state(state: str, requestor: bool) -> None:
    connection = in_state(state, requestor)
    cause = DimseTimedOut(3)
    connection.step(Abort(2, 0), cause)
    assert pdus_of(taken(connection)) == [Abort(2, 0)]
    assert connection.machine.state == "Sta13"
    assert connection.artim
    assert isinstance(connection.ended, Aborted)
    assert not connection.ended.by_peer
    assert connection.ended.__cause__ is cause
    for more in (message(1, dict(ECHO)), ReleaseRQ().encode(), ReleaseRP().encode()):
        feed(connection, more)
    assert not connection.out
    assert not connection.events
    connection.timer_expired()
    assert connection.wants_close
    assert connection.machine.state == "Sta1"


@pytest.mark.parametrize("requestor", [True, False])
@pytest.mark.parametrize("state", [*MAY_ABORT, "Sta2"])
def test_aborted_by_the_peer_in_every_state(state: str, requestor: bool) -> None:
    connection = in_state(state, requestor)
    feed(connection, Abort(2, 2).encode() + b"\x99 whatever follows")
    assert isinstance(connection.ended, Aborted)
    assert (connection.ended.by_peer, connection.ended.reason) == (True, 2)
    assert connection.machine.state == "Sta1"
    assert connection.wants_close
    assert not connection.out
    assert not connection.artim
    connection.closed()
    assert isinstance(connection.ended, Aborted)


def test_an_abort_while_the_transport_is_being_connected_sends_nothing() -> None:
    connection = in_state("Sta4")
    connection.step(Abort())
    assert connection.machine.state == "Sta1"
    assert connection.wants_close
    assert not connection.out
    assert isinstance(connection.ended, Aborted)


def halves(data: bytes) -> list[bytes]:
    return [data[:20], data[20:]]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        halves(message(3, dict(STORE), bytes(100))),  # within the command set
        halves(message(3, dict(STORE), bytes(100))[-112:]),  # within the data set
        (b"", b""),
    ],
)
@pytest.mark.parametrize("step", [0, 1])
def test_our_abort_in_the_middle_of_a_message(before: bytes, after: bytes, step: int) -> None:
    connection = raw_acceptor()
    if before[6:12] and not before[11] & 1:
        feed(connection, message(3, dict(STORE), bytes(100))[:-112])
    feed(connection, before)
    connection.step(Abort())
    assert pdus_of(taken(connection)) == [Abort()]
    assert not connection.reader.assembly.under_way
    feed(connection, after + message(1, dict(ECHO)), step)  # AA-6
    assert not connection.out
    assert not connection.events
    feed(connection, Abort(0, 0).encode(), step)  # and its end is still seen: AA-2
    assert connection.machine.state == "Sta1"
    assert connection.wants_close


@pytest.mark.parametrize("requestor", [True, False])
@pytest.mark.parametrize("state", [*MAY_ABORT, "Sta2", "Sta4"])
def test_the_transport_is_lost_in_every_state(state: str, requestor: bool) -> None:
    connection = in_state(state, requestor)
    error = ConnectionResetError(104, "reset")
    connection.closed(error)
    assert isinstance(connection.ended, Lost)
    assert connection.ended.error is error
    assert connection.ended.fault is Fault.NETWORK
    assert connection.machine.state == "Sta1"
    assert not connection.out
    connection.closed()
    assert connection.ended.error is error


@pytest.mark.parametrize("state", ["Sta2", "Sta13"])
def test_the_timer_expires(state: str) -> None:
    connection = in_state(state)
    before, why = connection.ended, AssociateTimedOut(30)
    connection.timer_expired(why)
    assert connection.ended is (before or why)
    assert connection.wants_close
    assert not connection.artim


@pytest.mark.parametrize("state", ["Sta1", "Sta3", "Sta6"])
def test_a_timer_that_does_not_run_cannot_expire(state: str) -> None:
    connection = in_state(state)
    with pytest.raises(LocalError):
        connection.timer_expired(AssociateTimedOut(30))
    assert connection.ended is None
    assert connection.machine.state == state


@pytest.mark.parametrize(
    ("state", "last"),
    [
        ("Sta7", ReleaseRP().encode()),
        ("Sta11", ReleaseRP().encode()),
        ("Sta5", AssociateRJ(1, 1, 1).encode()),
        ("Sta6", Abort().encode()),
    ],
)
@pytest.mark.parametrize(
    "more",
    [b"\x99" * 30, Abort().encode(), message(1, dict(ECHO)), request().encode(), b"\4\0\0"],
)
def test_what_follows_the_last_pdu_is_ignored(state: str, last: bytes, more: bytes) -> None:
    for step in (0, 1):
        connection = in_state(state)
        feed(connection, last + more, step)
        assert connection.machine.state == "Sta1"
        assert not connection.out
        assert not connection.events
        assert isinstance(connection.ended, Ended)


@pytest.mark.parametrize("data", [b"\x99" * 10, request().encode(), Abort().encode()])
@pytest.mark.parametrize("state", ["Sta1", "Sta4"])
def test_bytes_without_a_transport_connection_are_ignored(state: str, data: bytes) -> None:
    connection = in_state(state)
    feed(connection, data)
    assert connection.machine.state == state
    assert not connection.out


def test_a_driver_cannot_connect_twice() -> None:
    connection = in_state("Sta6")
    with pytest.raises(LocalError):
        connection.connected()
    assert connection.machine.state == "Sta6"


# -- the tap -------------------------------------------------------------------------------


def test_a_tap_sees_every_pdu_as_it_was_on_the_wire() -> None:
    watcher = Watcher()
    requestor, acceptor = associated()
    requestor.watch(watcher)
    requestor.send_message(3, dict(STORE), bytes(20_000))
    sent = taken(requestor)
    feed(acceptor, sent)
    acceptor.send_message(1, dict(ECHO))
    acceptor.step(ReleaseRQ())
    back = taken(acceptor)
    feed(requestor, back, step=7)
    assert b"".join(raw for way, _, raw in watcher.seen if way == "sent") == sent
    assert b"".join(raw for way, _, raw in watcher.seen if way == "received") == back
    assert all(pdus_of(raw) == [pdu] for _, pdu, raw in watcher.seen)
    ways = [way for way, _ in watcher.messages]
    assert ways == ["sent", "received"]
    assert [move[1] for move in watcher.moves] == ["DT-1"] * 3 + ["DT-2", "AR-2"]


def test_a_tap_that_wants_no_data_sees_none() -> None:
    watcher = Watcher(wants_data=False, wants_messages=False)
    requestor, acceptor = associated()
    requestor.watch(watcher)
    requestor.send_message(1, dict(ECHO))
    acceptor.send_message(1, dict(ECHO))
    pump(requestor, acceptor)
    assert not watcher.seen
    assert not watcher.messages
    assert not watcher.moves
    requestor.step(ReleaseRQ())
    assert [pdu for _, pdu, _ in watcher.seen] == [ReleaseRQ()]
    requestor.watch(None)
    assert requestor.reader.show is None


@pytest.mark.parametrize("octet", [0x00, 0x1B, 0x80, 0xFF])
def test_a_tap_is_shown_what_could_not_be_encoded_again(octet: int) -> None:
    raw = bytearray(request().encode())
    raw[10:42] = bytes([octet]) * 32  # both titles
    watcher, connection = Watcher(), in_state("Sta2")
    connection.watch(watcher)
    feed(connection, bytes(raw))
    assert watcher.seen[0][2] == bytes(raw)
    assert connection.machine.state == "Sta3"


def test_a_streamed_message_is_shown_without_its_data() -> None:
    watcher = Watcher()
    requestor, _ = associated()
    requestor.watch(watcher)
    requestor.send_command(3, dict(STORE))
    requestor.send_data(3, b"data", last=True)
    ((way, (context_id, command, data)),) = watcher.messages
    assert (way, context_id, data) == ("sent", 3, None)
    assert command["CommandDataSetType"] == 1
    assert [type(pdu) for _, pdu, _ in watcher.seen] == [PDataTF, PDataTF]


def test_128_contexts() -> None:
    contexts = [ProposedContext(n, CT, (IMPLICIT,)) for n in range(1, 256, 2)]
    requestor, acceptor = Connection(True), Connection(False)
    acceptor.connected()
    requestor.step(request(contexts=contexts))
    requestor.connected()
    pump(requestor, acceptor, step=100)
    accept(acceptor)
    pump(requestor, acceptor, step=100)
    assert len(requestor.contexts) == len(acceptor.contexts) == 128
    requestor.send_message(255, dict(STORE), b"data")
    pump(requestor, acceptor)
    assert isinstance(acceptor.events[0], Message)


# -- settings and what is kept -------------------------------------------------------------


@pytest.mark.parametrize(("announced", "taken_"), [(4096, 4096), (0, 1 << 20)])
def test_what_is_announced_can_change_before_it_counts(announced: int, taken_: int) -> None:
    requestor, acceptor = associated()
    acceptor.announce(announced)
    requestor.fragment = taken_ - 6  # a peer that takes the announcement at its word
    requestor.send_message(3, dict(STORE), bytes(taken_ - 6))
    pump(requestor, acceptor)
    assert [type(event) for event in acceptor.events] == [Message]
    requestor.fragment = 5000
    requestor.send_message(3, {**STORE, "MessageID": 8}, bytes(5000))
    pump(requestor, acceptor)
    assert acceptor.established == (announced == 0)


def test_fragments_of_every_length_have_headers_of_their_own() -> None:
    requestor, acceptor = associated()
    for size in range(0, 2400, 2):
        requestor.send_message(3, {**STORE, "MessageID": size}, bytes(size))
        pump(requestor, acceptor)
        assert data_of(acceptor.events.popleft()) == bytes(size)  # type: ignore[arg-type]


def test_a_tap_may_go_away_while_a_pdu_arrives() -> None:
    requestor, acceptor = associated()
    acceptor.watch(Watcher())
    acceptor.tap = None  # by another thread, which has not come to the reader yet
    requestor.send_message(1, dict(ECHO))
    pump(requestor, acceptor)
    assert [type(event) for event in acceptor.events] == [Message]


def response(status: int) -> dict[str, object]:
    """A response to `ECHO`."""
    return {"CommandField": 0x8030, "MessageIDBeingRespondedTo": 1, "Status": status}


def test_a_message_id_may_be_used_again_once_it_is_answered() -> None:
    requestor, acceptor = associated()

    def asked() -> list[bool]:
        requestor.send_message(1, dict(ECHO))
        pump(requestor, acceptor)
        found = [each.is_repeated for each in acceptor.events if isinstance(each, Message)]
        acceptor.events.clear()
        return found

    assert asked() == [False]
    assert asked() == [True]
    acceptor.send_message(1, response(0xFF00))  # and another response follows
    assert asked() == [True]
    acceptor.send_message(1, response(0x0000))
    assert asked() == [False]
    acceptor.send_message(1, dict(ECHO))  # a request of our own answers nothing
    assert asked() == [True]


def test_responses_are_never_repeated_requests() -> None:
    requestor, acceptor = associated()
    for _ in range(2):
        acceptor.send_message(1, response(0xFF00))
        pump(requestor, acceptor)
    found = [each for each in requestor.events if isinstance(each, Message)]
    assert [each.is_repeated for each in found] == [False, False]

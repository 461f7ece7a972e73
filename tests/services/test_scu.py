"""Turns requests of a service class user into responses, or into why there is none, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Aborted, DimseError, LocalError, Released
from dicomwire.protocol.items import MaximumLength
from dicomwire.protocol.messages import Message
from dicomwire.protocol.pdus import Abort, PDataTF, ReleaseRP, ReleaseRQ
from dicomwire.services import scp, scu
from dicomwire.services.association import abort, release
from dicomwire.services.responding import response_for
from dicomwire.services.response import Response
from dicomwire.services.wants import FLUSH, RECEIVE_IDLE, Conversation, Timer
from dicomwire.standard.dimse import BY_NAME, C_ECHO, C_STORE
from tests.protocol import pairs
from tests.protocol.pairs import CT, ECHO, STORE, VERIFICATION, associated, data_of, feed
from tests.services.stage import Side, play


def asks(connection: Connection, command: Command | None = None) -> Side:
    return Side(connection, scu.request(connection, 1, command or dict(ECHO), scp.answer))


def serves(connection: Connection, **handlers: Any) -> Side:
    return Side(connection, scp.serve(connection), handlers)


def replies(connection: Connection, **changes: Any) -> Side:
    """A peer that answers with a response of its own making."""

    def conversation() -> Conversation[None]:
        message = yield RECEIVE_IDLE
        response = response_for(message.command, 0, {})
        connection.send_message(1, {**response, **changes})
        yield RECEIVE_IDLE

    return Side(connection, conversation())


def test_a_command_set_has_its_uids_where_the_service_wants_them() -> None:
    assert scu.command_for(C_ECHO, 9, VERIFICATION) == {**ECHO, "MessageID": 9}
    action = scu.command_for(BY_NAME["N-ACTION"], 1, "1.2", ActionTypeID=2)
    assert action["RequestedSOPClassUID"] == "1.2"
    assert action["ActionTypeID"] == 2


def test_a_cancel_names_what_it_cancels() -> None:
    requestor, acceptor = associated()
    requestor.send_message(1, scu.cancel_for(7))  # PS3.7 9.3.2.3
    pairs.pump(requestor, acceptor)
    assert (acceptor.cancelled, list(acceptor.events)) == ({7}, [])


def test_a_request_is_answered() -> None:
    requestor, acceptor = associated()
    one = asks(requestor)
    play(one, serves(acceptor, EVT_C_ECHO=lambda message: 0))
    assert isinstance(one.result, Message)
    assert one.result.command["Status"] == 0
    assert one.timers == [Timer.DIMSE]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"MessageIDBeingRespondedTo": 2}, "to message 2 from the peer instead of 1"),
        ({"CommandField": 0x8001}, "C-STORE-RSP from the peer instead of C-ECHO-RSP"),
    ],
)
def test_a_response_to_something_else_is_the_peers_error(
    changes: dict[str, Any], words: str
) -> None:
    requestor, acceptor = associated()
    one = asks(requestor)
    play(one, replies(acceptor, **changes))
    assert isinstance(one.error, Aborted)
    assert isinstance(one.error.__cause__, DimseError)
    assert words in str(one.error)
    assert one.sent[-1] == Abort(0, 0)


def test_a_release_instead_of_a_response_is_agreed_to() -> None:
    requestor, acceptor = associated()
    one, other = asks(requestor), Side(acceptor, release(acceptor))
    play(one, other)
    assert isinstance(one.error, Released)
    assert one.sent[-1] == ReleaseRP()
    assert (other.done, other.error) == (True, None)


def test_an_abort_instead_of_a_response_is_raised() -> None:
    requestor, acceptor = associated()
    one = asks(requestor)
    play(one, Side(acceptor, abort(acceptor)))
    assert isinstance(one.error, Aborted)
    assert one.error.by_peer


@pytest.mark.parametrize("may", [True, False], ids=["as SCP", "as SCU only"])
def test_what_the_peer_asks_meanwhile_is_answered_first(may: bool) -> None:
    requestor, acceptor = associated()

    def conversation() -> Conversation[Message]:
        asked = yield RECEIVE_IDLE
        answer = yield from scu.request(acceptor, 1, {**ECHO, "MessageID": 5}, scp.answer)
        acceptor.send_message(1, response_for(asked.command, 0, {}))
        return answer

    if may:
        requestor.contexts[1] = requestor.contexts[1]._replace(as_scp=True)
    one, other = asks(requestor), Side(acceptor, conversation())
    play(one, other)
    assert one.heard == (["EVT_C_ECHO"] if may else [])
    assert other.result.command["MessageIDBeingRespondedTo"] == 5
    assert other.result.command["Status"] == (0 if may else 0x0122)
    assert one.result.command["MessageIDBeingRespondedTo"] == 1


def test_nothing_can_be_asked_once_it_is_over() -> None:
    requestor, _ = associated()
    requestor.step(Abort())
    one = asks(requestor)
    one.advance()
    assert one.error is requestor.ended


# -- C-STORE -------------------------------------------------------------------------------


class Chunks:
    """A stream that counts what was taken from it, and breaks where it is told to."""

    def __init__(self, data: bytes, breaks_at: int = -1) -> None:
        self.data, self.breaks_at = data, breaks_at
        self.sizes: list[int] = []

    @property
    def length(self) -> int:
        return len(self.data)

    def fetch(self, size: int) -> None:
        if self.breaks_at == 0:
            raise LocalError("the file is gone")

    def chunks(self, size: int) -> Iterator[memoryview]:
        for start in range(0, len(self.data), size):
            if len(self.sizes) == self.breaks_at:
                raise LocalError("the file has changed")
            self.sizes.append(size)
            yield memoryview(self.data)[start : start + size]


def sends(connection: Connection, stream: Chunks) -> Side:
    return Side(connection, scu.store(connection, 3, dict(STORE), scp.answer, stream))


@pytest.mark.parametrize("length", [0, 2, 16370, 16372, 524288, 1_300_000])
def test_a_data_set_arrives_as_it_is_read(length: int) -> None:
    requestor, acceptor = associated()
    data = bytes(range(256)) * (length // 256) + bytes(length % 256)
    got: list[bytes | None] = []

    def on_store(message: Message) -> int:
        got.append(data_of(message))
        return 0

    one = sends(requestor, Chunks(data))
    play(one, serves(acceptor, EVT_C_STORE=on_store))
    assert got == [data + bytes(length % 2)]  # an odd one is made even
    assert one.result.command["Status"] == 0


@pytest.mark.parametrize("length", [1, 16371, 1_300_001])
def test_a_data_set_of_odd_length_gets_a_byte(length: int) -> None:
    requestor, acceptor = associated()
    got: list[bytes | None] = []
    one = sends(requestor, Chunks(bytes(length)))
    play(one, serves(acceptor, EVT_C_STORE=lambda message: got.append(data_of(message))))
    assert got == [bytes(length + 1)]


def test_a_data_set_is_read_in_parts_of_whole_fragments() -> None:
    requestor, acceptor = associated()
    stream = Chunks(bytes(1_300_000))
    one = sends(requestor, stream)
    play(one, serves(acceptor, EVT_C_STORE=lambda message: 0))
    assert len(set(stream.sizes)) == 1
    assert stream.sizes[0] % requestor.fragment == 0
    assert 0.9 * scu.CHUNK < stream.sizes[0] <= scu.CHUNK
    sizes = [len(pdu.values[0].data) for pdu in one.sent if isinstance(pdu, PDataTF)]
    assert sizes.count(requestor.fragment) == 1_300_000 // requestor.fragment


def test_no_more_than_a_part_is_held_at_once() -> None:
    requestor, _ = associated()
    stream = Chunks(bytes(3 * scu.CHUNK))
    conversation = scu.store(requestor, 3, dict(STORE), scp.answer, stream)
    held = []
    while conversation.send(None) is FLUSH:
        held.append(sum(map(len, requestor.out)))
        requestor.out.clear()
    assert len(held) == 4
    assert max(held) < scu.CHUNK * 1.1


def test_a_tiny_peer_gets_what_fits_it() -> None:
    requestor, acceptor = associated(answer=(MaximumLength(64),))
    stream = Chunks(bytes(1000))
    one = sends(requestor, stream)
    play(one, serves(acceptor, EVT_C_STORE=lambda message: 0))
    assert max(len(pdu.encode()) for pdu in one.sent) <= 64 + 6
    assert one.result.command["Status"] == 0


def test_a_data_set_that_breaks_off_aborts_and_says_why() -> None:
    requestor, acceptor = associated()
    stored: list[Message] = []
    one = sends(requestor, Chunks(bytes(2 * scu.CHUNK), breaks_at=1))
    play(one, serves(acceptor, EVT_C_STORE=stored.append))
    assert isinstance(one.error, LocalError)
    assert "the file has changed" in str(one.error)
    assert one.sent[-1] == Abort(0, 0)
    assert requestor.ended is not None
    assert requestor.ended.__cause__ is one.error
    assert stored == []


def test_a_data_set_that_cannot_be_read_at_all_harms_no_association() -> None:
    requestor, acceptor = associated()
    one = sends(requestor, Chunks(bytes(2 * scu.CHUNK), breaks_at=0))
    play(one, serves(acceptor))
    assert isinstance(one.error, LocalError)
    assert one.sent == []
    assert requestor.ended is None
    again = asks(requestor)
    play(again, serves(acceptor, EVT_C_ECHO=lambda message: 0))
    assert again.result.command["Status"] == 0


def test_a_release_in_the_middle_of_a_data_set_is_answered_after_it() -> None:
    requestor, _ = associated()
    conversation = scu.store(requestor, 3, dict(STORE), scp.answer, Chunks(bytes(1_300_000)))
    assert conversation.send(None) is FLUSH
    requestor.out.clear()
    feed(requestor, ReleaseRQ().encode())  # read while the socket was full
    one = Side(requestor, conversation)
    one.advance()
    assert isinstance(one.error, Released)
    assert isinstance(one.sent[-1], ReleaseRP)
    assert isinstance(one.sent[-2], PDataTF)
    assert one.sent[-2].values[0].control == 2  # the last fragment


def test_the_class_of_a_store_is_the_affected_one() -> None:
    command = scu.command_for(C_STORE, 7, CT, Priority=2, AffectedSOPInstanceUID="1.2.3")
    assert command == STORE


def test_the_dataset_of_a_response_is_the_one_that_assignments_make() -> None:
    elements = {"Status": 0xB000, "NumberOfFailedSuboperations": 3, "ErrorComment": "two\\texts"}
    response = Response(BY_NAME["C-GET"], Message(1, {"CommandField": 0x8010, **elements}, None))
    expected = Dataset()
    for keyword, value in elements.items():
        setattr(expected, keyword, value)
    made = response.dataset()
    assert made == expected
    made.Status = 0
    assert response.dataset() == expected
    assert response.encoded is response.decode() is None

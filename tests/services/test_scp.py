"""Turns requests of a service class user into responses of handlers, or of none, in memory."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset

from dicomwire.dataset.errors import UndecodableDataSet
from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Aborted, DimseError, LimitReached, Released
from dicomwire.protocol.messages import Memory, Message
from dicomwire.protocol.pdus import Abort, ReleaseRP, ReleaseRQ
from dicomwire.services import scp
from dicomwire.services.association import abort, release
from dicomwire.services.responding import read_status, response_for
from dicomwire.services.wants import Call, Flush, PutOff, Timer
from dicomwire.standard.dimse import C_STORE, SERVICES
from tests.protocol import pairs
from tests.protocol.pairs import CT, ECHO, STORE, VERIFICATION, associated, feed
from tests.services.stage import Side, message, play, responses


class Spy(Memory):
    """A sink that tells whether it was dropped, and may have failed."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.error = error
        self.discarded = 0

    def discard(self) -> None:
        self.discarded += 1


def answered(asked: Message, **handlers: Any) -> tuple[Side, Command]:
    """What a request is answered with."""
    _, acceptor = associated()
    side = Side(acceptor, scp.answer(acceptor, asked), handlers)
    side.advance()
    side.flush()
    assert side.done, "waits for something"
    assert side.error is None
    found = responses(side)
    return side, found[0] if found else {}


def echo_status(handler: Any) -> Command:
    return answered(message(1, ECHO), EVT_C_ECHO=handler)[1]


def store_status(handler: Any) -> Command:
    return answered(message(3, STORE, Spy()), EVT_C_STORE=handler)[1]


def raising(message: Message) -> int:
    raise KeyError("of a handler")


def status(**elements: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def test_an_echo_without_a_handler_succeeds() -> None:
    side, response = answered(message(1, ECHO))
    assert response == {
        "AffectedSOPClassUID": VERIFICATION,
        "CommandField": 0x8030,
        "MessageIDBeingRespondedTo": 1,
        "CommandDataSetType": 0x0101,
        "Status": 0,
    }
    assert side.heard == ["EVT_C_ECHO"]


def test_a_store_without_a_handler_fails() -> None:
    _, response = answered(message(3, STORE, Spy()))
    assert response["Status"] == 0xC211
    assert response["AffectedSOPInstanceUID"] == "1.2.3"
    assert response["MessageIDBeingRespondedTo"] == 7


def test_a_handler_that_raises_gives_the_status_of_its_service() -> None:
    assert echo_status(raising)["Status"] == 0x0000
    assert store_status(raising)["Status"] == 0xC211


def test_the_peer_is_told_when_its_data_set_was_the_reason() -> None:
    def decoding(message: Message) -> int:
        raise UndecodableDataSet("The data set of Doe^Jane cannot be decoded")

    found = store_status(decoding)
    assert found["Status"] == 0xC211
    assert found["ErrorComment"] == "the data set of the request cannot be decoded"


@pytest.mark.parametrize("ask", [echo_status, store_status])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0x0000, 0x0000),
        (0xB006, 0xB006),
        (0xA700, 0xA700),
        (0x1234, 0x1234),  # of no service: sent as it is
        (0xFFFF, 0xFFFF),
        (status(Status=0xC123), 0xC123),
        (Dataset(), 0xC001),
        (status(ErrorComment="no status"), 0xC001),
        (status(Status=None), 0xC001),
        (None, 0xC002),
        ("0x0000", 0xC002),
        (1.5, 0xC002),
        ((0x0000, None), 0xC002),
        (0x10000, 0xC002),  # does not fit the element
        (-1, 0xC002),
    ],
    ids=repr,
)
def test_what_a_handler_returns_becomes_a_status(ask: Any, value: Any, expected: int) -> None:
    assert ask(lambda message: value)["Status"] == expected


def test_what_explains_a_status_goes_along() -> None:
    tags = [0x00080016, 0x00080018]
    value = status(Status=0xA900, ErrorComment="wrong class", OffendingElement=tags)
    response = store_status(lambda message: value)
    assert response["Status"] == 0xA900
    assert response["ErrorComment"] == "wrong class"
    assert response["OffendingElement"] == tags
    one = store_status(lambda message: status(Status=0xA900, OffendingElement=0x00100010))
    assert one["OffendingElement"] == [0x00100010]


def test_what_the_response_of_a_service_cannot_carry_stays_behind() -> None:
    value = status(Status=0, OffendingElement=0x00100010, PatientName="A^B", ErrorComment="fine")
    response = echo_status(lambda message: value)
    assert response["ErrorComment"] == "fine"
    assert "OffendingElement" not in response


@pytest.mark.parametrize(
    "value",
    [
        status(Status=0xA700, ErrorComment="größer"),
        status(Status=0xA700, ErrorComment="x" * 100),
        status(Status=0xA700, ErrorComment=None),
        status(Status=0xA700, ErrorComment=""),
        status(Status=0xA700, ErrorComment="C:\\images\\7"),
        status(Status=0xA700, OffendingElement=None),
        status(Status=0xA700, OffendingElement=[]),
    ],
    ids=["not ASCII", "long", "None", "empty", "path", "no element", "no elements"],
)
def test_a_comment_that_does_not_fit_does_not_cost_the_response(value: Dataset) -> None:
    response = store_status(lambda message: value)
    assert response["Status"] == 0xA700
    assert len(response.get("ErrorComment", "")) <= 64


@pytest.mark.parametrize("handler", [lambda message: 0, raising, None])
def test_the_data_set_is_dropped_after_the_handler(handler: Any) -> None:
    sink = Spy()
    handlers = {"EVT_C_STORE": handler} if handler else {}
    answered(message(3, STORE, sink), **handlers)
    assert sink.discarded == 1


def test_a_data_set_that_was_not_written_is_out_of_resources() -> None:
    sink = Spy(OSError(28, "No space left on device"))
    called: list[Message] = []
    side, response = answered(message(3, STORE, sink), EVT_C_STORE=called.append)
    assert response["Status"] == 0xA700
    assert response["ErrorComment"]
    assert called == []
    assert side.heard == ["data set not written"]
    assert sink.discarded == 1


# -- requests that no handler sees ----------------------------------------------------------

WITHOUT_CLASS = {key: value for key, value in STORE.items() if key != "AffectedSOPClassUID"}
WITHOUT_INSTANCE = {key: value for key, value in STORE.items() if key != "AffectedSOPInstanceUID"}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (message(3, WITHOUT_CLASS, Spy()), 0x0120),
        (message(3, WITHOUT_INSTANCE, Spy()), 0x0120),
        (message(3, {**STORE, "AffectedSOPInstanceUID": ""}, Spy()), 0x0120),
        (message(3, STORE), 0x0120),
        (message(1, ECHO, Spy()), 0x0120),
        (message(1, STORE, Spy()), 0x0122),
        (message(3, ECHO), 0x0122),
        (message(3, {**STORE, "AffectedSOPClassUID": "1.2"}, Spy()), 0x0122),
        (message(3, {**STORE, "CommandField": 0x7777}, Spy()), 0x0211),
        (message(3, {"CommandField": 0x7777, "MessageID": 3}), 0x0211),
        (message(3, STORE, Spy())._replace(is_repeated=True), 0x0210),
    ],
    ids=["no class", "no instance", "empty instance", "no data set", "echo with data set",
         "store on Verification", "echo on CT", "class of no context", "unknown command",
         "unknown and bare", "of an ID under way"],
)  # fmt: skip
def test_a_request_that_cannot_be_gets_its_status(asked: Message, expected: int) -> None:
    called: list[Message] = []
    _, response = answered(asked, EVT_C_STORE=called.append, EVT_C_ECHO=called.append)
    assert response["Status"] == expected
    assert response["CommandField"] == asked.command["CommandField"] | 0x8000
    assert response["MessageIDBeingRespondedTo"] == asked.command["MessageID"]
    assert called == []
    if isinstance(asked.data, Spy):
        assert asked.data.discarded == 1


def test_a_response_that_nobody_asked_for_is_answered_with_an_abort() -> None:
    _, acceptor = associated()
    stray = message(1, {**ECHO, "CommandField": 0x8030, "Status": 0})
    side = Side(acceptor, scp.answer(acceptor, stray))
    side.advance()
    assert side.sent == [Abort(0, 0)]
    assert acceptor.ended is not None
    assert isinstance(acceptor.ended.__cause__, DimseError)


def test_a_cancel_of_nothing_is_ignored() -> None:
    cancel = {"CommandField": 0x0FFF, "MessageIDBeingRespondedTo": 9}
    acceptor, side = serving(pairs.message(1, cancel), pairs.message(1, ECHO))
    assert [each["CommandField"] for each in responses(side)] == [0x8030]
    assert acceptor.ended is None


@pytest.mark.parametrize("row", SERVICES, ids=lambda row: row.name)
def test_every_service_echoes_the_uids_of_the_request(row: Any) -> None:
    asked = {"CommandField": row.command_field, "MessageID": 4, row.class_uid: CT}
    if row.instance_uid:
        asked[row.instance_uid] = "1.2.3"
    response = response_for(asked, 0, {})
    assert response["AffectedSOPClassUID"] == CT
    assert response["AffectedSOPInstanceUID"] == ("1.2.3" if row.instance_uid else None)
    assert response["CommandField"] == row.command_field | 0x8000


# -- serving -------------------------------------------------------------------------------


def serving(*arriving: bytes, **handlers: Any) -> tuple[Connection, Side]:
    acceptor = pairs.raw_acceptor()
    side = Side(acceptor, scp.serve(acceptor), handlers)
    side.advance()
    for data in arriving:
        feed(acceptor, data)
    side.advance()
    side.flush()
    return acceptor, side


def test_requests_are_served_in_order_until_the_release() -> None:
    requests = [pairs.message(1, {**ECHO, "MessageID": number}) for number in range(1, 5)]
    acceptor, side = serving(b"".join(requests) + ReleaseRQ().encode())
    assert [each["MessageIDBeingRespondedTo"] for each in responses(side)] == [1, 2, 3, 4]
    assert side.sent[-1] == ReleaseRP()
    assert (side.done, side.error) == (True, None)
    assert isinstance(acceptor.ended, Released)
    assert set(side.timers) == {Timer.NETWORK}


@pytest.mark.parametrize("ending", [abort, release])
def test_a_handler_that_ends_the_association_is_not_answered(ending: Any) -> None:
    acceptor = pairs.raw_acceptor()

    def handler(message: Message) -> int:
        inner = Side(acceptor, ending(acceptor))
        inner.advance()
        if ending is release:
            inner.flush()
            feed(acceptor, ReleaseRP().encode())
            inner.advance()
        sent.extend(inner.sent)
        return 0

    sent: list[Any] = []
    side = Side(acceptor, scp.serve(acceptor), {"EVT_C_ECHO": handler})
    side.advance()
    feed(acceptor, pairs.message(1, ECHO))
    side.advance()
    side.flush()
    assert side.sent == []
    assert sent == [Abort(0, 0) if ending is abort else ReleaseRQ()]
    assert side.error is acceptor.ended
    assert isinstance(side.error, Aborted if ending is abort else Released)


def test_what_came_while_nobody_waited_is_attended_to() -> None:
    acceptor = pairs.raw_acceptor()
    feed(acceptor, pairs.message(1, ECHO) + ReleaseRQ().encode())
    side = Side(acceptor, scp.attend(acceptor))
    side.advance()
    assert [each["CommandField"] for each in responses(side)] == [0x8030]
    assert side.sent[-1] == ReleaseRP()
    assert (side.done, side.error) == (True, None)


def test_a_store_goes_to_its_handler_with_the_data() -> None:
    got: list[bytes | None] = []

    def handler(message: Message) -> int:
        got.append(pairs.data_of(message))
        return 0

    _, side = serving(pairs.message(3, STORE, b"data"), EVT_C_STORE=handler)
    assert got == [b"data"]
    assert responses(side)[0]["Status"] == 0


def test_read_status_takes_any_class_of_data_set() -> None:
    from pydicom.dataset import FileDataset

    value = FileDataset("x", {})
    value.Status = 0xB000
    assert read_status(value, C_STORE) == (0xB000, {})


def test_one_side_serves_the_other() -> None:
    requestor, acceptor = associated()
    one, other = Side(requestor, release(requestor)), Side(acceptor, scp.serve(acceptor))
    play(one, other)
    assert (other.done, other.error) == (True, None)


@pytest.mark.parametrize("waiting", [True, False])
def test_a_response_may_leave_with_the_next_when_that_request_is_here(waiting: bool) -> None:
    _, acceptor = associated()
    if waiting:
        acceptor.events.append(message(3, {**STORE, "MessageID": 9}, Spy()))
    conversation = scp.answer(acceptor, message(3, STORE, Spy()))
    assert isinstance(next(conversation), Call)
    flush = conversation.send(0)
    assert isinstance(flush, Flush)
    assert flush.more_follows is waiting


# -- what is put off, and what there is no room for -----------------------------------------------


class Later(PutOff):
    """What a handler has left to be done, and whether it was waited for."""

    def __init__(self) -> None:
        self.is_done = False

    def close(self) -> None:
        self.is_done = True


def stores(side: Side, *numbers: int) -> None:
    """Let requests come."""
    for number in numbers:
        feed(side.connection, pairs.message(3, {**STORE, "MessageID": number}, b"data"))
    side.advance()


def test_as_much_may_be_put_off_as_was_granted() -> None:
    _, acceptor = associated()
    acceptor.may_perform = 2
    left: list[Later] = []

    def put_off(message: Message, may_put_off: bool) -> Later:
        assert may_put_off
        left.append(Later())
        return left[-1]

    side = Side(acceptor, scp.serve(acceptor), {"EVT_C_STORE": put_off})
    side.advance()
    stores(side, 1)
    assert [each.is_done for each in left] == [False]
    stores(side, 2, 3)
    assert [each.is_done for each in left] == [True, True, False]
    feed(acceptor, pairs.message(1, {**ECHO, "MessageID": 4}))
    side.advance()
    assert [each.is_done for each in left] == [True, True, True]
    stores(side, 5)
    feed(acceptor, ReleaseRQ().encode())
    side.advance()
    assert left[-1].is_done
    assert isinstance(side.sent[-1], ReleaseRP)


def test_a_status_is_no_work_that_is_put_off() -> None:
    _, acceptor = associated()
    acceptor.may_perform = 0  # as many as one likes
    store = {"EVT_C_STORE": lambda message, may_put_off: 0xB000}
    side = Side(acceptor, scp.serve(acceptor), store)
    side.advance()
    stores(side, 1, 2)
    side.flush()
    assert [each["Status"] for each in responses(side)] == [0xB000, 0xB000]


@pytest.mark.parametrize(
    ("error", "said", "comment"),
    [
        (LimitReached("A data set of more than 9 bytes", "memory"), "limit reached", "too long"),
        (OSError("no room"), "data set not written", "cannot be written"),
    ],
)
@pytest.mark.parametrize(
    ("field", "status"), [(0x0020, 0xA700), (0x0010, 0xA701), (0x0021, 0xA701), (0x0120, 0x0213)]
)
def test_a_data_set_there_is_no_room_for(
    field: int, status: int, error: Exception, said: str, comment: str
) -> None:
    kind = "Requested" if field == 0x0120 else "Affected"
    command = {
        **ECHO,
        "CommandField": field,
        f"{kind}SOPClassUID": VERIFICATION,
        f"{kind}SOPInstanceUID": "1.2.3",
        "MoveDestination": "THERE",
        "CommandDataSetType": 1,
    }
    sink = Spy(error)
    side, found = answered(message(1, command, sink))
    assert found["Status"] == status
    assert found["ErrorComment"].endswith(comment)
    assert side.heard == [said]
    assert sink.discarded == 1

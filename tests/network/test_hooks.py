"""Turns what handlers do, good or bad, into the statuses that the other end sees."""

from __future__ import annotations

import copy
import logging
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import UID

from dicomwire import build_role, evt
from dicomwire.protocol.items import (
    AsynchronousOperationsWindow,
    MaximumLength,
    RoleSelection,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentity,
)
from tests.network.ends import (
    CT,
    EXPLICIT,
    LOCAL,
    VERIFICATION,
    WAIT,
    Box,
    Peer,
    call,
    dialled,
    entity,
    established,
    image,
    lines,
    port_of,
    scripted,
    serving,
)
from tests.protocol import pairs


def status(**elements: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


class Unruly(Exception):
    """What a handler raises."""


def raising(event: Any) -> int:
    raise Unruly("on purpose")


EXPLAINED = status(Status=0xA900, ErrorComment="wrong class", OffendingElement=0x00080016)
RETURNED = [
    (lambda event: 0x0000, {"Status": 0x0000}),
    (lambda event: 0xB000, {"Status": 0xB000}),
    (lambda event: 0xA701, {"Status": 0xA701}),
    (lambda event: 0x1234, {"Status": 0x1234}),
    (lambda event: status(Status=0xC123), {"Status": 0xC123}),
    (lambda event: EXPLAINED,
     {"Status": 0xA900, "ErrorComment": "wrong class", "OffendingElement": 0x00080016}),
    (lambda event: Dataset(), {"Status": 0xC001}),
    (lambda event: None, {"Status": 0xC002}),
    (lambda event: "fine", {"Status": 0xC002}),
    (lambda event: 70000, {"Status": 0xC002}),
]  # fmt: skip


@pytest.mark.parametrize(("handler", "expected"), RETURNED)
def test_what_a_store_handler_returns_reaches_the_peer(handler: Any, expected: Any) -> None:
    with established((evt.EVT_C_STORE, handler)) as (assoc, _):
        found = assoc.send_c_store(image())
        assert {each.keyword: each.value for each in found} == expected
        assert assoc.send_c_echo().Status == 0


def test_a_handler_that_raises_is_answered_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    handlers = [(evt.EVT_C_STORE, raising), (evt.EVT_C_ECHO, raising)]
    with established(*handlers) as (assoc, _):
        assert assoc.send_c_store(image()).Status == 0xC211
        assert assoc.send_c_echo().Status == 0x0000
        assert assoc.is_established
    logged = [record for record in caplog.records if record.exc_info]
    assert len(logged) == 2
    assert all(isinstance(record.exc_info[1], Unruly) for record in logged)  # type: ignore[index]
    assert "EVT_C_STORE" in logged[0].getMessage()


def test_a_store_without_a_handler_fails_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with established() as (assoc, _):
        assert assoc.send_c_store(image()).Status == 0xC211
    assert any("EVT_C_STORE" in line for line in lines(caplog, logging.ERROR))


def test_an_echo_without_a_handler_succeeds(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dicomwire")
    with established() as (assoc, _):
        assert assoc.send_c_echo(msg_id=7).Status == 0
    said = lines(caplog)
    for line in (
        "Sending Echo Request: MsgID 7",
        "Received Echo Request (MsgID 7)",
        "Received Echo Response (Status: 0x0000 - Success)",
    ):
        assert line in said


def test_a_store_says_what_it_does(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dicomwire")
    with established((evt.EVT_C_STORE, lambda event: 0xB007)) as (assoc, _):
        assoc.send_c_store(image(), msg_id=9)
    said = lines(caplog)
    assert "Sending Store Request: MsgID 9, (CT)" in said
    assert "Received Store Request" in said
    assert "Received Store Response (Status: 0xB007 - Warning)" in said


def test_a_handler_sees_the_request() -> None:
    box = Box()
    with established((evt.EVT_C_STORE, box.put)) as (assoc, acceptor):
        assoc.send_c_store(image("1.2.3"), 11, 1, originator_aet="MOVER", originator_id=5)
        event = box.wait()[0]
        assert event.assoc is acceptor
        assert event.event is evt.EVT_C_STORE
        assert event.message_id == 11
        request = event.request
        assert request is event.request
        assert request.msg_type == "C-STORE"
        assert request.MessageID == 11
        assert request.Priority == 1
        assert request.AffectedSOPClassUID == CT
        assert isinstance(request.AffectedSOPClassUID, UID)
        assert request.AffectedSOPInstanceUID == "1.2.3"
        assert request.MoveOriginatorApplicationEntityTitle == "MOVER"
        assert request.MoveOriginatorMessageID == 5
        assert request.DataSet.getvalue() == event.encoded_dataset(include_meta=False)
        assert request.ErrorComment is None
        assert event.context == (3, CT, event.context.transfer_syntax)
        assert event.context.abstract_syntax.name == "CT Image Storage"
        with pytest.raises(AttributeError, match="EventInformation"):
            _ = request.EventInformation
        with pytest.raises(AttributeError, match="EVT_C_STORE, which has no 'identifier'"):
            _ = event.identifier
        assert event.timestamp is not None


def test_a_dataset_is_decoded_once_and_has_its_file_meta() -> None:
    box = Box()
    with established((evt.EVT_C_STORE, box.put)) as (assoc, _):
        assoc.send_c_store(image("1.2.3"))
        event = box.wait()[0]
        assert event.dataset is event.dataset
        assert event.dataset.PatientName == "Doe^Jane"
        meta = event.file_meta
        assert meta.MediaStorageSOPClassUID == CT
        assert meta.MediaStorageSOPInstanceUID == "1.2.3"
        assert meta.TransferSyntaxUID == event.context.transfer_syntax
        assert meta.FileMetaInformationVersion == b"\0\1"
        assert meta.ImplementationVersionName.startswith("DICOMWIRE_")
        with pytest.raises(AttributeError, match="in memory"):
            _ = event.dataset_path
        with pytest.raises(AttributeError, match="in memory"):
            event.open_dataset()


def test_an_event_may_be_looked_at_after_the_handler_has_returned() -> None:
    box = Box()
    with established((evt.EVT_C_STORE, box.put)) as (assoc, acceptor):
        assert assoc.send_c_store(image("1.2.3")).Status == 0
        assoc.release()
        acceptor.join(WAIT)
    event = box.things[0]
    assert len(event.encoded_dataset()) > 132
    assert len(event.request.DataSet.getvalue()) > 0
    assert event.dataset.SOPInstanceUID == "1.2.3"
    assert copy.copy(event.request).MessageID == 1


def test_a_handler_may_get_arguments_of_its_own() -> None:
    box = Box()

    def on_store(event: Any, first: str, second: int) -> int:
        box.put((event.message_id, first, second))
        return 0

    with established((evt.EVT_C_STORE, on_store, ["a", 2])) as (assoc, _):
        assert assoc.send_c_store(image()).Status == 0
    assert box.things == [(1, "a", 2)]


# -- negotiation -------------------------------------------------------------------------------

IDENTITIES = [
    (1, b"user", b"", b"", b""),
    (2, b"user", b"pass", b"", b""),
    (3, b"ticket", b"", b"answer", b"answer"),
    (4, b"<saml/>", b"", b"answer", b"answer"),
    (5, b"ey.J.w", b"", b"answer", b"answer"),
]


@pytest.mark.parametrize(("kind", "primary", "secondary", "given", "expected"), IDENTITIES)
def test_each_type_of_user_identity_is_shown_and_answered(
    kind: int, primary: bytes, secondary: bytes, given: bytes, expected: bytes
) -> None:
    box = Box()

    def verify(event: Any) -> tuple[bool, bytes]:
        box.put((event.user_id_type, event.primary_field, event.secondary_field))
        return True, given

    item = UserIdentity(kind, True, primary, secondary)
    with established((evt.EVT_USER_ID, verify), ext_neg=[item]) as (assoc, acceptor):
        assert box.things == [(kind, primary, secondary if kind == 2 else None)]
        assert acceptor.requestor.user_identity == item
        answer = assoc.acceptor.user_identity
        assert answer is not None
        assert answer.server_response == expected


@pytest.mark.parametrize("verify", [raising, lambda event: (False, b""), lambda event: True])
def test_a_user_identity_handler_keeps_out_whom_it_does_not_know(verify: Any) -> None:
    with serving(None, (evt.EVT_USER_ID, verify)) as server:
        assoc = call(server, ext_neg=[UserIdentity(1, False, b"x")])
        assert assoc.is_rejected
        assert call(server).is_established


def test_extended_negotiations_reach_their_handlers_and_come_back() -> None:
    box = Box()
    extended = SOPClassExtendedNegotiation(CT, b"\1\0")
    common = SOPClassCommonExtendedNegotiation(CT, "1.2.840.10008.4.2", ["1.2.3"])

    def on_extended(event: Any) -> dict[str, bytes]:
        box.put(dict(event.app_info))
        return {CT: b"\2"}

    def on_common(event: Any) -> Any:
        box.put(dict(event.items))
        return event.items

    def on_async(event: Any) -> tuple[int, int]:
        box.put((event.nr_invoked, event.nr_performed))
        return event.nr_invoked, event.nr_performed

    handlers = [
        (evt.EVT_SOP_EXTENDED, on_extended),
        (evt.EVT_SOP_COMMON, on_common),
        (evt.EVT_ASYNC_OPS, on_async),
    ]
    items = [extended, common, AsynchronousOperationsWindow(3, 4)]
    with established(*handlers, ext_neg=items) as (assoc, acceptor):
        assert box.things == [{CT: b"\1\0"}, {CT: common}, (3, 4)]
        assert assoc.acceptor.sop_class_extended == {CT: b"\2"}
        assert assoc.acceptor.sop_class_common_extended == {}
        assert assoc.acceptor.asynchronous_operations == (3, 4)
        assert assoc.requestor.asynchronous_operations == (3, 4)
        assert acceptor.requestor.sop_class_extended == {CT: b"\1\0"}
        assert acceptor.requestor.sop_class_common_extended == {CT: common}
        assert assoc.send_c_echo().Status == 0


def test_without_handlers_nothing_is_negotiated() -> None:
    items = [SOPClassExtendedNegotiation(CT, b"\1"), AsynchronousOperationsWindow(3, 4)]
    with established(ext_neg=items) as (assoc, _):
        assert assoc.acceptor.extended_negotiation == []
        assert assoc.acceptor.asynchronous_operations == (1, 1)


def test_a_negotiation_item_has_to_be_one() -> None:
    with serving() as server, pytest.raises(TypeError, match="negotiation items"):
        call(server, ext_neg=["user"])


def test_a_handler_of_the_request_may_reject_through_acse() -> None:
    def on_requested(event: Any) -> None:
        event.assoc.acse.send_reject(1, 1, 1)

    with serving(None, (evt.EVT_REQUESTED, on_requested)) as server:
        assoc = call(server)
        assert assoc.is_rejected
        assert (assoc.ended.source, assoc.ended.reason) == (1, 1)


# -- the requestor as SCP ----------------------------------------------------------------------


def test_a_requestor_with_the_role_serves_what_the_peer_asks_while_it_is_idle() -> None:
    box = Box()
    answers: list[Any] = []

    def script(peer: Peer) -> None:
        peer.accept(MaximumLength(16382), RoleSelection(CT, True, True))
        peer.send(pairs.message(3, pairs.STORE, b"data"))
        answers.append(peer.command())
        assert peer.read() == pairs.ReleaseRQ()
        peer.send(pairs.ReleaseRP())

    def on_store(event: Any) -> int:
        box.put(event.encoded_dataset(include_meta=False))
        return 0xB000

    with scripted(script) as port:
        role = build_role(CT, scu_role=True, scp_role=True)
        assoc = entity().associate(
            LOCAL, port, ext_neg=[role], evt_handlers=[(evt.EVT_C_STORE, on_store)]
        )
        assert box.wait() == [b"data"]
        assoc.release()
    assert answers[0]["Status"] == 0xB000


def test_a_store_on_the_wrong_context_is_refused_without_the_handler() -> None:
    box = Box()
    with serving(None, (evt.EVT_C_STORE, box.put)) as server, dialled(port_of(server)) as peer:
        peer.send(pairs.message(1, pairs.STORE, b"data"))
        assert peer.command()["Status"] == 0x0122
        peer.send(pairs.message(3, {**pairs.STORE, "AffectedSOPInstanceUID": ""}, b"data"))
        assert peer.command()["Status"] == 0x0120
        peer.send(pairs.message(1, pairs.ECHO))
        assert peer.command()["Status"] == 0
    assert box.things == []


def test_a_handler_bound_while_it_serves_is_used() -> None:
    with established() as (assoc, acceptor):
        acceptor.bind(evt.EVT_C_STORE, lambda event: 0xB000)
        assert assoc.send_c_store(image()).Status == 0xB000
        acceptor.bind(evt.EVT_C_STORE, lambda event: 0xB006)
        assert assoc.send_c_store(image()).Status == 0xB006


def test_a_deflated_data_set_is_decoded() -> None:
    box = Box()
    ae = entity("SCP")
    ae.supported_contexts = []
    ae.add_supported_context(CT, "1.2.840.10008.1.2.1.99")
    ae.add_supported_context(VERIFICATION)
    with established((evt.EVT_C_STORE, box.put), scp=ae) as (assoc, acceptor):
        assert assoc.send_c_store(image(syntax=EXPLICIT)).Status == 0
        assert box.wait()[0].dataset.PatientID == "42"
        assoc.release()
        acceptor.join(WAIT)

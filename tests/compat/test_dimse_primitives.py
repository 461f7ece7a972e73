"""Assigns to the parameters of DIMSE services, and asks whether they make a message."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from dicomwire import dimse_primitives as door
from dicomwire.standard.dimse import SERVICES

KINDS = [getattr(door, row.name.replace("-", "_")) for row in SERVICES]
REQUIRED = {
    "C-ECHO": "MessageID AffectedSOPClassUID",
    "C-STORE": "MessageID AffectedSOPClassUID AffectedSOPInstanceUID Priority DataSet",
    "C-FIND": "MessageID AffectedSOPClassUID Priority Identifier",
    "C-GET": "MessageID AffectedSOPClassUID Priority Identifier",
    "C-MOVE": "MessageID AffectedSOPClassUID Priority Identifier MoveDestination",
    "N-EVENT-REPORT": "MessageID AffectedSOPClassUID EventTypeID AffectedSOPInstanceUID",
    "N-GET": "MessageID RequestedSOPClassUID RequestedSOPInstanceUID",
    "N-SET": "MessageID RequestedSOPClassUID RequestedSOPInstanceUID ModificationList",
    "N-ACTION": "MessageID RequestedSOPClassUID RequestedSOPInstanceUID ActionTypeID",
    "N-CREATE": "MessageID AffectedSOPClassUID",
    "N-DELETE": "MessageID RequestedSOPClassUID RequestedSOPInstanceUID",
}
VALUES = {
    "Priority": 1,
    "MessageID": 7,
    "EventTypeID": 1,
    "ActionTypeID": 1,
    "MoveDestination": "A",
}


BOXED = [pytest.param(k, marks=pytest.mark.box(f"D.dimse_primitives.{k.__name__}")) for k in KINDS]


@pytest.mark.box("D.dimse_primitives.DIMSEPrimitive")
@pytest.mark.parametrize("kind", BOXED)
def test_a_request_is_valid_when_all_is_there_that_the_standard_asks_for(kind: type) -> None:
    message = kind()
    assert not message.is_valid_request
    assert sorted(message.REQUEST_KEYWORDS) == sorted(REQUIRED[message.msg_type].split())
    for name in message.REQUEST_KEYWORDS:
        streams = ("DataSet", "Identifier", "ModificationList")
        setattr(message, name, BytesIO(b"x") if name in streams else VALUES.get(name, "1.2"))
    assert message.is_valid_request


@pytest.mark.parametrize("kind", BOXED)
def test_a_response_is_valid_when_it_has_a_status_and_names_its_request(kind: type) -> None:
    message = kind()
    assert not message.is_valid_response
    message.Status = 0
    message.MessageIDBeingRespondedTo = 1
    assert message.is_valid_response
    assert all(getattr(message, name) is None for name in message.STATUS_OPTIONAL_KEYWORDS)


@pytest.mark.parametrize(
    ("kind", "name", "value", "kept"),
    [
        (door.C_STORE, "MessageID", 65535, 65535),
        (door.C_STORE, "AffectedSOPClassUID", b"1.2", "1.2"),
        (door.C_STORE, "AffectedSOPClassUID", "", None),
        (door.C_STORE, "MoveOriginatorApplicationEntityTitle", b"PACS", "PACS"),
        (door.C_GET, "NumberOfFailedSuboperations", 3, 3),
        (
            door.N_GET,
            "AttributeIdentifierList",
            [(0x10, 0x10), 0x00100020],
            [0x00100010, 0x00100020],
        ),
        (door.N_GET, "AttributeIdentifierList", [0x00100010], 0x00100010),
        (door.N_GET, "AttributeIdentifierList", None, None),
        (door.C_CANCEL, "MessageIDBeingRespondedTo", 5, 5),
    ],
)
def test_what_fits_is_kept(kind: type, name: str, value: Any, kept: Any) -> None:
    message = kind()
    setattr(message, name, value)
    assert getattr(message, name) == kept


@pytest.mark.parametrize(
    ("kind", "name", "value", "error"),
    [
        (door.C_STORE, "MessageID", 65536, ValueError),
        (door.C_STORE, "MessageID", "1", TypeError),
        (door.C_STORE, "Priority", 3, ValueError),
        (door.C_STORE, "Priority", None, ValueError),
        (door.C_STORE, "Status", "0", TypeError),
        (door.C_STORE, "DataSet", b"", TypeError),
        (door.C_STORE, "AffectedSOPClassUID", "1" * 65, ValueError),
        (door.C_STORE, "MoveOriginatorApplicationEntityTitle", 1, TypeError),
        (door.C_MOVE, "MoveDestination", "", ValueError),
        (door.C_GET, "NumberOfRemainingSuboperations", -1, ValueError),
        (door.N_GET, "AttributeIdentifierList", ["no keyword"], ValueError),
        (door.C_CANCEL, "MessageIDBeingRespondedTo", -1, ValueError),
    ],
)
def test_what_does_not_fit_is_refused_at_once(
    kind: type, name: str, value: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=name):
        setattr(kind(), name, value)


def test_a_parameter_that_the_service_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="C_ECHO has no parameter 'DataSet'"):
        _ = door.C_ECHO().DataSet


OPTIONAL = {
    "C-STORE": "OffendingElement ErrorComment",
    "C-FIND": "OffendingElement ErrorComment",
    "C-ECHO": "ErrorComment",
    "N-EVENT-REPORT": "AffectedSOPClassUID AffectedSOPInstanceUID EventTypeID ErrorComment ErrorID",
    "N-GET": "AttributeIdentifierList ErrorComment ErrorID",
    "N-SET": "AttributeIdentifierList ErrorComment ErrorID",
    "N-ACTION": "AttributeIdentifierList ErrorComment ErrorID",
    "N-CREATE": "ErrorComment ErrorID",
    "N-DELETE": "ErrorComment ErrorID",
}


@pytest.mark.parametrize("kind", BOXED)
def test_what_explains_a_status_has_its_place(kind: Any) -> None:
    wanted = set(OPTIONAL.get(kind().msg_type, "").split())
    assert wanted <= set(kind.STATUS_OPTIONAL_KEYWORDS)
    assert kind.RESPONSE_KEYWORDS == ("MessageIDBeingRespondedTo", "Status")


@pytest.mark.box("D.dimse_primitives.C_CANCEL")
def test_a_cancel_names_its_request_and_nothing_else() -> None:
    cancel = door.C_CANCEL()
    assert cancel.MessageIDBeingRespondedTo is None
    cancel.MessageIDBeingRespondedTo = 9
    assert "MessageIDBeingRespondedTo: 9" in str(cancel)


def test_a_primitive_prints_what_is_set_and_no_data() -> None:
    store = door.C_STORE()
    store.MessageID, store.DataSet = 7, BytesIO(b"Doe^Jane")
    for text in (str(store), repr(store)):
        assert "8 bytes" in text
        assert "Doe" not in text
        assert "Status" not in text
    assert len({store, door.C_STORE()}) == 2

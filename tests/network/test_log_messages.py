"""DIMSE messages into log lines: whole blocks, as people who read such logs know them."""

from __future__ import annotations

from typing import Any

import pytest

from dicomwire.network.log_messages import message_lines
from dicomwire.standard.dimse import C_CANCEL_RQ, RESPONSE, SERVICES

pytestmark = pytest.mark.no_socket

CT = "1.2.840.10008.5.1.4.1.1.2"
PATIENT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
PATIENT_GET = "1.2.840.10008.5.1.4.1.2.1.3"
PRINT_JOB = "1.2.840.10008.5.1.1.14"
INCOMING = "========================== INCOMING DIMSE MESSAGE =========================="
OUTGOING = "========================== OUTGOING DIMSE MESSAGE =========================="
END = "============================ END DIMSE MESSAGE ============================="


def shown(context_id: int, has_data: bool, outgoing: bool, **command: Any) -> str:
    """The block as one text, its frame taken off after a look at it."""
    lines = message_lines(context_id, command, has_data, outgoing)
    assert (lines[0], lines[-1]) == (OUTGOING if outgoing else INCOMING, END)
    return "\n".join(lines[1:-1]) + "\n"


def test_echo_request() -> None:
    text = shown(
        1, False, False, CommandField=0x0030, MessageID=1, AffectedSOPClassUID="1.2.840.10008.1.1"
    )
    assert text == (
        "Message Type                  : C-ECHO RQ\n"
        "Presentation Context ID       : 1\n"
        "Message ID                    : 1\n"
        "Data Set                      : None\n"
    )


def test_echo_response_for_another_class_than_verification() -> None:
    text = shown(
        3,
        False,
        True,
        CommandField=0x8030,
        MessageIDBeingRespondedTo=7,
        AffectedSOPClassUID="1.2.3",
        Status=0,
    )
    assert text == (
        "Message Type                  : C-ECHO RSP\n"
        "Presentation Context ID       : 3\n"
        "Message ID Being Responded To : 7\n"
        "Affected SOP Class UID        : 1.2.3\n"
        "Status                        : 0x0000 - Success\n"
    )


@pytest.mark.box("15.4")
def test_store_request_of_a_move() -> None:
    text = shown(
        13,
        True,
        True,
        CommandField=0x0001,
        MessageID=2,
        AffectedSOPClassUID=CT,
        AffectedSOPInstanceUID="1.2.3",
        Priority=2,
        MoveOriginatorApplicationEntityTitle="SCP",
        MoveOriginatorMessageID=1,
    )
    assert text == (
        "Message Type                  : C-STORE RQ\n"
        "Presentation Context ID       : 13\n"
        "Message ID                    : 2\n"
        "Affected SOP Class UID        : CT Image Storage\n"
        "Affected SOP Instance UID     : 1.2.3\n"
        "Move Originator               : SCP\n"
        "Data Set                      : Present\n"
        "Priority                      : Low\n"
    )


def test_store_response_with_an_error() -> None:
    text = shown(
        13,
        False,
        False,
        CommandField=0x8001,
        MessageIDBeingRespondedTo=2,
        AffectedSOPClassUID=CT,
        AffectedSOPInstanceUID="1.2.3",
        Status=0xA700,
        OffendingElement=[0x00100020, 0x7FE00010],
        ErrorComment="disk\r\nfull",
    )
    assert text == (
        "Message Type                  : C-STORE RSP\n"
        "Presentation Context ID       : 13\n"
        "Message ID Being Responded To : 2\n"
        "Affected SOP Class UID        : CT Image Storage\n"
        "Affected SOP Instance UID     : 1.2.3\n"
        "Status                        : 0xA700 - Failure\n"
        "Offending Element             : (0010,0020), (7FE0,0010)\n"
        "Error Comment                 : disk\\r\\nfull\n"
    )


def test_find_request_and_response() -> None:
    request = shown(
        3,
        True,
        False,
        CommandField=0x0020,
        MessageID=1,
        AffectedSOPClassUID=PATIENT_FIND,
        Priority=0,
    )
    assert request == (
        "Message Type                  : C-FIND RQ\n"
        "Presentation Context ID       : 3\n"
        "Message ID                    : 1\n"
        "Affected SOP Class UID        : Patient Root Query/Retrieve Information Model - FIND\n"
        "Identifier                    : Present\n"
        "Priority                      : Medium\n"
    )
    response = shown(
        3,
        True,
        True,
        CommandField=0x8020,
        MessageIDBeingRespondedTo=1,
        AffectedSOPClassUID=PATIENT_FIND,
        Status=0xFF00,
    )
    assert response == (
        "Message Type                  : C-FIND RSP\n"
        "Presentation Context ID       : 3\n"
        "Message ID Being Responded To : 1\n"
        "Affected SOP Class UID        : Patient Root Query/Retrieve Information Model - FIND\n"
        "Identifier                    : Present\n"
        "Status                        : 0xFF00 - Pending\n"
    )


def test_get_response_counts_sub_operations() -> None:
    text = shown(
        7,
        False,
        False,
        CommandField=0x8010,
        MessageIDBeingRespondedTo=1,
        AffectedSOPClassUID=PATIENT_GET,
        NumberOfRemainingSuboperations=0,
        NumberOfCompletedSuboperations=1,
        NumberOfFailedSuboperations=0,
        NumberOfWarningSuboperations=0,
        Status=0,
    )
    assert text == (
        "Message Type                  : C-GET RSP\n"
        "Presentation Context ID       : 7\n"
        "Message ID Being Responded To : 1\n"
        "Affected SOP Class UID        : Patient Root Query/Retrieve Information Model - GET\n"
        "Remaining Sub-operations      : 0\n"
        "Completed Sub-operations      : 1\n"
        "Failed Sub-operations         : 0\n"
        "Warning Sub-operations        : 0\n"
        "Identifier                    : None\n"
        "Status                        : 0x0000 - Success\n"
    )


def test_action_request_and_response() -> None:
    request = shown(
        11,
        True,
        True,
        CommandField=0x0130,
        MessageID=1,
        RequestedSOPClassUID=PRINT_JOB,
        RequestedSOPInstanceUID="1.2.3",
        ActionTypeID=1,
    )
    assert request == (
        "Message Type                  : N-ACTION RQ\n"
        "Presentation Context ID       : 11\n"
        "Message ID                    : 1\n"
        "Requested SOP Class UID       : Print Job SOP Class\n"
        "Requested SOP Instance UID    : 1.2.3\n"
        "Action Type ID                : 1\n"
        "Action Information            : Present\n"
    )
    response = shown(
        11,
        False,
        False,
        CommandField=0x8130,
        MessageIDBeingRespondedTo=1,
        AffectedSOPClassUID=PRINT_JOB,
        AffectedSOPInstanceUID="1.2.3",
        ActionTypeID=1,
        Status=0x0110,
        ErrorID=5,
    )
    assert response == (
        "Message Type                  : N-ACTION RSP\n"
        "Presentation Context ID       : 11\n"
        "Message ID Being Responded To : 1\n"
        "Affected SOP Class UID        : Print Job SOP Class\n"
        "Affected SOP Instance UID     : 1.2.3\n"
        "Action Type ID                : 1\n"
        "Action Reply                  : None\n"
        "Status                        : 0x0110 - Failure\n"
        "Error ID                      : 5\n"
    )


@pytest.mark.parametrize(
    ("tags", "words"), [(None, "None"), ([0x00100010], "(1 Attribute Tag(s))")]
)
def test_n_get_request_counts_its_tags(tags: list[int] | None, words: str) -> None:
    text = shown(
        11,
        False,
        True,
        CommandField=0x0110,
        MessageID=1,
        RequestedSOPClassUID=PRINT_JOB,
        RequestedSOPInstanceUID="1.2.3",
        AttributeIdentifierList=tags,
    )
    assert text == (
        "Message Type                  : N-GET RQ\n"
        "Presentation Context ID       : 11\n"
        "Message ID                    : 1\n"
        "Requested SOP Class UID       : Print Job SOP Class\n"
        "Requested SOP Instance UID    : 1.2.3\n"
        f"Attribute Identifier List     : {words}\n"
    )


def test_cancel() -> None:
    text = shown(3, False, True, CommandField=C_CANCEL_RQ, MessageIDBeingRespondedTo=1)
    assert text == (
        "Message Type                  : C-CANCEL RQ\n"
        "Presentation Context ID       : 3\n"
        "Message ID Being Responded To : 1\n"
    )


def test_a_request_that_lacks_what_it_must_have_shows_it() -> None:
    text = shown(5, True, False, CommandField=0x0021, MessageID=1, Priority=9)
    assert text == (
        "Message Type                  : C-MOVE RQ\n"
        "Presentation Context ID       : 5\n"
        "Message ID                    : 1\n"
        "Affected SOP Class UID        : None\n"
        "Move Destination              : None\n"
        "Identifier                    : Present\n"
        "Priority                      : 0x0009\n"
    )


def test_a_message_that_the_standard_does_not_know() -> None:
    text = shown(1, True, False, CommandField=0x0ABC, MessageID=1)
    assert text == (
        "Message Type                  : 0x0ABC\n"
        "Presentation Context ID       : 1\n"
        "Message ID                    : 1\n"
        "Data Set                      : Present\n"
    )


def test_data_where_none_belongs_is_seen() -> None:
    text = shown(1, True, False, CommandField=0x8001, MessageIDBeingRespondedTo=1, Status=0)
    assert "Data Set                      : Present\n" in text


@pytest.mark.parametrize("row", SERVICES, ids=lambda row: row.name)
@pytest.mark.parametrize("has_data", [True, False])
@pytest.mark.box("15.4")
def test_each_service_names_its_data_set_and_aligns_its_keys(row: Any, has_data: bool) -> None:
    for field, ending, name in (
        (row.command_field, "RQ", row.data_in),
        (row.command_field | RESPONSE, "RSP", row.data_out),
    ):
        command = {"CommandField": field, "MessageIDBeingRespondedTo": 1, "Status": 0}
        pairs = [line.split(": ") for line in message_lines(9, command, has_data, True)[1:-1]]
        assert pairs[:2] == [
            [f"{'Message Type':<30}", f"{row.name} {ending}"],
            [f"{'Presentation Context ID':<30}", "9"],
        ]
        assert {len(key) for key, _ in pairs} == {30}
        named = {key.replace(" ", ""): value for key, value in pairs}
        if name:
            assert named[name] == ("Present" if has_data else "None")


def test_a_peer_cannot_forge_lines() -> None:
    command = {
        "CommandField": 0x0021,
        "MessageID": 1,
        "AffectedSOPClassUID": "1.2\nD: forged",
        "AffectedSOPInstanceUID": "1\x1b[31m",
        "MoveDestination": "A\r\nI: Association",
        "Priority": 0,
    }
    lines = message_lines(1, command, True, False)
    assert all(line.isprintable() for line in lines)
    assert "Move Destination              : A\\r\\nI: Association" in lines

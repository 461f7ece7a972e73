"""The rows of the eleven DIMSE services are those of PS3.7 9.3, 10.3 and E.1."""

from __future__ import annotations

import pytest
from pydicom.datadict import dictionary_VR, keyword_for_tag, repeater_has_tag, tag_for_keyword

from dicomwire.standard.dimse import (
    BY_COMMAND_FIELD,
    BY_NAME,
    C_CANCEL_RQ,
    C_ECHO,
    C_STORE,
    COMMAND_ELEMENTS,
    DATA_SET,
    NO_DATA_SET,
    RESPONSE,
    SERVICES,
    message_name,
)
from tests.protocol.test_command import MESSAGES

# What every message has; the rows do not repeat it.
ALWAYS = {"MessageID", "MessageIDBeingRespondedTo", "CommandDataSetType", "Status"}


@pytest.mark.parametrize("name", MESSAGES)
def test_command_fields(name: str) -> None:
    assert message_name(MESSAGES[name][0]) == name


def test_other_numbers_have_no_name() -> None:
    assert message_name(0x7777) == "0x7777"
    assert message_name(0x8FFF) == "0x8FFF"  # there is no C-CANCEL-RSP
    assert message_name(0) == "0x0000"


def test_eleven_services() -> None:
    assert len(SERVICES) == len(BY_COMMAND_FIELD) == len(BY_NAME) == 11
    assert {f"{name}-RQ" for name in BY_NAME} == {
        name for name in MESSAGES if name.endswith("-RQ") and name != "C-CANCEL-RQ"
    }
    assert (C_ECHO.command_field, C_STORE.command_field) == (0x30, 1)
    assert (C_CANCEL_RQ, RESPONSE, NO_DATA_SET, DATA_SET) == (0x0FFF, 0x8000, 0x0101, 1)


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.box("G.t")
def test_fields_of_requests_and_responses(name: str) -> None:
    row, asked, answered = BY_NAME[name], MESSAGES[f"{name}-RQ"][1], MESSAGES[f"{name}-RSP"][1]
    uids = {row.class_uid, row.instance_uid} - {""}
    assert uids | {*row.request_fields} == {*asked} - ALWAYS
    rest = {each for each in answered if not each.startswith("AffectedSOP")} - ALWAYS
    if name == "N-ACTION":  # a handler may name the attributes there too
        rest.add("AttributeIdentifierList")
    asked_for = {"AffectedSOPClassUID", "AffectedSOPInstanceUID"}  # a handler may name them
    assert {*row.response_fields} - asked_for == rest


# PS3.7 Tables 9.3-1 ff. and 10.3-1 ff.: is there a data set, in the request and in the response
DATA_SETS = {
    "C-STORE": "DataSet -",
    "C-FIND": "Identifier Identifier",
    "C-GET": "Identifier Identifier",
    "C-MOVE": "Identifier Identifier",
    "C-ECHO": "- -",
    "N-EVENT-REPORT": "EventInformation EventReply",
    "N-GET": "- AttributeList",
    "N-SET": "ModificationList AttributeList",
    "N-ACTION": "ActionInformation ActionReply",
    "N-CREATE": "AttributeList AttributeList",
    "N-DELETE": "- -",
}


@pytest.mark.parametrize("name", DATA_SETS)
def test_data_sets(name: str) -> None:
    row = BY_NAME[name]
    assert f"{row.data_in or '-'} {row.data_out or '-'}" == DATA_SETS[name]
    assert row.event == "EVT_" + name.replace("-", "_")
    assert 0 <= row.on_error <= 0xFFFF


def test_elements_are_pydicoms() -> None:
    for element, keyword, vr in COMMAND_ELEMENTS:
        assert tag_for_keyword(keyword) == element
        assert dictionary_VR(element) == vr
        assert keyword_for_tag(element) == keyword
        assert not repeater_has_tag(element)
    numbers = [element for element, _, _ in COMMAND_ELEMENTS]
    assert numbers == sorted(set(numbers))

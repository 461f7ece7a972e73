"""Command sets go to bytes and come back as PS3.7 E.1 has them; malformed ones are refused."""

from __future__ import annotations

import struct
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwire.protocol.command import Command, _encode_once, decode_command, encode_command
from dicomwire.protocol.errors import InvalidParameter, LocalError
from dicomwire.standard.dimse import COMMAND_ELEMENTS
from tests.examples import examples
from tests.protocol.test_items import uids

# Every message and what it may carry, in the order of the tags (PS3.7 9.3 and 10.3): the UIDs,
# the Command Field with its value, what stands between it and the Status, the rest.
AFFECTED, REQUESTED = "AffectedSOPClassUID", "RequestedSOPClassUID"
INSTANCE = "AffectedSOPInstanceUID"
RQ, RSP = "MessageID", "MessageIDBeingRespondedTo"
KIND = "CommandDataSetType"
COUNTS = (
    "NumberOfRemainingSuboperations",
    "NumberOfCompletedSuboperations",
    "NumberOfFailedSuboperations",
    "NumberOfWarningSuboperations",
)
OFFENDING, COMMENT, ERROR_ID = "OffendingElement", "ErrorComment", "ErrorID"
LIST = "AttributeIdentifierList"
# fmt: off
MESSAGES: dict[str, tuple[int, tuple[str, ...]]] = {
    "C-ECHO-RQ": (0x0030, (AFFECTED, RQ, KIND)),
    "C-ECHO-RSP": (0x8030, (AFFECTED, RSP, KIND, "Status", COMMENT)),
    "C-STORE-RQ": (0x0001, (AFFECTED, RQ, "Priority", KIND, INSTANCE,
                            "MoveOriginatorApplicationEntityTitle", "MoveOriginatorMessageID")),
    "C-STORE-RSP": (0x8001, (AFFECTED, RSP, KIND, "Status", OFFENDING, COMMENT, INSTANCE)),
    "C-FIND-RQ": (0x0020, (AFFECTED, RQ, "Priority", KIND)),
    "C-FIND-RSP": (0x8020, (AFFECTED, RSP, KIND, "Status", OFFENDING, COMMENT)),
    "C-CANCEL-RQ": (0x0FFF, (RSP, KIND)),
    "C-GET-RQ": (0x0010, (AFFECTED, RQ, "Priority", KIND)),
    "C-GET-RSP": (0x8010, (AFFECTED, RSP, KIND, "Status", OFFENDING, COMMENT, *COUNTS)),
    "C-MOVE-RQ": (0x0021, (AFFECTED, RQ, "MoveDestination", "Priority", KIND)),
    "C-MOVE-RSP": (0x8021, (AFFECTED, RSP, KIND, "Status", OFFENDING, COMMENT, *COUNTS)),
    "N-EVENT-REPORT-RQ": (0x0100, (AFFECTED, RQ, KIND, INSTANCE, "EventTypeID")),
    "N-EVENT-REPORT-RSP": (0x8100, (AFFECTED, RSP, KIND, "Status", COMMENT, ERROR_ID, INSTANCE,
                                    "EventTypeID")),
    "N-GET-RQ": (0x0110, (REQUESTED, RQ, KIND, "RequestedSOPInstanceUID", LIST)),
    "N-GET-RSP": (0x8110, (AFFECTED, RSP, KIND, "Status", COMMENT, ERROR_ID, INSTANCE, LIST)),
    "N-SET-RQ": (0x0120, (REQUESTED, RQ, KIND, "RequestedSOPInstanceUID")),
    "N-SET-RSP": (0x8120, (AFFECTED, RSP, KIND, "Status", COMMENT, ERROR_ID, INSTANCE, LIST)),
    "N-ACTION-RQ": (0x0130, (REQUESTED, RQ, KIND, "RequestedSOPInstanceUID", "ActionTypeID")),
    "N-ACTION-RSP": (0x8130, (AFFECTED, RSP, KIND, "Status", COMMENT, ERROR_ID, INSTANCE,
                              "ActionTypeID")),
    "N-CREATE-RQ": (0x0140, (AFFECTED, RQ, KIND, INSTANCE)),
    "N-CREATE-RSP": (0x8140, (AFFECTED, RSP, KIND, "Status", COMMENT, ERROR_ID, INSTANCE)),
    "N-DELETE-RQ": (0x0150, (REQUESTED, RQ, KIND, "RequestedSOPInstanceUID")),
    "N-DELETE-RSP": (0x8150, (AFFECTED, RSP, KIND, "Status", COMMENT, ERROR_ID, INSTANCE)),
}
# fmt: on
# PS3.7 Table E.1-1, by hand
TAGS = {
    "AffectedSOPClassUID": 0x0002,
    "RequestedSOPClassUID": 0x0003,
    "CommandField": 0x0100,
    "MessageID": 0x0110,
    "MessageIDBeingRespondedTo": 0x0120,
    "MoveDestination": 0x0600,
    "Priority": 0x0700,
    "CommandDataSetType": 0x0800,
    "Status": 0x0900,
    "OffendingElement": 0x0901,
    "ErrorComment": 0x0902,
    "ErrorID": 0x0903,
    "AffectedSOPInstanceUID": 0x1000,
    "RequestedSOPInstanceUID": 0x1001,
    "EventTypeID": 0x1002,
    "AttributeIdentifierList": 0x1005,
    "ActionTypeID": 0x1008,
    "NumberOfRemainingSuboperations": 0x1020,
    "NumberOfCompletedSuboperations": 0x1021,
    "NumberOfFailedSuboperations": 0x1022,
    "NumberOfWarningSuboperations": 0x1023,
    "MoveOriginatorApplicationEntityTitle": 0x1030,
    "MoveOriginatorMessageID": 0x1031,
}
u16 = st.integers(0, 0xFFFF)
words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=16)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(TAGS, u16),
    **{keyword: uids for keyword in TAGS if keyword.endswith("UID")},
    "MoveDestination": words,
    "MoveOriginatorApplicationEntityTitle": words,
    COMMENT: words,
    OFFENDING: st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=4),
    LIST: st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=40),
}


def elements(data: bytes) -> list[tuple[int, int, bytes]]:
    """Split implicit VR little endian into (group, element, value)."""
    found, position = [], 0
    while position < len(data):
        group, element, length = struct.unpack_from("<HHI", data, position)
        found.append((group, element, data[position + 8 : position + 8 + length]))
        position += 8 + length
    assert position == len(data)
    return found


@pytest.mark.parametrize("name", MESSAGES)
@examples(12)
@given(data=st.data())
def test_round_trip(name: str, data: st.DataObject) -> None:
    field, keywords = MESSAGES[name]
    command = {keyword: data.draw(VALUES[keyword], keyword) for keyword in keywords}
    command["CommandField"] = field
    raw = encode_command(command)
    assert decode_command(raw) == command
    (group, first, length), *rest = elements(raw)
    assert (group, first) == (0, 0)
    assert int.from_bytes(length, "little") == len(raw) - 12
    found = [element for _, element, _ in rest]
    expected = [TAGS[keyword] for keyword in keywords]
    assert found == [*expected[: found.index(0x0100)], 0x0100, *expected[found.index(0x0100) :]]
    assert found == sorted(found)
    assert all(len(value) % 2 == 0 for _, _, value in rest)


def test_all_23_messages_and_every_element_are_here() -> None:
    assert len(MESSAGES) == 23
    used = {keyword for _, keywords in MESSAGES.values() for keyword in keywords}
    assert used | {"CommandField"} == set(TAGS)
    known = {keyword: element for element, keyword, _ in COMMAND_ELEMENTS[1:]}
    assert known == TAGS


def test_golden_bytes() -> None:
    command = {
        "MessageID": 7,
        "CommandField": 0x0001,
        "AffectedSOPClassUID": "1.2",
        "AffectedSOPInstanceUID": "1.23",
        "MoveDestination": None,
        "MoveOriginatorApplicationEntityTitle": "ABC",
        "Priority": 2,
        "CommandDataSetType": 1,
        "OffendingElement": 0x00100020,
        "ErrorComment": "no",
    }
    assert encode_command(command) == bytes.fromhex(
        "0000 0000 04000000 62000000"
        "0000 0200 04000000 312e3200"
        "0000 0001 02000000 0100"
        "0000 1001 02000000 0700"
        "0000 0007 02000000 0200"
        "0000 0008 02000000 0100"
        "0000 0109 04000000 10002000"
        "0000 0209 02000000 6e6f"
        "0000 0010 04000000 312e3233"
        "0000 3010 04000000 41424320"
    )


def test_pydicom_reads_the_same() -> None:
    from pydicom.filereader import read_dataset

    command = {
        AFFECTED: "1.2.840.10008.1.1",
        "CommandField": 0x8110,
        RSP: 3,
        KIND: 1,
        "Status": 0xB000,
        COMMENT: "some words",
        LIST: [0x00100010, 0x7FE00010],
    }
    read = read_dataset(BytesIO(encode_command(command)), True, True)
    assert read.CommandGroupLength == len(encode_command(command)) - 12
    assert {each.keyword: each.value for each in read if each.tag != 0} == command


def element(number: int, value: bytes, group: int = 0, length: int | None = None) -> bytes:
    """One element in implicit VR little endian."""
    size = len(value) if length is None else length
    return struct.pack("<HHI", group, number, size) + value


def u(number: int) -> bytes:
    """A value of VR US."""
    return struct.pack("<H", number)


ECHO = element(0x0100, u(0x30)) + element(0x0110, u(5)) + element(0x0800, u(0x0101))
READ = {"CommandField": 0x30, "MessageID": 5, "CommandDataSetType": 0x0101}


@pytest.mark.parametrize(
    ("raw", "more"),
    [
        (ECHO, {}),
        (element(0, b"\xff\xff\xff\xff") + ECHO, {}),  # the group length is never trusted
        (element(0, b"") + ECHO, {}),
        (element(0, b"\1") + ECHO, {}),
        (ECHO[10:] + ECHO[:10], {}),  # out of order
        (ECHO + element(0x0110, u(6)), {}),  # the first counts
        (ECHO[:20], {}),  # no Command Data Set Type: none
        (ECHO + element(0x0010, b"PATIENT ", group=0x10), {}),  # another group
        (ECHO + element(0x0110, u(9), group=8), {}),
        (element(0x0110, u(9), group=8) + ECHO, {}),
        (ECHO + element(0x4000, b"retired "), {}),
        (ECHO + element(0x0900, b""), {}),  # empty is absent
        (ECHO + element(0x0900, u(1) + u(2)), {"Status": 1}),  # the first of several values
        (ECHO + element(0x0900, u(1) + b"\0"), {"Status": 1}),
        (ECHO + element(0x0600, b" ABC  \0\0"), {"MoveDestination": "ABC"}),
        # only spaces are without meaning before a title: a line feed is no padding
        (ECHO + element(0x0600, b"  A\0\n\0 "), {"MoveDestination": "A\0\n"}),
        (ECHO + element(0x0902, b"caf\xe9"), {"ErrorComment": "caf\\xe9"}),
        (ECHO + element(0x0002, b"1.2"), {"AffectedSOPClassUID": "1.2"}),  # odd length
        (ECHO + element(0x0901, b""), {"OffendingElement": []}),
    ],
)
def test_what_peers_send_otherwise(raw: bytes, more: Command) -> None:
    assert decode_command(raw) == {**READ, **more}
    assert decode_command(memoryview(bytearray(raw))) == {**READ, **more}


EXPLICIT = bytes.fromhex("0000 0000 554c 0400 1e000000 0000 0001 5553 0200 3000")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        ECHO[10:],
        ECHO[:10],
        ECHO[:-1],
        ECHO + b"\0" * 7,
        ECHO + element(0x0900, u(0), length=3),
        ECHO + element(0x0902, b"", length=0xFFFFFFFF),
        ECHO + element(0x0900, b"\0"),
        ECHO + element(0x1005, b"\0\0\0"),
        EXPLICIT,
        element(0x0100, u(0x8030)) + element(0x0120, u(1)),  # a response without Status
        element(0x0100, u(0x8030)) + element(0x0110, u(1)) + element(0x0900, u(0)),
        element(0x0100, u(0x0FFF)) + element(0x0110, u(1)),  # C-CANCEL-RQ names what it cancels
        element(0x0100, b"") + ECHO[10:],
    ],
)
def test_malformed(raw: bytes) -> None:
    with pytest.raises(InvalidParameter):
        decode_command(raw)


@given(st.binary(max_size=100))
def test_garbage_is_read_or_refused(data: bytes) -> None:
    for raw in (data, ECHO + data, data + ECHO):
        with suppress(InvalidParameter):
            assert "CommandField" in decode_command(raw)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("MessageID", 0x10000),
        ("MessageID", -1),
        ("Status", "0000"),
        ("AffectedSOPClassUID", 5),
        ("AffectedSOPClassUID", "1.ü"),
        ("MoveDestination", "ÄÖÜ"),
        ("AttributeIdentifierList", "PatientName"),
        ("OffendingElement", 1 << 32),
        ("OffendingElement", 1.5),
    ],
)
def test_what_does_not_fit_is_refused_here(keyword: str, value: Any) -> None:
    with pytest.raises(LocalError):
        encode_command({**READ, keyword: value})


def test_an_error_comment_never_stands_in_the_way_of_a_response() -> None:
    # PS3.5 6.2: LO has at most 64 characters; group 0000 knows no character set but the default
    raw = encode_command({**READ, "ErrorComment": "ä" + "x" * 100})
    assert decode_command(raw)["ErrorComment"] == "?" + "x" * 63


def test_ae_titles_can_be_padded() -> None:
    command = {"CommandField": 0x21, "MessageID": 1, "MoveDestination": "PACS"}
    short, padded = encode_command(command), encode_command(command, pads_titles=True)
    assert b"\x04\0\0\0PACS" in short
    assert b"\x10\0\0\0PACS" + b" " * 12 in padded
    assert decode_command(padded)["MoveDestination"] == "PACS"


def test_command_sets_that_are_remembered_do_not_share_anything() -> None:
    data = encode_command({"CommandField": 0x0110, "MessageID": 7, LIST: [0x00100010]})
    first = decode_command(data)
    first[LIST].append(7)
    first["MessageID"] = 99
    again = decode_command(data)
    assert again[LIST] == [0x00100010]
    assert again["MessageID"] == 7


def test_the_same_command_set_is_encoded_once() -> None:
    before = _encode_once.cache_info().hits
    response = {"CommandField": 0x8020, "MessageIDBeingRespondedTo": 4321, "Status": 0xFF00}
    assert encode_command(response) == encode_command(dict(response))
    assert _encode_once.cache_info().hits == before + 1
    assert encode_command(response, pads_titles=True) == encode_command(response)
    assert _encode_once.cache_info().hits == before + 2

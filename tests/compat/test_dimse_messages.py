"""DIMSE messages out of primitives, into fragments, and back."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pydicom.tag import Tag

from dicomwire import dimse_messages as door
from dicomwire import dimse_primitives
from dicomwire.compat.dimse_messages import message_of
from dicomwire.pdu_primitives import P_DATA
from dicomwire.protocol.command import decode_command
from dicomwire.protocol.errors import RemoteError
from dicomwire.standard.dimse import SERVICES

pytestmark = pytest.mark.box("9.2", "9.3")

MESSAGES = [name for name in door.__dict__ if name.endswith(("_RQ", "_RSP"))]
VALUES: dict[str, Any] = {
    "MoveDestination": "STORE",
    "MoveOriginatorApplicationEntityTitle": "ASKER",
    "ErrorComment": "none",
    "OffendingElement": [Tag(0x00100010), Tag(0x00100020)],
    "AttributeIdentifierList": [Tag(0x00100010), Tag(0x00100020)],
    "Priority": 1,
}


def primitive(name: str) -> Any:
    """The primitive of a message with all that fits it."""
    kind = getattr(dimse_primitives, name.rpartition("_")[0])
    made = kind()
    if name == "C_CANCEL_RQ":
        made.MessageIDBeingRespondedTo = 9
        return made
    row = made.SERVICE
    answers = name.endswith("_RSP")
    ids = ("MessageIDBeingRespondedTo", "Status") if answers else ("MessageID",)
    uids = [each for each in (row.class_uid, row.instance_uid) if each]
    if answers:
        uids = [each.replace("Requested", "Affected") for each in uids]
    for keyword in (*uids, *ids, *(row.response_fields if answers else row.request_fields)):
        fits = "1.2.3" if keyword.endswith("UID") else VALUES.get(keyword, 5)
        setattr(made, keyword, fits)
    data = row.data_out if answers else row.data_in
    if data:
        setattr(made, data, BytesIO(b"data set"))
    return made


def test_there_are_23() -> None:
    assert len(MESSAGES) == 2 * len(SERVICES) + 1 == 23


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("maximum", [0, 7, 40, 16382])
def test_a_primitive_becomes_a_message_becomes_fragments_and_comes_back(
    name: str, maximum: int
) -> None:
    given = primitive(name)
    message = getattr(door, name)()
    message.primitive_to_message(given)
    fragments = list(message.encode_msg(5, maximum))
    values = [value for each in fragments for value in each.presentation_data_value_list]
    assert len(values) == len(fragments)
    assert {context_id for context_id, _ in values} == {5}
    if maximum:
        assert max(len(data) for _, data in values) == min(
            maximum - 5, max(len(data) for _, data in values)
        )
    command = message.encoded_command_set.getvalue()
    assert b"".join(data[1:] for _, data in values if data[0] & 1) == command
    assert decode_command(command)["CommandField"] == message.command_set.CommandField
    assert message.command_set.CommandGroupLength == len(command) - 12
    read = door.DIMSEMessage()
    assert [read.decode_msg(each) for each in fragments] == [*[False] * (len(values) - 1), True]
    assert type(read) is type(message)
    assert read.context_id == 5
    assert read.command_set == message.command_set
    assert read.data_set.getvalue() == message.data_set.getvalue()
    assert read.name == name.replace("_", "-")
    back = read.message_to_primitive()
    assert type(back) is type(given)
    assert {each: shown(getattr(back, each)) for each in given._unset} == {
        each: shown(getattr(given, each)) for each in given._unset
    }


def shown(value: Any) -> Any:
    return value.getvalue() if isinstance(value, BytesIO) else value


@pytest.mark.parametrize("maximum", [1, 6])
def test_a_maximum_that_holds_nothing_is_a_value_error(maximum: int) -> None:
    message = door.C_ECHO_RQ()
    message.primitive_to_message(primitive("C_ECHO_RQ"))
    with pytest.raises(ValueError):
        list(message.encode_msg(1, maximum))


def test_the_primitive_of_another_service_is_refused() -> None:
    with pytest.raises(AttributeError):
        door.C_STORE_RQ().primitive_to_message(primitive("C_ECHO_RQ"))
    with pytest.raises(TypeError):
        door.DIMSEMessage().primitive_to_message(primitive("C_ECHO_RQ"))


def test_what_is_changed_in_the_command_set_is_sent() -> None:
    message = door.C_ECHO_RQ()
    message.primitive_to_message(primitive("C_ECHO_RQ"))
    message.command_set.MessageID = 77
    (value,) = next(message.encode_msg(1, 0)).presentation_data_value_list
    assert decode_command(value[1][1:])["MessageID"] == 77


def test_without_a_data_set_the_command_set_says_so() -> None:
    message = door.C_FIND_RSP()
    answer = dimse_primitives.C_FIND()
    answer.MessageIDBeingRespondedTo, answer.Status, answer.Identifier = 1, 0, BytesIO()
    message.primitive_to_message(answer)
    assert message.command_set.CommandDataSetType == 0x0101
    assert len(list(message.encode_msg(1, 0))) == 1
    assert message.message_to_primitive().Identifier is None  # type: ignore[union-attr]


def test_what_is_no_message_is_the_peers_fault() -> None:
    data = P_DATA()
    for command in (b"\3\0\0", b"\3" + b"\0\0\0\1\2\0\0\0\x99\x99\0\0\x10\1\2\0\0\0\1\0"):
        data.presentation_data_value_list = [(1, command)]
        with pytest.raises(RemoteError):
            door.DIMSEMessage().decode_msg(data)


def test_a_message_that_a_handler_sees() -> None:
    command = {"CommandField": 0x8001, "MessageIDBeingRespondedTo": 7, "Status": 0}
    seen = message_of(3, command, None)
    assert isinstance(seen, door.C_STORE_RSP)
    assert (seen.name, seen.context_id, seen.data_set.getvalue()) == ("C-STORE-RSP", 3, b"")
    assert seen.command_set.Status == 0
    assert "C-STORE-RSP message" in str(seen)
    assert "Data set: 0 bytes" in str(seen)
    unknown = message_of(3, {"CommandField": 0x7777, "MessageID": 1}, b"x")
    assert type(unknown) is door.DIMSEMessage
    assert str(unknown)


def test_titles_are_padded_when_the_settings_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    message = door.C_MOVE_RQ()
    message.primitive_to_message(primitive("C_MOVE_RQ"))
    assert b"STORE " + b" " * 10 not in next(message.encode_msg(1, 0)).presentation_data_value_list
    monkeypatch.setattr("dicomwire.compat._config.USE_SHORT_DIMSE_AET", False)
    (value,) = next(message.encode_msg(1, 0)).presentation_data_value_list
    assert b"STORE" + b" " * 11 in value[1]

"""Assigns to negotiation items what fits and what does not, and encodes them."""

from __future__ import annotations

from typing import Any

import pytest

from dicomwire import build_context, pdu_items
from dicomwire import pdu_primitives as door
from dicomwire.compat.addresses import AddressInformation
from dicomwire.network.ae import checked_items
from dicomwire.protocol.errors import LocalError
from dicomwire.protocol.items import decode_user_information, encode_user_information

MaxLength = door.MaximumLengthNotification
Role = door.SCP_SCU_RoleSelectionNegotiation
User = door.UserIdentityNegotiation
Window = door.AsynchronousOperationsWindowNegotiation
Common = door.SOPClassCommonExtendedNegotiation
Extended = door.SOPClassExtendedNegotiation
ClassUID = door.ImplementationClassUIDNotification
Version = door.ImplementationVersionNameNotification


@pytest.mark.parametrize(
    ("kind", "name", "value", "kept"),
    [
        (MaxLength, "maximum_length_received", 0, 0),
        (ClassUID, "implementation_class_uid", b"1.2", "1.2"),
        (ClassUID, "implementation_class_uid", None, None),
        (Version, "implementation_version_name", "V1", "V1"),
        (Window, "maximum_number_operations_invoked", 5, 5),
        (Role, "scu_role", True, True),
        (Role, "scp_role", None, None),
        (Extended, "service_class_application_information", b"\x01", b"\x01"),
        (Common, "related_general_sop_class_identification", ["1.2", b"1.3"], ["1.2", "1.3"]),
        (User, "user_identity_type", 5, 5),
        (User, "user_identity_type", None, None),
        (User, "secondary_field", None, None),
        (User, "server_response", b"token", b"token"),
    ],
)
def test_what_fits_is_kept(kind: type, name: str, value: Any, kept: Any) -> None:
    item = kind()
    setattr(item, name, value)
    assert getattr(item, name) == kept


@pytest.mark.parametrize(
    ("kind", "name", "value", "error"),
    [
        (MaxLength, "maximum_length_received", -1, ValueError),
        (MaxLength, "maximum_length_received", "1", TypeError),
        (ClassUID, "implementation_class_uid", 1, TypeError),
        (ClassUID, "implementation_class_uid", "1." + "1" * 63, ValueError),
        (Version, "implementation_version_name", "v" * 17, ValueError),
        (Version, "implementation_version_name", b"v", TypeError),
        (Window, "maximum_number_operations_performed", -1, ValueError),
        (Window, "maximum_number_operations_performed", None, TypeError),
        (Role, "scu_role", 1, TypeError),
        (Role, "sop_class_uid", 3, TypeError),
        (Extended, "service_class_application_information", "x", TypeError),
        (Common, "related_general_sop_class_identification", "1.2", TypeError),
        (Common, "related_general_sop_class_identification", [1], TypeError),
        (User, "user_identity_type", 6, ValueError),
        (User, "user_identity_type", "1", TypeError),
        (User, "positive_response_requested", 1, TypeError),
        (User, "primary_field", "ann", TypeError),
        (User, "secondary_field", "secret", TypeError),
    ],
)
def test_what_does_not_fit_is_refused_at_once(
    kind: type, name: str, value: Any, error: type[Exception]
) -> None:
    item = kind()
    before = getattr(item, name)
    with pytest.raises(error, match=name):
        setattr(item, name, value)
    assert getattr(item, name) == before


def test_the_items_travel() -> None:
    role, user = Role(), User()
    role.sop_class_uid, role.scp_role = "1.2.3", True
    user.user_identity_type, user.primary_field, user.secondary_field = 2, b"ann", b"secret"
    items = checked_items([role, user])
    read = decode_user_information(memoryview(encode_user_information(items))[4:])
    assert [(read[0].sop_class_uid, read[0].scu_role, read[0].scp_role)] == [("1.2.3", False, True)]
    assert (read[1].primary_field, read[1].secondary_field) == (b"ann", b"secret")


def test_a_passcode_is_not_shown() -> None:
    user = User()
    user.secondary_field = b"secret"
    assert "secret" not in repr(user)


def test_an_item_that_says_nothing_is_not_sent() -> None:
    role, user = Role(), User()
    role.sop_class_uid = "1.2.3"
    user.user_identity_type, user.primary_field = 2, b"ann"
    for item in (role, user):
        with pytest.raises(LocalError):
            item.encode()


BOXES = {
    "11.1": MaxLength,
    "11.2": ClassUID,
    "11.3": Window,
    "11.4": Role,
    "11.5": Extended,
    "11.6": Common,
    "11.7": User,
}
GIVEN: dict[type, dict[str, Any]] = {
    MaxLength: {"maximum_length_received": 5000},
    ClassUID: {"implementation_class_uid": "1.2.3"},
    Version: {"implementation_version_name": "NAME"},
    Window: {"maximum_number_operations_invoked": 0, "maximum_number_operations_performed": 7},
    Role: {"sop_class_uid": "1.2.3", "scu_role": False, "scp_role": True},
    Extended: {"sop_class_uid": "1.2.3", "service_class_application_information": b"\1\0"},
    Common: {
        "sop_class_uid": "1.2.3",
        "service_class_uid": "1.2",
        "related_general_sop_class_identification": ["1.4", "1.5"],
    },
    User: {"user_identity_type": 1, "primary_field": b"ann", "positive_response_requested": True},
}


def given(kind: type) -> Any:
    item = kind()
    for name, value in GIVEN[kind].items():
        setattr(item, name, value)
    return item


@pytest.mark.parametrize(
    "kind",
    [
        *(pytest.param(kind, marks=pytest.mark.box(box)) for box, kind in BOXES.items()),
        pytest.param(Version, marks=pytest.mark.box("11.2")),
    ],
)
def test_an_item_becomes_a_sub_item_and_comes_back(kind: type) -> None:
    item = given(kind)
    sub_item = item.from_primitive()
    assert isinstance(sub_item, pdu_items.PDUItem)
    read = type(sub_item)()
    read.decode(sub_item.encode())
    assert read == sub_item
    assert read.to_primitive() == item
    assert item != kind()
    assert all(str(value) in str(item) for value in GIVEN[kind].values())


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param(ClassUID, "implementation_class_uid", marks=pytest.mark.box("11.2")),
        pytest.param(Version, "implementation_version_name", marks=pytest.mark.box("11.2")),
        pytest.param(Role, "sop_class_uid", marks=pytest.mark.box("11.4")),
        pytest.param(Extended, "sop_class_uid", marks=pytest.mark.box("11.5")),
        pytest.param(Common, "sop_class_uid", marks=pytest.mark.box("11.6")),
        pytest.param(Common, "service_class_uid", marks=pytest.mark.box("11.6")),
        pytest.param(User, "primary_field", marks=pytest.mark.box("11.7")),
    ],
)
def test_an_item_that_lacks_something_is_a_value_error(kind: type, name: str) -> None:
    assert getattr(kind(), name) is None
    item = given(kind)
    setattr(item, name, None)
    for refused in (item.from_primitive, item.encode):
        with pytest.raises(ValueError, match=name):
            refused()


@pytest.mark.box("11.4")
def test_no_role_at_all_is_a_value_error() -> None:
    item = given(Role)
    item.scp_role = None
    with pytest.raises(ValueError, match="no role"):
        item.from_primitive()


@pytest.mark.box("11.7", "D.pdu_items.UserIdentitySubItemAC")
def test_a_server_response_is_the_acceptors_sub_item() -> None:
    user = User()
    user.server_response = b"token"
    sub_item = user.from_primitive()
    assert isinstance(sub_item, pdu_items.UserIdentitySubItemAC)
    assert (sub_item.response, sub_item.server_response_length) == (b"token", 5)
    assert sub_item.encode() == b"\x59\0\0\x07\0\x05token"
    assert sub_item.to_primitive().server_response == b"token"
    assert "token" not in str(sub_item) + str(user)


@pytest.mark.box("11.7")
def test_a_passcode_and_a_ticket_are_not_printed() -> None:
    user = User()
    user.user_identity_type, user.primary_field, user.secondary_field = 2, b"ann", b"secret"
    ticket = User()
    ticket.user_identity_type, ticket.primary_field = 3, b"secret"
    for shown in (user, user.from_primitive(), ticket, ticket.from_primitive()):
        assert "secret" not in str(shown)
        assert "secret" not in repr(shown)
    assert "ann" in str(user)


# -- what the upper layer is asked and says ------------------------------------------------------

ASSOCIATE: list[tuple[str, Any, Any]] = [
    ("application_context_name", b"1.2", "1.2"),
    ("calling_ae_title", "ME", "ME"),
    ("calling_ae_title", "", ValueError),
    ("calling_ae_title", None, TypeError),
    ("called_ae_title", "T" * 17, ValueError),
    ("called_ae_title", b"YOU", TypeError),
    ("called_presentation_address", ("host", 104), TypeError),
    ("calling_presentation_address", None, None),
    ("result", 2, 2),
    ("result", 3, ValueError),
    ("result_source", 0, ValueError),
    ("diagnostic", 7, 7),
    ("diagnostic", 5, ValueError),
    ("user_information", "none", TypeError),
    ("user_information", ["none"], []),
    ("presentation_context_definition_list", [1], []),
    ("presentation_context_definition_results_list", None, TypeError),
    ("maximum_length_received", 0, 0),
    ("maximum_length_received", None, TypeError),
    ("implementation_class_uid", "1.2.3", "1.2.3"),
]
OTHERS: list[tuple[type, str, Any, Any]] = [
    (door.A_RELEASE, "result", "affirmative", "affirmative"),
    (door.A_RELEASE, "result", "negative", ValueError),
    (door.A_ABORT, "abort_source", 2, 2),
    (door.A_ABORT, "abort_source", 3, ValueError),
    (door.A_P_ABORT, "provider_reason", 6, 6),
    (door.A_P_ABORT, "provider_reason", 3, ValueError),
    (door.P_DATA, "presentation_data_value_list", [[1, b"\3x"]], [[1, b"\3x"]]),
    (door.P_DATA, "presentation_data_value_list", [1], TypeError),
    (door.P_DATA, "presentation_data_value_list", None, TypeError),
]


@pytest.mark.parametrize(
    ("kind", "name", "value", "kept"),
    [
        pytest.param(*row, marks=pytest.mark.box(f"D.pdu_primitives.{row[0].__name__}"))
        for row in (*((door.A_ASSOCIATE, *row) for row in ASSOCIATE), *OTHERS)
    ],
)
def test_a_primitive_keeps_what_fits_and_refuses_the_rest(
    kind: type, name: str, value: Any, kept: Any
) -> None:
    primitive = kind()
    if isinstance(kept, type):
        with pytest.raises(kept):
            setattr(primitive, name, value)
    else:
        setattr(primitive, name, value)
        assert getattr(primitive, name) == kept


@pytest.mark.box("D.pdu_primitives.A_ABORT", "D.pdu_primitives.A_P_ABORT")
def test_a_reason_that_is_not_set_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="abort_source"):
        _ = door.A_ABORT().abort_source
    with pytest.raises(ValueError, match="provider_reason"):
        _ = door.A_P_ABORT().provider_reason
    with pytest.raises(AttributeError):
        _ = door.A_ABORT().provider_reason
    assert "no value" in str(door.A_ABORT())


@pytest.mark.box("D.pdu_primitives.A_ASSOCIATE")
def test_an_associate_request_prints_what_it_asks_for() -> None:
    asked = door.A_ASSOCIATE()
    context = build_context("1.2.840.10008.1.1")
    context.context_id = 1
    asked.presentation_context_definition_list = [context]
    asked.called_presentation_address = AddressInformation("127.0.0.1", 104)
    with pytest.raises(ValueError, match="implementation class UID"):
        _ = asked.implementation_class_uid
    asked.implementation_class_uid = "1.2.3"
    asked.implementation_class_uid = "1.2.4"
    assert [each.implementation_class_uid for each in asked.user_information] == ["1.2.4"]
    assert asked.responding_presentation_address is asked.called_presentation_address
    assert "Proposed context: 1 Verification SOP Class" in str(asked)
    assert "1.2.4" in str(asked)
    asked.result, asked.result_source, asked.diagnostic = 2, 3, 2
    words = "Rejected Transient, Service Provider (Presentation), Local limit exceeded"
    assert words in str(asked)
    assert hash(asked)

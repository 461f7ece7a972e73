"""Items into bytes and back, and what may be assigned to them."""

from __future__ import annotations

from typing import Any

import pytest

from dicomwire import pdu_items as door

CONTEXT = b"\x20\0\0\x1b\3\0\0\0\x30\0\0\x031.2\x40\0\0\x031.4\x40\0\0\x051.4.1"
ENCODED = {
    door.ApplicationContextItem: b"\x10\0\0\x031.2",
    door.AbstractSyntaxSubItem: b"\x30\0\0\x031.2",
    door.TransferSyntaxSubItem: b"\x40\0\0\x031.4",
    door.PresentationContextItemRQ: CONTEXT,
    door.PresentationContextItemAC: b"\x21\0\0\x0b\3\0\0\0\x40\0\0\x031.4",
    door.MaximumLengthSubItem: b"\x51\0\0\4\0\0\1\0",
    door.ImplementationClassUIDSubItem: b"\x52\0\0\x031.2",
    door.ImplementationVersionNameSubItem: b"\x55\0\0\4NAME",
    door.AsynchronousOperationsWindowSubItem: b"\x53\0\0\4\0\2\0\3",
    door.SCP_SCU_RoleSelectionSubItem: b"\x54\0\0\7\0\x031.2\1\0",
    door.SOPClassExtendedNegotiationSubItem: b"\x56\0\0\7\0\x031.2\1\0",
    door.SOPClassCommonExtendedNegotiationSubItem: (b"\x57\0\0\x11\0\x031.2\0\x031.3\0\5\0\x031.4"),
    door.UserIdentitySubItemRQ: b"\x58\0\0\x0c\2\1\0\3ann\0\3abc",
    door.UserIdentitySubItemAC: b"\x59\0\0\5\0\3abc",
    door.UserInformationItem: b"\x50\0\0\x10\x51\0\0\4\0\0\1\0\x55\0\0\4NAME",
}
SHOWN: dict[type, dict[str, Any]] = {
    door.ApplicationContextItem: {"application_context_name": "1.2"},
    door.AbstractSyntaxSubItem: {"abstract_syntax": "1.2", "abstract_syntax_name": "1.2"},
    door.TransferSyntaxSubItem: {"transfer_syntax": "1.4", "transfer_syntax_name": "1.4"},
    door.PresentationContextItemRQ: {
        "context_id": 3,
        "abstract_syntax": "1.2",
        "transfer_syntax": ["1.4", "1.4.1"],
    },
    door.PresentationContextItemAC: {"context_id": 3, "result": 0, "transfer_syntax": "1.4"},
    door.MaximumLengthSubItem: {"maximum_length_received": 256},
    door.ImplementationClassUIDSubItem: {"implementation_class_uid": "1.2"},
    door.ImplementationVersionNameSubItem: {"implementation_version_name": "NAME"},
    door.AsynchronousOperationsWindowSubItem: {
        "max_operations_invoked": 2,
        "max_operations_performed": 3,
    },
    door.SCP_SCU_RoleSelectionSubItem: {"uid": "1.2", "uid_length": 3, "scu": 1, "scp": 0},
    door.SOPClassExtendedNegotiationSubItem: {
        "uid": "1.2",
        "sop_class_uid_length": 3,
        "app_info": b"\1\0",
    },
    door.SOPClassCommonExtendedNegotiationSubItem: {
        "sop_class_uid": "1.2",
        "service_class_uid": "1.3",
        "service_class_uid_length": 3,
        "related_general_sop_class_identification": ["1.4"],
        "related_general_sop_class_identification_length": 5,
    },
    door.UserIdentitySubItemRQ: {
        "id_type": 2,
        "response_requested": 1,
        "primary": b"ann",
        "primary_field_length": 3,
        "secondary": b"abc",
        "secondary_field_length": 3,
    },
    door.UserIdentitySubItemAC: {"response": b"abc", "server_response_length": 3},
    door.UserInformationItem: {"maximum_length": 256, "implementation_version_name": "NAME"},
}


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(
            kind, marks=pytest.mark.box(f"D.pdu_items.{kind.__name__}", "D.pdu_items.PDUItem")
        )
        for kind in ENCODED
    ],
)
def test_an_item_is_read_shown_and_written(kind: type[door.PDUItem]) -> None:
    encoded = ENCODED[kind]
    item = kind()
    item.decode(encoded)
    assert {name: getattr(item, name) for name in SHOWN[kind]} == SHOWN[kind]
    assert item.encode() == encoded
    assert (item.item_type, item.item_length, len(item)) == (
        encoded[0],
        len(encoded) - 4,
        len(encoded),
    )
    assert door.PDU_ITEM_TYPES[encoded[0]] is kind
    assert f"Item length: {item.item_length} bytes" in str(item)
    assert isinstance(item, door.PDUItem)
    assert item != kind()


@pytest.mark.parametrize(
    ("kind", "name", "value", "kept"),
    [
        pytest.param(*row, marks=pytest.mark.box(f"D.pdu_items.{row[0].__name__}"))
        for row in (
            (door.ApplicationContextItem, "application_context_name", b"1.2", "1.2"),
            (door.ApplicationContextItem, "application_context_name", None, TypeError),
            (door.AbstractSyntaxSubItem, "abstract_syntax_name", "1" * 65, ValueError),
            (door.AbstractSyntaxSubItem, "abstract_syntax_name", None, None),
            (door.TransferSyntaxSubItem, "transfer_syntax_name", 5, TypeError),
            (door.ImplementationClassUIDSubItem, "implementation_class_uid", 5, TypeError),
            (door.ImplementationVersionNameSubItem, "implementation_version_name", b"N", "N"),
            (
                door.ImplementationVersionNameSubItem,
                "implementation_version_name",
                "N" * 17,
                ValueError,
            ),
            (door.SCP_SCU_RoleSelectionSubItem, "scu_role", True, 1),
            (door.SCP_SCU_RoleSelectionSubItem, "scp_role", 2, ValueError),
            (
                door.SOPClassCommonExtendedNegotiationSubItem,
                "related_general_sop_class_identification",
                [b"1.2"],
                ["1.2"],
            ),
        )
    ],
)
def test_what_is_assigned_is_checked(
    kind: type[door.PDUItem], name: str, value: Any, kept: Any
) -> None:
    item = kind()
    if isinstance(kept, type):
        with pytest.raises(kept):
            setattr(item, name, value)
    else:
        setattr(item, name, value)
        assert getattr(item, name) == kept


def test_the_negotiation_items_of_a_request_by_kind() -> None:
    user = door.UserInformationItem()
    for kind, encoded in ENCODED.items():
        if 0x51 <= encoded[0] <= 0x58:
            item: Any = kind()
            item.decode(encoded)
            user.user_data.append(item)
    assert user.async_ops_window is not None
    assert user.implementation_class_uid == "1.2"
    assert list(user.role_selection) == ["1.2"]
    assert [each.app_info for each in user.ext_neg] == [b"\1\0"]
    assert [each.service_class_uid for each in user.common_ext_neg] == ["1.3"]
    assert user.user_identity is not None
    assert door.UserInformationItem().user_identity is None

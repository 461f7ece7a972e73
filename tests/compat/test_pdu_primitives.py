"""Assigns to negotiation items what fits and what does not, and encodes them."""

from __future__ import annotations

from typing import Any

import pytest

from dicomwire import pdu_primitives as door
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

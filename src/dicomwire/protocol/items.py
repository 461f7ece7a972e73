"""User information items <-> bytes (PS3.8 9.3.2.3 and Annex D, PS3.7 D.3.3)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

from dicomwire.protocol.errors import InvalidParameter, LocalError, UnexpectedParameter
from dicomwire.protocol.fields import Fields

_HEADER = struct.Struct(">BxH")  # item type, reserved, length: PS3.8 9.3.2
_U16 = struct.Struct(">H")
_U32 = struct.Struct(">I")


def item(item_type: int, body: bytes) -> bytes:
    """Frame the body of an item or sub-item.

    Parameters
    ----------
    item_type : int
        PS3.8 Tables 9-11 ff.
    body : bytes
        At most 65,535 bytes.

    Raises
    ------
    LocalError
        When the body does not fit the 16 bits of its length.
    """
    if len(body) > 0xFFFF:
        raise LocalError(f"Item 0x{item_type:02X} has {len(body)} bytes; 65,535 is the most")
    return _HEADER.pack(item_type, len(body)) + body


def split_items(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield (type, body) of each item in a run of items.

    Raises
    ------
    InvalidParameter
        When a length leads beyond the end.
    """
    position, end = 0, len(data)
    while position < end:
        if end - position < 4:
            raise InvalidParameter(f"{end - position} stray bytes after the last item")
        item_type, length = _HEADER.unpack_from(data, position)
        position += 4
        if length > end - position:
            raise InvalidParameter(
                f"Item 0x{item_type:02X} claims {length} bytes, {end - position} are left"
            )
        yield item_type, data[position : position + length]
        position += length


def text_of(data: memoryview | bytearray | bytes) -> str:
    """Decode a UID or a name as PS3.8 wants it (ASCII); other bytes show as escapes.

    Trailing NULs and spaces are padding that some systems send; they are not significant.
    """
    return bytes(data).rstrip(b"\0 ").decode("ascii", "backslashreplace")


def bytes_of(text: str) -> bytes:
    """Encode a UID or a name.

    Raises
    ------
    LocalError
        When it is not ASCII.
    """
    try:
        return text.encode("ascii")
    except UnicodeEncodeError:
        raise LocalError(f"{text!r} has characters beyond ASCII") from None


def _take(data: memoryview, position: int, what: str) -> tuple[memoryview, int]:
    """Read a field that is preceded by its length in 16 bits; return it and where it ends."""
    if len(data) - position < 2:
        raise InvalidParameter(f"{what}: its length is missing")
    (length,) = _U16.unpack_from(data, position)
    start = position + 2
    if length > len(data) - start:
        raise InvalidParameter(f"{what} claims {length} bytes, {len(data) - start} are left")
    return data[start : start + length], start + length


def _lengthy(value: bytes) -> bytes:
    if len(value) > 0xFFFF:
        raise LocalError(f"A field of {len(value)} bytes; 65,535 is the most")
    return _U16.pack(len(value)) + value


def _exactly(data: memoryview, size: int, what: str) -> None:
    if len(data) != size:
        raise InvalidParameter(f"{what} has {len(data)} bytes instead of {size}")


class MaximumLength(Fields):
    """Maximum length sub-item: the longest P-DATA-TF its sender can receive (PS3.8 D.1)."""

    item_type: ClassVar[int] = 0x51

    def __init__(self, maximum_length_received: int = 16382) -> None:
        self.maximum_length_received = maximum_length_received

    def encode(self) -> bytes:
        """Return the item's body."""
        if not 0 <= self.maximum_length_received <= 0xFFFFFFFF:
            raise LocalError(f"Maximum length {self.maximum_length_received} does not fit 32 bits")
        return _U32.pack(self.maximum_length_received)

    @classmethod
    def decode(cls, body: memoryview) -> MaximumLength:
        """Read the item's body."""
        _exactly(body, 4, "Maximum length sub-item")
        return cls(_U32.unpack(body)[0])


class ImplementationClassUID(Fields):
    """Implementation Class UID sub-item (PS3.7 D.3.3.2.1)."""

    item_type: ClassVar[int] = 0x52

    def __init__(self, implementation_class_uid: str = "") -> None:
        self.implementation_class_uid = implementation_class_uid

    def encode(self) -> bytes:
        """Return the item's body."""
        return bytes_of(self.implementation_class_uid)

    @classmethod
    def decode(cls, body: memoryview) -> ImplementationClassUID:
        """Read the item's body."""
        return cls(text_of(body))


class AsynchronousOperationsWindow(Fields):
    """Asynchronous operations window sub-item; 0 means unlimited (PS3.7 D.3.3.3)."""

    item_type: ClassVar[int] = 0x53

    def __init__(
        self,
        maximum_number_operations_invoked: int = 1,
        maximum_number_operations_performed: int = 1,
    ) -> None:
        self.maximum_number_operations_invoked = maximum_number_operations_invoked
        self.maximum_number_operations_performed = maximum_number_operations_performed

    @property
    def numbers(self) -> tuple[int, int]:
        """Operations that the requestor invokes, and performs."""
        return self.maximum_number_operations_invoked, self.maximum_number_operations_performed

    def encode(self) -> bytes:
        """Return the item's body."""
        if not all(0 <= number <= 0xFFFF for number in self.numbers):
            raise LocalError(f"Asynchronous operations window {self.numbers} does not fit 16 bits")
        return struct.pack(">HH", *self.numbers)

    @classmethod
    def decode(cls, body: memoryview) -> AsynchronousOperationsWindow:
        """Read the item's body."""
        _exactly(body, 4, "Asynchronous operations window sub-item")
        return cls(*struct.unpack(">HH", body))


class RoleSelection(Fields):
    """SCP/SCU role selection sub-item (PS3.7 D.3.3.4)."""

    item_type: ClassVar[int] = 0x54

    def __init__(
        self, sop_class_uid: str = "", scu_role: bool = False, scp_role: bool = False
    ) -> None:
        self.sop_class_uid = sop_class_uid
        self.scu_role = scu_role
        self.scp_role = scp_role

    def encode(self) -> bytes:
        """Return the item's body."""
        return _lengthy(bytes_of(self.sop_class_uid)) + bytes(
            (bool(self.scu_role), bool(self.scp_role))
        )

    @classmethod
    def decode(cls, body: memoryview) -> RoleSelection:
        """Read the item's body."""
        uid, position = _take(body, 0, "SOP class UID of the role selection sub-item")
        _exactly(body[position:], 2, "Roles of the role selection sub-item")
        return cls(text_of(uid), body[position] == 1, body[position + 1] == 1)


class ImplementationVersionName(Fields):
    """Implementation Version Name sub-item, 1 to 16 characters (PS3.7 D.3.3.2.3)."""

    item_type: ClassVar[int] = 0x55

    def __init__(self, implementation_version_name: str = "") -> None:
        self.implementation_version_name = implementation_version_name

    def encode(self) -> bytes:
        """Return the item's body."""
        return bytes_of(self.implementation_version_name)

    @classmethod
    def decode(cls, body: memoryview) -> ImplementationVersionName:
        """Read the item's body."""
        return cls(text_of(body))


class SOPClassExtendedNegotiation(Fields):
    """SOP class extended negotiation sub-item (PS3.7 D.3.3.5)."""

    item_type: ClassVar[int] = 0x56

    def __init__(
        self, sop_class_uid: str = "", service_class_application_information: bytes = b""
    ) -> None:
        self.sop_class_uid = sop_class_uid
        self.service_class_application_information = service_class_application_information

    def encode(self) -> bytes:
        """Return the item's body."""
        return _lengthy(bytes_of(self.sop_class_uid)) + self.service_class_application_information

    @classmethod
    def decode(cls, body: memoryview) -> SOPClassExtendedNegotiation:
        """Read the item's body."""
        uid, position = _take(body, 0, "SOP class UID of the extended negotiation sub-item")
        return cls(text_of(uid), bytes(body[position:]))


class SOPClassCommonExtendedNegotiation(Fields):
    """SOP class common extended negotiation sub-item (PS3.7 D.3.3.6); only in a request."""

    item_type: ClassVar[int] = 0x57

    def __init__(
        self,
        sop_class_uid: str = "",
        service_class_uid: str = "",
        related_general_sop_class_identification: Iterable[str] = (),
    ) -> None:
        self.sop_class_uid = sop_class_uid
        self.service_class_uid = service_class_uid
        related = list(related_general_sop_class_identification)
        self.related_general_sop_class_identification = related

    def encode(self) -> bytes:
        """Return the item's body."""
        related = b"".join(
            _lengthy(bytes_of(uid)) for uid in self.related_general_sop_class_identification
        )
        uids = (self.sop_class_uid, self.service_class_uid)
        return b"".join(_lengthy(bytes_of(uid)) for uid in uids) + _lengthy(related)

    @classmethod
    def decode(cls, body: memoryview) -> SOPClassCommonExtendedNegotiation:
        """Read the item's body."""
        what = "of the common extended negotiation sub-item"
        sop_class, position = _take(body, 0, f"SOP class UID {what}")
        service, position = _take(body, position, f"Service class UID {what}")
        related, _ = _take(body, position, f"Related SOP classes {what}")
        uids, position = [], 0
        while position < len(related):
            uid, position = _take(related, position, f"Related SOP class UID {what}")
            uids.append(text_of(uid))
        return cls(text_of(sop_class), text_of(service), uids)


class UserIdentity(Fields):
    """User identity sub-item of a request (PS3.7 D.3.3.7.1).

    Parameters
    ----------
    user_identity_type : int
        1 username, 2 username and passcode, 3 Kerberos ticket, 4 SAML assertion, 5 JSON web token.
    positive_response_requested : bool
        Whether the acceptor shall answer with a `UserIdentityResponse`.
    primary_field, secondary_field : bytes
        What the type says; the secondary field only with type 2.
    """

    item_type: ClassVar[int] = 0x58

    def __init__(
        self,
        user_identity_type: int = 1,
        positive_response_requested: bool = False,
        primary_field: bytes = b"",
        secondary_field: bytes = b"",
    ) -> None:
        self.user_identity_type = user_identity_type
        self.positive_response_requested = positive_response_requested
        self.primary_field = primary_field
        self.secondary_field = secondary_field

    def _shown(self) -> Iterable[tuple[str, Any]]:
        return list(vars(self).items())[:2]  # the others are secrets

    def encode(self) -> bytes:
        """Return the item's body."""
        head = bytes((self.user_identity_type, bool(self.positive_response_requested)))
        return head + _lengthy(self.primary_field) + _lengthy(self.secondary_field)

    @classmethod
    def decode(cls, body: memoryview) -> UserIdentity:
        """Read the item's body."""
        if len(body) < 2:
            raise InvalidParameter("User identity sub-item is too short")
        primary, position = _take(body, 2, "Primary field of the user identity sub-item")
        secondary, _ = _take(body, position, "Secondary field of the user identity sub-item")
        return cls(body[0], body[1] == 1, bytes(primary), bytes(secondary))


class UserIdentityResponse(Fields):
    """User identity sub-item of an acceptance (PS3.7 D.3.3.7.2)."""

    item_type: ClassVar[int] = 0x59

    def __init__(self, server_response: bytes = b"") -> None:
        self.server_response = server_response

    def _shown(self) -> Iterable[tuple[str, Any]]:
        return ()  # it is a secret

    def encode(self) -> bytes:
        """Return the item's body."""
        return _lengthy(self.server_response)

    @classmethod
    def decode(cls, body: memoryview) -> UserIdentityResponse:
        """Read the item's body."""
        response, _ = _take(body, 0, "Server response of the user identity sub-item")
        return cls(bytes(response))


class UnknownItem(Fields):
    """A sub-item that neither PS3.7 nor PS3.8 defines; ignored, as PS3.8 D.2 asks."""

    def __init__(self, unknown_type: int, body: bytes = b"") -> None:
        self.unknown_type = unknown_type
        self.body = body

    @property
    def item_type(self) -> int:
        """Return the type octet as received."""
        return self.unknown_type

    def encode(self) -> bytes:
        """Return the item's body."""
        return self.body


AnyUserItem = (
    MaximumLength
    | ImplementationClassUID
    | AsynchronousOperationsWindow
    | RoleSelection
    | ImplementationVersionName
    | SOPClassExtendedNegotiation
    | SOPClassCommonExtendedNegotiation
    | UserIdentity
    | UserIdentityResponse
    | UnknownItem
)

_DECODERS: dict[int, Callable[[memoryview], AnyUserItem]] = {
    0x51: MaximumLength.decode,
    0x52: ImplementationClassUID.decode,
    0x53: AsynchronousOperationsWindow.decode,
    0x54: RoleSelection.decode,
    0x55: ImplementationVersionName.decode,
    0x56: SOPClassExtendedNegotiation.decode,
    0x57: SOPClassCommonExtendedNegotiation.decode,
    0x58: UserIdentity.decode,
    0x59: UserIdentityResponse.decode,
}
_ONCE = {0x51, 0x52, 0x53, 0x55, 0x58, 0x59}  # PS3.7 D.3.3: only one of each may stand


def decode_user_information(body: memoryview) -> list[AnyUserItem]:
    """Read the sub-items of a user information item (type 50H).

    Raises
    ------
    InvalidParameter, UnexpectedParameter
        When a length is wrong, or an item stands twice that may stand once.
    """
    items: list[AnyUserItem] = []
    seen: set[int] = set()
    for item_type, content in split_items(body):
        if item_type in seen:
            raise UnexpectedParameter(f"A second sub-item 0x{item_type:02X}")
        if item_type in _ONCE:
            seen.add(item_type)
        decode = _DECODERS.get(item_type)
        items.append(decode(content) if decode else UnknownItem(item_type, bytes(content)))
    return items


def encode_user_information(items: list[AnyUserItem]) -> bytes:
    """Return the user information item (type 50H) with its sub-items in the order given."""
    return item(0x50, b"".join(item(each.item_type, each.encode()) for each in items))

"""The items of A-ASSOCIATE and P-DATA PDUs <-> bytes and primitives, by pynetdicom's names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, ClassVar, Self

from pydicom.uid import UID

from dicomwire.compat.checks import uid, uid_not_none
from dicomwire.compat.negotiation import (
    AsynchronousOperationsWindowSubItem,
    ImplementationClassUIDSubItem,
    ImplementationVersionNameSubItem,
    MaximumLengthSubItem,
    SCP_SCU_RoleSelectionSubItem,
    ServiceParameter,
    SOPClassCommonExtendedNegotiationSubItem,
    SOPClassExtendedNegotiationSubItem,
    SubItem,
    UserIdentitySubItemAC,
    UserIdentitySubItemRQ,
    sub_item_of,
)
from dicomwire.compat.parts import NO_VALUE, PDUItem, Unset
from dicomwire.network.presentation import PresentationContext, from_proposed
from dicomwire.protocol.items import bytes_of, decode_user_information, text_of
from dicomwire.protocol.pdus import (
    APPLICATION_CONTEXT,
    ContextResult,
    PDataTF,
    PresentationDataValue,
    ProposedContext,
)

_RESULTS = {  # PS3.8 Table 9-18
    0: "Accepted",
    1: "User Rejection",
    2: "Provider Rejection",
    3: "Rejected - Abstract Syntax Not Supported",
    4: "Rejected - Transfer Syntax Not Supported",
}


class _NameItem(PDUItem):
    """An item whose body is one UID."""

    def _body(self) -> bytes:
        (name,) = self._unset
        return bytes_of(getattr(self, name) or "")

    def _read(self, body: memoryview) -> None:
        (name,) = self._unset
        self._fill({name: UID(text_of(body))})


class ApplicationContextItem(_NameItem, application_context_name=uid_not_none):
    """Application context item (PS3.8 9.3.2.1)."""

    TITLE = "Application Context Item"
    _type = 0x10
    _unset: ClassVar = {"application_context_name": UID(APPLICATION_CONTEXT)}
    application_context_name: UID

    def from_primitive(self, primitive: Any) -> Self:
        """Take the name from an A-ASSOCIATE primitive."""
        self.application_context_name = primitive.application_context_name
        return self


class AbstractSyntaxSubItem(_NameItem, abstract_syntax_name=uid):
    """Abstract syntax sub-item (PS3.8 9.3.2.2.1)."""

    TITLE = "Abstract Syntax Sub-item"
    _type = 0x30
    _unset: ClassVar = {"abstract_syntax_name": None}
    abstract_syntax_name: UID | None

    @property
    def abstract_syntax(self) -> UID | None:
        """The abstract syntax."""
        return self.abstract_syntax_name

    def from_primitive(self, primitive: Any) -> Self:
        """Take a UID."""
        self.abstract_syntax_name = primitive
        return self


class TransferSyntaxSubItem(_NameItem, transfer_syntax_name=uid):
    """Transfer syntax sub-item (PS3.8 9.3.2.2.2)."""

    TITLE = "Transfer Syntax Sub-item"
    _type = 0x40
    _unset: ClassVar = {"transfer_syntax_name": None}
    transfer_syntax_name: UID | None

    @property
    def transfer_syntax(self) -> UID | None:
        """The transfer syntax."""
        return self.transfer_syntax_name

    def from_primitive(self, primitive: Any) -> Self:
        """Take a UID."""
        self.transfer_syntax_name = primitive
        return self


def _abstract(value: str) -> AbstractSyntaxSubItem:
    made = AbstractSyntaxSubItem()
    made._fill({"abstract_syntax_name": UID(value)})
    return made


def _transfer(value: str) -> TransferSyntaxSubItem:
    made = TransferSyntaxSubItem()
    made._fill({"transfer_syntax_name": UID(value)})
    return made


class PresentationContextItemRQ(PDUItem):
    """Presentation context item of a request (PS3.8 9.3.2.2)."""

    TITLE = "Presentation Context (RQ) Item"
    _type = 0x20
    _unset: ClassVar = {"presentation_context_id": None, "abstract_transfer_syntax_sub_items": []}
    presentation_context_id: int | None
    abstract_transfer_syntax_sub_items: list[AbstractSyntaxSubItem | TransferSyntaxSubItem]

    @property
    def context_id(self) -> int | None:
        """The context's number, odd."""
        return self.presentation_context_id

    @property
    def abstract_syntax(self) -> UID | None:
        """The abstract syntax."""
        subs = self.abstract_transfer_syntax_sub_items
        found = [each for each in subs if isinstance(each, AbstractSyntaxSubItem)]
        return found[0].abstract_syntax if found else None

    @property
    def transfer_syntax(self) -> list[UID]:
        """The transfer syntaxes."""
        subs = self.abstract_transfer_syntax_sub_items
        found = [each for each in subs if isinstance(each, TransferSyntaxSubItem)]
        return [each.transfer_syntax for each in found if each.transfer_syntax is not None]

    def show(self, wire: ProposedContext) -> Self:
        """Take the values of an item that was received."""
        syntaxes = map(_transfer, wire.transfer_syntaxes)
        self._fill(
            {
                "presentation_context_id": wire.context_id,
                "abstract_transfer_syntax_sub_items": [_abstract(wire.abstract_syntax), *syntaxes],
            }
        )
        return self

    def _body(self) -> bytes:
        subs = b"".join(each.encode() for each in self.abstract_transfer_syntax_sub_items)
        return bytes((self.context_id or 0, 0, 0, 0)) + subs

    def _read(self, body: memoryview) -> None:
        self.show(ProposedContext.decode(body))

    def from_primitive(self, primitive: PresentationContext) -> Self:
        """Take a presentation context as it is proposed."""
        if primitive.context_id is None or primitive.abstract_syntax is None:
            raise Unset("A presentation context without an ID or an abstract syntax")
        syntaxes = tuple(primitive.transfer_syntax)
        return self.show(ProposedContext(primitive.context_id, primitive.abstract_syntax, syntaxes))

    def to_primitive(self) -> PresentationContext:
        """Return the presentation context that it proposes."""
        syntaxes = tuple(map(str, self.transfer_syntax))
        return from_proposed(
            ProposedContext(self.context_id or 0, str(self.abstract_syntax or ""), syntaxes)
        )


class PresentationContextItemAC(PDUItem):
    """Presentation context item of an answer (PS3.8 9.3.3.2)."""

    TITLE = "Presentation Context (AC) Item"
    _type = 0x21
    _unset: ClassVar = {
        "presentation_context_id": None,
        "result_reason": None,
        "transfer_syntax_sub_item": [],
    }
    presentation_context_id: int | None
    result_reason: int | None
    transfer_syntax_sub_item: list[TransferSyntaxSubItem]

    @property
    def context_id(self) -> int | None:
        """The context's number, as proposed."""
        return self.presentation_context_id

    @property
    def result(self) -> int | None:
        """0 accepted, 1 to 4 rejected."""
        return self.result_reason

    @property
    def result_str(self) -> str:
        """The result in words."""
        return NO_VALUE if self.result is None else _RESULTS.get(self.result, NO_VALUE)

    @property
    def transfer_syntax(self) -> UID | None:
        """The accepted transfer syntax; not significant when the context was not accepted."""
        subs = self.transfer_syntax_sub_item
        return subs[0].transfer_syntax if subs else None

    def show(self, wire: ContextResult) -> Self:
        """Take the values of an item that was received."""
        self._fill(
            {
                "presentation_context_id": wire.context_id,
                "result_reason": wire.result,
                "transfer_syntax_sub_item": [_transfer(wire.transfer_syntax)],
            }
        )
        return self

    def _rows(self) -> Iterator[tuple[str, Any]]:
        yield from super()._rows()
        yield "Result", self.result_str

    def _body(self) -> bytes:
        subs = b"".join(each.encode() for each in self.transfer_syntax_sub_item)
        return bytes((self.context_id or 0, 0, self.result or 0, 0)) + subs

    def _read(self, body: memoryview) -> None:
        self.show(ContextResult.decode(body))

    def from_primitive(self, primitive: PresentationContext) -> Self:
        """Take a presentation context as it was answered."""
        if primitive.context_id is None or primitive.result is None:
            raise Unset("A presentation context without an ID or a result")
        syntax = primitive.transfer_syntax[0] if primitive.transfer_syntax else ""
        return self.show(ContextResult(primitive.context_id, primitive.result, syntax))

    def to_primitive(self) -> PresentationContext:
        """Return the presentation context that it answers; it has no abstract syntax."""
        made = PresentationContext()
        made.context_id, made.result = self.context_id, self.result
        with suppress(ValueError):  # a peer's, which may be no UID
            made.add_transfer_syntax(self.transfer_syntax)
        return made


class UserInformationItem(PDUItem):
    """User information item, with its sub-items (PS3.8 9.3.2.3)."""

    TITLE = "User Information Item"
    _type = 0x50
    _unset: ClassVar = {"user_data": []}
    user_data: list[SubItem]

    def show(self, wires: Iterable[Any]) -> Self:
        """Take sub-items that were received; those that the standard does not know are left out."""
        shown = map(sub_item_of, wires)
        self._fill({"user_data": [each for each in shown if each is not None]})
        return self

    def _of(self, *kinds: type[Any]) -> list[Any]:
        return [each for each in self.user_data if isinstance(each, kinds)]

    def _first(self, *kinds: type[Any]) -> Any:
        return next(iter(self._of(*kinds)), None)

    @property
    def maximum_length(self) -> int | None:
        """The longest P-DATA-TF that its sender receives."""
        found: MaximumLengthSubItem | None = self._first(MaximumLengthSubItem)
        return found.maximum_length_received if found else None

    @property
    def implementation_class_uid(self) -> UID | None:
        """The implementation class UID."""
        found: ImplementationClassUIDSubItem | None = self._first(ImplementationClassUIDSubItem)
        return found.implementation_class_uid if found else None

    @property
    def implementation_version_name(self) -> str | None:
        """The implementation version name."""
        found = self._first(ImplementationVersionNameSubItem)
        return found.implementation_version_name if found else None

    @property
    def async_ops_window(self) -> AsynchronousOperationsWindowSubItem | None:
        """The asynchronous operations window."""
        found: AsynchronousOperationsWindowSubItem | None
        found = self._first(AsynchronousOperationsWindowSubItem)
        return found

    @property
    def role_selection(self) -> dict[UID, SCP_SCU_RoleSelectionSubItem]:
        """The roles by SOP class."""
        return {each.uid: each for each in self._of(SCP_SCU_RoleSelectionSubItem)}

    @property
    def ext_neg(self) -> list[SOPClassExtendedNegotiationSubItem]:
        """The extended negotiation sub-items."""
        return self._of(SOPClassExtendedNegotiationSubItem)

    @property
    def common_ext_neg(self) -> list[SOPClassCommonExtendedNegotiationSubItem]:
        """The common extended negotiation sub-items."""
        return self._of(SOPClassCommonExtendedNegotiationSubItem)

    @property
    def user_identity(self) -> UserIdentitySubItemRQ | UserIdentitySubItemAC | None:
        """The user identity, or the answer to it."""
        found: UserIdentitySubItemRQ | UserIdentitySubItemAC | None
        found = self._first(UserIdentitySubItemRQ, UserIdentitySubItemAC)
        return found

    def _body(self) -> bytes:
        return b"".join(each.encode() for each in self.user_data)

    def _read(self, body: memoryview) -> None:
        self.show(decode_user_information(body))

    def from_primitive(self, primitive: Iterable[ServiceParameter]) -> Self:
        """Take the negotiation items of an A-ASSOCIATE primitive."""
        self.user_data = [each.from_primitive() for each in primitive]
        return self

    def to_primitive(self) -> list[ServiceParameter]:
        """Return the negotiation items."""
        return [each.to_primitive() for each in self.user_data]


class PresentationDataValueItem(PDUItem):
    """Presentation data value item: a fragment with its message control header (PS3.8 E.2)."""

    TITLE = "Presentation Data Value Item"
    _unset: ClassVar = {"presentation_context_id": None, "presentation_data_value": None}
    presentation_context_id: int | None
    presentation_data_value: bytes | None

    @property
    def item_type(self) -> int:
        """Raises NotImplementedError: the item has no type octet."""
        raise NotImplementedError("A presentation data value item has no type (PS3.8 9.3.5.1)")

    @property
    def item_length(self) -> int:
        """How many bytes follow the length."""
        return 1 + len(self.data or b"")

    @property
    def context_id(self) -> int | None:
        """The presentation context."""
        return self.presentation_context_id

    @property
    def data(self) -> bytes | None:
        """The message control header and the fragment."""
        return self.presentation_data_value

    @property
    def message_control_header_byte(self) -> str:
        """The message control header, as eight binary digits."""
        if not self.data:
            raise ValueError("A presentation data value without a message control header")
        return f"{self.data[0]:08b}"

    def show(self, wire: PresentationDataValue) -> Self:
        """Take the values of an item that was received."""
        self.presentation_context_id = wire.context_id
        self.presentation_data_value = bytes((wire.control,)) + bytes(wire.data)
        return self

    def wire(self) -> PresentationDataValue:
        """Return the item of `protocol` that says the same."""
        data = self.data or b"\0"
        return PresentationDataValue(self.context_id or 0, data[0], data[1:])

    def encode(self) -> bytes:
        """Return the whole item; raises ValueError when something is not set."""
        self._demand()
        return PDataTF([self.wire()]).encode()[6:]

    def decode(self, bytestream: bytes) -> None:
        """Take the values of an encoded item, its length included."""
        self.show(PDataTF.decode(memoryview(bytestream)).values[0])

    def from_primitive(self, primitive: Any) -> Self:
        """Take a context ID and a value."""
        self.presentation_context_id, self.presentation_data_value = primitive
        return self

    def _rows(self) -> Iterator[tuple[str, Any]]:
        yield "Item length", f"{self.item_length} bytes"
        yield "Context ID", self.context_id
        data = self.data or b""
        more = " ..." if len(data) > 10 else ""
        yield "Data value", data[:10].hex(" ") + more


__all__ = [
    "AbstractSyntaxSubItem",
    "ApplicationContextItem",
    "AsynchronousOperationsWindowSubItem",
    "ImplementationClassUIDSubItem",
    "ImplementationVersionNameSubItem",
    "MaximumLengthSubItem",
    "PDUItem",
    "PDU_ITEM_TYPES",
    "PresentationContextItemAC",
    "PresentationContextItemRQ",
    "PresentationDataValueItem",
    "SCP_SCU_RoleSelectionSubItem",
    "SOPClassCommonExtendedNegotiationSubItem",
    "SOPClassExtendedNegotiationSubItem",
    "TransferSyntaxSubItem",
    "UserIdentitySubItemAC",
    "UserIdentitySubItemRQ",
    "UserInformationItem",
]

PDU_ITEM_TYPES: dict[int, type[PDUItem]] = {
    kind._type: kind
    for kind in (
        ApplicationContextItem,
        PresentationContextItemRQ,
        PresentationContextItemAC,
        AbstractSyntaxSubItem,
        TransferSyntaxSubItem,
        UserInformationItem,
        MaximumLengthSubItem,
        ImplementationClassUIDSubItem,
        AsynchronousOperationsWindowSubItem,
        SCP_SCU_RoleSelectionSubItem,
        ImplementationVersionNameSubItem,
        SOPClassExtendedNegotiationSubItem,
        SOPClassCommonExtendedNegotiationSubItem,
        UserIdentitySubItemRQ,
        UserIdentitySubItemAC,
    )
}
"""Item type -> class (PS3.8 9.3)."""

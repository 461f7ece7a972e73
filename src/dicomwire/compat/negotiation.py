"""The negotiation items as programs assign to them <-> the sub-items of PDUs (PS3.7 D.3.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

from pydicom.uid import UID

from dicomwire.compat.checks import (
    boolean,
    flag,
    number,
    octets,
    role,
    uid,
    uids,
    version_name,
    version_text,
)
from dicomwire.compat.parts import NO_VALUE, PDUItem, Unset, Valued
from dicomwire.protocol import items

_UIDS = {"sop_class_uid", "service_class_uid", "implementation_class_uid"}
_RELATED = "related_general_sop_class_identification"
_USERNAMES = (1, 2)  # PS3.7 D.3.3.7: types whose primary field is a name, and no proof
_ID_TYPES = {
    1: "Username",
    2: "Username/Password",
    3: "Kerberos",
    4: "SAML",
    5: "JSON Web Token",
}


def _shown(name: str, value: Any) -> Any:
    """Return a value as programs expect it: UIDs are pydicom's."""
    if name in _UIDS and value is not None:
        return UID(value)
    return [UID(each) for each in value] if name == _RELATED else value


class ServiceParameter(Valued):
    """A user information item, for `AE.associate(ext_neg=...)` and in A-ASSOCIATE primitives."""

    _needed: ClassVar[tuple[str, ...]] = ()

    def _demand(self) -> None:
        missing = [name for name in self._needed if getattr(self, name) is None]
        if missing:
            raise Unset(f"{type(self).__name__}.{missing[0]} has to be set before it is proposed")

    def encode(self) -> bytes:
        """Return the item's body; raises LocalError, a ValueError too, when it is incomplete."""
        self._demand()
        body: bytes = super().encode()  # type: ignore[misc]  # each is an item of `protocol` too
        return body

    def from_primitive(self) -> SubItem:
        """Return the sub-item of a PDU that says the same.

        Raises
        ------
        ValueError
            When something is not set.
        """
        self._demand()
        return _SUB_ITEMS[type(self)]().from_primitive(self)


class MaximumLengthNotification(
    ServiceParameter, items.MaximumLength, maximum_length_received=number(0, 0xFFFFFFFF)
):
    """The longest P-DATA-TF that its sender can receive; 0 is unlimited (PS3.8 D.1)."""

    TITLE = "Maximum Length Negotiation"
    _unset: ClassVar = {"maximum_length_received": 16382}


class ImplementationClassUIDNotification(
    ServiceParameter, items.ImplementationClassUID, implementation_class_uid=uid
):
    """Implementation Class UID (PS3.7 D.3.3.2.1)."""

    TITLE = "Implementation Class UID"
    _unset: ClassVar = {"implementation_class_uid": None}
    _needed = ("implementation_class_uid",)


class ImplementationVersionNameNotification(
    ServiceParameter, items.ImplementationVersionName, implementation_version_name=version_name
):
    """Implementation Version Name (PS3.7 D.3.3.2.3)."""

    TITLE = "Implementation Version Name"
    _unset: ClassVar = {"implementation_version_name": None}
    _needed = ("implementation_version_name",)


class AsynchronousOperationsWindowNegotiation(
    ServiceParameter,
    items.AsynchronousOperationsWindow,
    maximum_number_operations_invoked=number(0, 0xFFFF),
    maximum_number_operations_performed=number(0, 0xFFFF),
):
    """How many operations may be outstanding; 0 is unlimited (PS3.7 D.3.3.3)."""

    TITLE = "Asynchronous Operations Window"
    _unset: ClassVar = {
        "maximum_number_operations_invoked": 1,
        "maximum_number_operations_performed": 1,
    }


class SCP_SCU_RoleSelectionNegotiation(
    ServiceParameter, items.RoleSelection, sop_class_uid=uid, scu_role=role, scp_role=role
):
    """Which roles the requestor proposes for a SOP class (PS3.7 D.3.3.4)."""

    TITLE = "SCP/SCU Role Selection"
    _unset: ClassVar = {"sop_class_uid": None, "scu_role": None, "scp_role": None}
    _needed = ("sop_class_uid",)

    def _demand(self) -> None:
        super()._demand()
        if not (self.scu_role or self.scp_role):
            raise Unset(f"The role selection for '{self.sop_class_uid}' proposes no role")


class SOPClassExtendedNegotiation(
    ServiceParameter,
    items.SOPClassExtendedNegotiation,
    sop_class_uid=uid,
    service_class_application_information=octets,
):
    """What a service class has to say about a SOP class (PS3.7 D.3.3.5)."""

    TITLE = "SOP Class Extended Negotiation"
    _unset: ClassVar = {"sop_class_uid": None, "service_class_application_information": None}
    _needed = ("sop_class_uid", "service_class_application_information")


class SOPClassCommonExtendedNegotiation(
    ServiceParameter,
    items.SOPClassCommonExtendedNegotiation,
    sop_class_uid=uid,
    service_class_uid=uid,
    related_general_sop_class_identification=uids,
):
    """Which service class and which general SOP classes a SOP class has (PS3.7 D.3.3.6)."""

    TITLE = "SOP Class Common Extended Negotiation"
    _unset: ClassVar = {"sop_class_uid": None, "service_class_uid": None, _RELATED: []}
    _needed = ("sop_class_uid", "service_class_uid")


class UserIdentityNegotiation(
    ServiceParameter,
    items.UserIdentity,
    user_identity_type=number(1, 5, optional=True),
    positive_response_requested=boolean,
    primary_field=octets,
    secondary_field=octets,
    server_response=octets,
):
    """Who the user is (PS3.7 D.3.3.7); with a `server_response`, what the acceptor answers."""

    TITLE = "User Identity"
    _unset: ClassVar = {
        "user_identity_type": None,
        "positive_response_requested": False,
        "primary_field": None,
        "secondary_field": b"",
        "server_response": None,
    }
    _needed = ("user_identity_type", "primary_field")
    server_response: bytes | None

    def _demand(self) -> None:
        kind: Any = self.user_identity_type
        if self.server_response is not None and kind is None:
            return
        super()._demand()
        if kind == 2 and not self.secondary_field:
            raise Unset("User identity type 2 needs a secondary field, the passcode")

    def encode(self) -> bytes:
        """Return the item's body; raises LocalError, a ValueError too, when it is incomplete."""
        secondary: Any = self.secondary_field
        if secondary is None:
            self._fill({"secondary_field": b""})
        return super().encode()

    def from_primitive(self) -> SubItem:
        """Return the sub-item: of a request, or of an acceptance when it has a server response."""
        self._demand()
        kind: Any = self.user_identity_type
        sub_item = UserIdentitySubItemRQ if kind else UserIdentitySubItemAC
        return sub_item().from_primitive(self)

    def _rows(self) -> Iterator[tuple[str, Any]]:
        return _hide(super()._rows(), self.user_identity_type)

    __repr__ = object.__repr__


def _hide(rows: Iterator[tuple[str, Any]], kind: int | None) -> Iterator[tuple[str, Any]]:
    """Show how long passcodes, tickets and tokens are, and not what they are."""
    for label, value in rows:
        open_to_all = label == "Primary field" and kind in _USERNAMES
        hidden = isinstance(value, bytes) and not open_to_all
        yield label, f"{len(value)} bytes, not shown" if hidden else value


class SubItem(PDUItem):
    """A sub-item of the user information item (PS3.8 9.3.2.3)."""

    _wire: ClassVar[type[Any]]
    _primitive: ClassVar[type[ServiceParameter]]

    def __init_subclass__(cls, **checks: Any) -> None:
        super().__init_subclass__(**checks)
        cls._type = cls._wire.item_type

    def wire(self) -> Any:
        """Return the item of `protocol` that says the same."""
        given = {name: getattr(self, name) for name in self._unset}
        return self._wire(**{n: _BLANK.get(n, 0) if v is None else v for n, v in given.items()})

    def show(self, wire: Any) -> Self:
        """Take the values of an item that was received."""
        values = {name: _shown(name, getattr(wire, name)) for name in self._unset}
        self._fill({n: int(bool(v)) if n in _FLAGS else v for n, v in values.items()})
        return self

    def _body(self) -> bytes:
        body: bytes = self.wire().encode()
        return body

    def _read(self, body: memoryview) -> None:
        self.show(self._wire.decode(body))

    def from_primitive(self, primitive: Any) -> Self:
        """Take the values of a negotiation item."""
        return self.show(primitive)

    def to_primitive(self) -> Any:
        """Return the negotiation item that says the same."""
        made = self._primitive()
        values = {name: getattr(self, name) for name in self._unset}
        made._fill({n: bool(v) if n in _FLAGS else v for n, v in values.items()})
        return made


_BLANK: dict[str, Any] = {
    **dict.fromkeys(_UIDS, ""),
    **dict.fromkeys(("primary_field", "secondary_field", "server_response"), b""),
    "implementation_version_name": "",
    "service_class_application_information": b"",
}
_FLAGS = {"scu_role", "scp_role", "positive_response_requested"}


class MaximumLengthSubItem(SubItem):
    """Maximum length sub-item (PS3.8 D.1)."""

    TITLE = "Maximum length Sub-item"
    _wire, _primitive = items.MaximumLength, MaximumLengthNotification
    _unset: ClassVar = {"maximum_length_received": None}
    maximum_length_received: int | None


class ImplementationClassUIDSubItem(SubItem, implementation_class_uid=uid):
    """Implementation Class UID sub-item (PS3.7 D.3.3.2.1)."""

    TITLE = "Implementation Class UID Sub-item"
    _wire, _primitive = items.ImplementationClassUID, ImplementationClassUIDNotification
    _unset: ClassVar = {"implementation_class_uid": None}
    implementation_class_uid: UID | None


class ImplementationVersionNameSubItem(SubItem, implementation_version_name=version_text):
    """Implementation Version Name sub-item (PS3.7 D.3.3.2.3)."""

    TITLE = "Implementation Version Name Sub-item"
    _wire, _primitive = items.ImplementationVersionName, ImplementationVersionNameNotification
    _unset: ClassVar = {"implementation_version_name": None}
    implementation_version_name: str | None


class AsynchronousOperationsWindowSubItem(SubItem):
    """Asynchronous operations window sub-item (PS3.7 D.3.3.3)."""

    TITLE = "Asynchronous Operations Window Sub-item"
    _wire = items.AsynchronousOperationsWindow
    _primitive = AsynchronousOperationsWindowNegotiation
    _unset: ClassVar = {
        "maximum_number_operations_invoked": None,
        "maximum_number_operations_performed": None,
    }
    maximum_number_operations_invoked: int | None
    maximum_number_operations_performed: int | None

    @property
    def max_operations_invoked(self) -> int | None:
        """How many operations its sender may invoke at once."""
        return self.maximum_number_operations_invoked

    @property
    def max_operations_performed(self) -> int | None:
        """How many operations its sender may perform at once."""
        return self.maximum_number_operations_performed


class _OfSOPClass(SubItem):
    """A sub-item about a SOP class."""

    sop_class_uid: UID | None
    _wire: ClassVar[type[Any]] = items.RoleSelection  # has a type; each subclass names its own

    @property
    def uid(self) -> UID | None:
        """The SOP class."""
        return self.sop_class_uid

    @property
    def sop_class_uid_length(self) -> int:
        """How many bytes the SOP class UID has."""
        return len(self.sop_class_uid or "")


class SCP_SCU_RoleSelectionSubItem(_OfSOPClass, sop_class_uid=uid, scu_role=flag, scp_role=flag):
    """SCP/SCU role selection sub-item (PS3.7 D.3.3.4)."""

    TITLE = "SCP/SCU Role Selection Sub-item"
    _wire, _primitive = items.RoleSelection, SCP_SCU_RoleSelectionNegotiation
    _unset: ClassVar = {"sop_class_uid": None, "scu_role": None, "scp_role": None}
    scu_role: int | None
    scp_role: int | None

    @property
    def uid_length(self) -> int:
        """How many bytes the SOP class UID has."""
        return self.sop_class_uid_length

    @property
    def scu(self) -> int | None:
        """1 when the requestor proposes, or may take, the role of SCU."""
        return self.scu_role

    @property
    def scp(self) -> int | None:
        """1 when the requestor proposes, or may take, the role of SCP."""
        return self.scp_role


class SOPClassExtendedNegotiationSubItem(_OfSOPClass, sop_class_uid=uid):
    """SOP class extended negotiation sub-item (PS3.7 D.3.3.5)."""

    TITLE = "SOP Class Extended Negotiation Sub-item"
    _wire, _primitive = items.SOPClassExtendedNegotiation, SOPClassExtendedNegotiation
    _unset: ClassVar = {"sop_class_uid": None, "service_class_application_information": None}
    service_class_application_information: bytes | None

    @property
    def app_info(self) -> bytes | None:
        """The service class application information."""
        return self.service_class_application_information


class SOPClassCommonExtendedNegotiationSubItem(
    _OfSOPClass,
    sop_class_uid=uid,
    service_class_uid=uid,
    related_general_sop_class_identification=uids,
):
    """SOP class common extended negotiation sub-item (PS3.7 D.3.3.6)."""

    TITLE = "SOP Class Common Extended Negotiation Sub-item"
    _wire = items.SOPClassCommonExtendedNegotiation
    _primitive = SOPClassCommonExtendedNegotiation
    _unset: ClassVar = {"sop_class_uid": None, "service_class_uid": None, _RELATED: []}
    sub_item_version = 0  # PS3.7 Table D.3-12
    service_class_uid: UID | None
    related_general_sop_class_identification: list[UID]

    @property
    def service_class_uid_length(self) -> int:
        """How many bytes the service class UID has."""
        return len(self.service_class_uid or "")

    @property
    def related_general_sop_class_identification_length(self) -> int:
        """How many bytes the related SOP class UIDs have, with their lengths."""
        return sum(2 + len(each) for each in self.related_general_sop_class_identification)


class UserIdentitySubItemRQ(SubItem):
    """User identity sub-item of a request (PS3.7 D.3.3.7.1)."""

    TITLE = "User Identity (RQ) Sub-item"
    _wire, _primitive = items.UserIdentity, UserIdentityNegotiation
    _unset: ClassVar = {
        "user_identity_type": None,
        "positive_response_requested": None,
        "primary_field": None,
        "secondary_field": b"",
    }
    user_identity_type: int | None
    positive_response_requested: int | None
    primary_field: bytes | None
    secondary_field: bytes | None

    @property
    def id_type(self) -> int | None:
        """1 to 5."""
        return self.user_identity_type

    @property
    def id_type_str(self) -> str:
        """The type in words."""
        return _ID_TYPES.get(self.user_identity_type or 0, NO_VALUE)

    @property
    def response_requested(self) -> int | None:
        """1 when the acceptor shall answer."""
        return self.positive_response_requested

    @property
    def primary(self) -> bytes | None:
        """The primary field."""
        return self.primary_field

    @property
    def primary_field_length(self) -> int:
        """How many bytes the primary field has."""
        return len(self.primary_field or b"")

    @property
    def secondary(self) -> bytes | None:
        """The secondary field."""
        return self.secondary_field

    @property
    def secondary_field_length(self) -> int:
        """How many bytes the secondary field has."""
        return len(self.secondary_field or b"")

    def _rows(self) -> Iterator[tuple[str, Any]]:
        return _hide(super()._rows(), self.user_identity_type)


class UserIdentitySubItemAC(SubItem):
    """User identity sub-item of an acceptance (PS3.7 D.3.3.7.2)."""

    TITLE = "User Identity (AC) Sub-item"
    _wire, _primitive = items.UserIdentityResponse, UserIdentityNegotiation
    _unset: ClassVar = {"server_response": None}
    server_response: bytes | None

    @property
    def response(self) -> bytes | None:
        """The server response."""
        return self.server_response

    @property
    def server_response_length(self) -> int:
        """How many bytes the server response has."""
        return len(self.server_response or b"")

    def _rows(self) -> Iterator[tuple[str, Any]]:
        return _hide(super()._rows(), None)


_SUB_ITEMS: dict[type[ServiceParameter], type[SubItem]] = {
    kind._primitive: kind
    for kind in (
        MaximumLengthSubItem,
        ImplementationClassUIDSubItem,
        ImplementationVersionNameSubItem,
        AsynchronousOperationsWindowSubItem,
        SCP_SCU_RoleSelectionSubItem,
        SOPClassExtendedNegotiationSubItem,
        SOPClassCommonExtendedNegotiationSubItem,
        UserIdentitySubItemRQ,
    )
}
_BY_WIRE: dict[type[Any], Callable[[], SubItem]] = {
    **{kind._wire: kind for kind in _SUB_ITEMS.values()},
    items.UserIdentityResponse: UserIdentitySubItemAC,
}


def sub_item_of(wire: Any) -> SubItem | None:
    """Return the sub-item for an item of `protocol`; None for one that the standard lacks."""
    for kind, make in _BY_WIRE.items():
        if isinstance(wire, kind):
            return make().show(wire)
    return None

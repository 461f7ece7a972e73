"""An A-ASSOCIATE request and its answer into what each side said about itself."""

from __future__ import annotations

from typing import Any, NoReturn

from dicomwire.network.addresses import Address
from dicomwire.network.presentation import (
    PresentationContext,
    from_accepted,
    from_answered,
    from_proposed,
    from_rejected,
)
from dicomwire.network.views import views
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Rejected
from dicomwire.protocol.items import (
    AnyUserItem,
    AsynchronousOperationsWindow,
    ImplementationClassUID,
    ImplementationVersionName,
    MaximumLength,
    RoleSelection,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentity,
    UserIdentityResponse,
)
from dicomwire.protocol.negotiation import items_of
from dicomwire.protocol.pdus import AssociateAC, AssociateRJ, AssociateRQ
from dicomwire.services.association import Identity


class ServiceUser:
    """One side of an association: what it calls itself, what it proposed or accepted.

    Parameters
    ----------
    connection : Connection
        The association's.
    mode : str
        "requestor" or "acceptor".
    ours : Identity or None
        What this process presents, when this side is this process.
    assoc : Association, optional
        Whose side it is.

    Attributes
    ----------
    writeable : bool
        Always False: what is proposed and accepted is said to `AE.associate` and to servers.
    """

    writeable = False

    def __init__(
        self, connection: Connection, mode: str, ours: Identity | None, assoc: Any = None
    ) -> None:
        self.assoc = assoc
        self._common: dict[str, tuple[str, list[str]]] = {}
        self._connection = connection
        self._ours = ours
        self._title = ""
        self._contexts: list[PresentationContext] = []
        self.mode = mode
        self.address_info: Address | None = None

    def set_up(self, title: str, contexts: list[PresentationContext] | None = None) -> None:
        """Say what is known of this side before anything is negotiated."""
        self._title = title
        self._contexts = contexts or []

    @property
    def is_requestor(self) -> bool:
        """Whether this side asked for the association."""
        return self.mode == "requestor"

    @property
    def is_acceptor(self) -> bool:
        """Whether this side was asked."""
        return not self.is_requestor

    @property
    def primitive(self) -> Any:
        """The A-ASSOCIATE primitive that this side sent, a rejection too; None before."""
        ended, said = self._connection.ended, self._said
        if self.is_acceptor and isinstance(ended, Rejected):
            return views().primitive_of(AssociateRJ(ended.result, ended.source, ended.reason), None)
        return None if said is None else views().primitive_of(said, self._connection.request)

    @property
    def _said(self) -> AssociateRQ | AssociateAC | None:
        return self._connection.request if self.is_requestor else self._connection.answer

    @property
    def ae_title(self) -> str:
        """AE title, without padding."""
        request = self._connection.request
        if request is None:
            return self._title
        return request.calling_ae_title if self.is_requestor else request.called_ae_title

    @property
    def address(self) -> str:
        """IP address; raises ValueError while it is unknown."""
        if self.address_info is None:
            raise ValueError(f"The address of the {self.mode} is not known yet")
        return self.address_info.host

    @property
    def port(self) -> int:
        """TCP port; raises ValueError while it is unknown."""
        if self.address_info is None:
            raise ValueError(f"The port of the {self.mode} is not known yet")
        return self.address_info.port

    @property
    def user_information(self) -> list[AnyUserItem]:
        """All user information items that this side sent."""
        primitive = self._said
        if primitive is not None:
            return list(primitive.user_information)
        return self._ours.items() if self._ours else []

    @property
    def maximum_length(self) -> int | None:
        """The longest P-DATA-TF that this side receives, in bytes; 0 is unlimited."""
        found = items_of(self.user_information, MaximumLength)
        return found[0].maximum_length_received if found else None

    @property
    def implementation_class_uid(self) -> str | None:
        """Implementation Class UID."""
        found = items_of(self.user_information, ImplementationClassUID)
        return found[0].implementation_class_uid if found else None

    @property
    def implementation_version_name(self) -> str | None:
        """Implementation Version Name."""
        found = items_of(self.user_information, ImplementationVersionName)
        return found[0].implementation_version_name if found else None

    @property
    def extended_negotiation(self) -> list[AnyUserItem]:
        """The items beyond maximum length and implementation."""
        plain = MaximumLength | ImplementationClassUID | ImplementationVersionName
        return [each for each in self.user_information if not isinstance(each, plain)]

    @property
    def role_selection(self) -> dict[str, RoleSelection]:
        """SOP class UID -> role selection item."""
        return {each.sop_class_uid: each for each in items_of(self.user_information, RoleSelection)}

    @property
    def asynchronous_operations(self) -> tuple[int, int]:
        """Operations invoked and performed at once; (1, 1) when not negotiated."""
        found = items_of(self.user_information, AsynchronousOperationsWindow)
        if not found:
            return (1, 1)
        window = found[0]
        return (
            window.maximum_number_operations_invoked,
            window.maximum_number_operations_performed,
        )

    @property
    def sop_class_extended(self) -> dict[str, bytes]:
        """SOP class UID -> service class application information."""
        found = items_of(self.user_information, SOPClassExtendedNegotiation)
        return {each.sop_class_uid: each.service_class_application_information for each in found}

    @property
    def sop_class_common_extended(self) -> dict[str, SOPClassCommonExtendedNegotiation]:
        """SOP class UID -> common extended negotiation item; only a requestor has any."""
        found = items_of(self.user_information, SOPClassCommonExtendedNegotiation)
        return {each.sop_class_uid: each for each in found}

    @property
    def user_identity(self) -> UserIdentity | UserIdentityResponse | None:
        """The user identity item, or the answer to it."""
        for each in self.user_information:
            if isinstance(each, UserIdentity | UserIdentityResponse):
                return each
        return None

    @property
    def requested_contexts(self) -> list[PresentationContext]:
        """What the requestor proposed."""
        request = self._connection.request
        if self.is_requestor and request is not None:
            return [from_proposed(context) for context in request.presentation_contexts]
        return self._contexts if self.is_requestor else []

    @property
    def supported_contexts(self) -> list[PresentationContext]:
        """What the acceptor supports."""
        return self._contexts if self.is_acceptor else []

    def get_contexts(self, cx_type: str) -> list[PresentationContext]:
        """Return contexts of one kind.

        Parameters
        ----------
        cx_type : str
            Of a requestor "requested", or "pcdl" for the same; of an acceptor "supported", or
            "pcdrl" for what it answered (PS3.8 7.1.1.13 and 7.1.1.14).

        Raises
        ------
        ValueError
            When this side has none of that kind, or not yet.
        """
        if cx_type == ("requested" if self.is_requestor else "supported"):
            return self.requested_contexts if self.is_requestor else self.supported_contexts
        request, answer = self._connection.request, self._connection.answer
        if cx_type == "pcdl" and self.is_requestor and request is not None:
            return self.requested_contexts
        if cx_type == "pcdrl" and self.is_acceptor and answer is not None and request is not None:
            asked = {each.context_id: each for each in request.presentation_contexts}
            answers = answer.presentation_contexts
            return [from_answered(each, asked) for each in answers if each.context_id in asked]
        raise ValueError(f"The {self.mode} has no '{cx_type}' contexts, or not yet")

    @property
    def accepted_common_extended(self) -> dict[str, tuple[str, list[str]]]:
        """SOP class UID -> (service class UID, related SOP class UIDs), as a handler accepted.

        Raises
        ------
        RuntimeError
            When this side is the requestor.
        """
        if self.is_requestor:
            raise RuntimeError("Only the acceptor accepts common extended negotiation")
        return dict(self._common)

    def learn_common_extended(self, accepted: Any) -> None:
        """Keep what a handler of EVT_SOP_COMMON returned; what is no such item counts for nothing.

        Parameters
        ----------
        accepted : dict
            SOP class UID -> item.
        """
        self._common = {
            uid: (item.service_class_uid, list(item.related_general_sop_class_identification))
            for uid, item in (accepted.items() if isinstance(accepted, dict) else ())
            if isinstance(item, SOPClassCommonExtendedNegotiation)
        }

    def add_negotiation_item(self, item: AnyUserItem) -> NoReturn:
        """Refuse: raises RuntimeError; give the item to `AE.associate(ext_neg=...)`."""
        self._refuse()

    def remove_negotiation_item(self, item: AnyUserItem) -> NoReturn:
        """Refuse: raises RuntimeError."""
        self._refuse()

    def reset_negotiation_items(self) -> NoReturn:
        """Refuse: raises RuntimeError."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise RuntimeError(
            "The negotiation items cannot be changed any more: what is proposed is given to "
            "AE.associate(ext_neg=...)"
        )

    @property
    def info(self) -> dict[str, Any]:
        """Titles, address and sizes in one dict."""
        info: dict[str, Any] = {
            "ae_title": self.ae_title,
            "address": self.address_info.host if self.address_info else None,
            "port": self.address_info.port if self.address_info else None,
            "mode": self.mode,
        }
        if self._said is not None:
            info["pdv_size"] = self.maximum_length
        return info


def accepted_of(connection: Connection) -> list[PresentationContext]:
    """Return the accepted contexts, ordered by ID."""
    found = [from_accepted(context) for context in connection.contexts.values()]
    return sorted(found, key=lambda each: each.context_id or 0)


def rejected_of(connection: Connection) -> list[PresentationContext]:
    """Return the contexts that were not accepted."""
    request = connection.request
    if request is None:
        return []
    asked = {context.context_id: context for context in request.presentation_contexts}
    results = connection.rejected
    if not connection.is_requestor and connection.answer is not None:
        results = [each for each in connection.answer.presentation_contexts if each.result]
    return [from_rejected(result, asked) for result in results]

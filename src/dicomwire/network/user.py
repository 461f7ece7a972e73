"""An A-ASSOCIATE request and its answer into what each side said about itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from dicomwire.network.addresses import Address
from dicomwire.network.options import DEFAULT_MAXIMUM_LENGTH, IMPLEMENTATION_UID
from dicomwire.network.presentation import (
    PresentationContext,
    checked_contexts,
    checked_items,
    checked_uid,
    from_accepted,
    from_answered,
    from_proposed,
    from_rejected,
    proposed,
    supported,
)
from dicomwire.network.titles import checked_title, checked_version_name
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
from dicomwire.protocol.pdus import MAXIMUM_CONTEXTS, AssociateAC, AssociateRJ, AssociateRQ
from dicomwire.services.association import Identity, Policy


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

    Until this side has spoken it can be changed: an acceptor, say, by a handler of EVT_REQUESTED.
    """

    def __init__(
        self, connection: Connection, mode: str, ours: Identity | None, assoc: Any = None
    ) -> None:
        self.assoc = assoc
        self._common: dict[str, tuple[str, list[str]]] = {}
        self._connection = connection
        self._ours = ours
        self._title = ""
        self._contexts: list[PresentationContext] = []
        self._items: list[AnyUserItem] = []
        self._changes: list[Callable[[Policy], Policy]] = []
        self._has_own_contexts = False
        self.mode = mode
        self.address_info: Address | None = None

    def set_up(
        self,
        title: str,
        contexts: list[PresentationContext] | None = None,
        items: Sequence[AnyUserItem] = (),
    ) -> None:
        """Say what is known of this side before anything is negotiated."""
        self._title = title
        self._contexts = contexts or []
        self._items = list(items)

    @property
    def writeable(self) -> bool:
        """Whether this side has not spoken yet, so that what it is going to say can be changed."""
        return self._said is None and self._connection.ended is None

    def _check_writeable(self) -> None:
        if not self.writeable:
            raise RuntimeError(
                f"The {self.mode} has spoken: what it says in the negotiation cannot be changed "
                "any more"
            )

    def proposal(self, called_title: str) -> AssociateRQ:
        """Return the request that this side, the requestor, is going to make."""
        titles = called_title.strip(), self._title.strip()
        return AssociateRQ(*titles, proposed(self._contexts), self.user_information)

    def revised(self, policy: Policy) -> Policy:
        """Return what is accepted after what was changed on this side, the acceptor."""
        for change in self._changes:
            policy = change(policy)
        if self._has_own_contexts:
            policy = policy._replace(supported=supported(self._contexts))
        return policy._replace(items=tuple(self._items)) if self._items else policy

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
        if request is None or self.writeable:
            return self._title
        return request.calling_ae_title if self.is_requestor else request.called_ae_title

    @ae_title.setter
    def ae_title(self, value: str) -> None:
        self._check_writeable()
        title = self._title = checked_title(value, "ae_title")
        self._changes.append(
            lambda policy: (
                policy if policy.called_title is None else policy._replace(called_title=title)
            )
        )

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
        return [*(self._ours.items() if self._ours else ()), *self._items]

    def _present(self, **changes: Any) -> None:
        """Change how this side presents itself."""
        self._check_writeable()
        known = self._ours or Identity(DEFAULT_MAXIMUM_LENGTH, IMPLEMENTATION_UID, None)
        self._ours = known._replace(**changes)
        self._changes.append(
            lambda policy: policy._replace(identity=policy.identity._replace(**changes))
        )

    @property
    def maximum_length(self) -> int | None:
        """The longest P-DATA-TF that this side receives, in bytes; 0 is unlimited."""
        found = items_of(self.user_information, MaximumLength)
        return found[0].maximum_length_received if found else None

    @maximum_length.setter
    def maximum_length(self, value: int) -> None:
        if not isinstance(value, int):
            raise TypeError(f"maximum_length is an int, not {type(value).__name__}")
        if not 0 <= value <= 0xFFFFFFFF:
            raise ValueError(f"maximum_length is from 0 to 4,294,967,295, not {value}")
        self._present(maximum_length=value)
        if self.mode == self.assoc.mode:
            self._connection.announce(value)

    @property
    def implementation_class_uid(self) -> str | None:
        """Implementation Class UID."""
        found = items_of(self.user_information, ImplementationClassUID)
        return found[0].implementation_class_uid if found else None

    @implementation_class_uid.setter
    def implementation_class_uid(self, value: str) -> None:
        uid = checked_uid(value, "implementation_class_uid")
        self._present(implementation_class_uid=uid)

    @property
    def implementation_version_name(self) -> str | None:
        """Implementation Version Name."""
        found = items_of(self.user_information, ImplementationVersionName)
        return found[0].implementation_version_name if found else None

    @implementation_version_name.setter
    def implementation_version_name(self, value: str | None) -> None:
        self._present(implementation_version_name=checked_version_name(value))

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

    @requested_contexts.setter
    def requested_contexts(self, contexts: list[PresentationContext]) -> None:
        self._check_writeable()
        if not self.is_requestor:
            raise AttributeError("Only the requestor has requested contexts")
        self._contexts = checked_contexts(contexts, MAXIMUM_CONTEXTS)

    @property
    def supported_contexts(self) -> list[PresentationContext]:
        """What the acceptor supports."""
        if not self.is_acceptor:
            return []
        if self.writeable and not self._has_own_contexts:  # whoever asks may change one of them
            self._contexts, self._has_own_contexts = deepcopy(self._contexts), True
        return self._contexts

    @supported_contexts.setter
    def supported_contexts(self, contexts: list[PresentationContext]) -> None:
        self._check_writeable()
        if not self.is_acceptor:
            raise AttributeError("Only the acceptor has supported contexts")
        self._contexts, self._has_own_contexts = checked_contexts(contexts), True

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

    def add_negotiation_item(self, item: AnyUserItem) -> None:
        """Add an item to what this side says.

        Parameters
        ----------
        item : AnyUserItem
            Role selection, extended negotiation, user identity.

        Raises
        ------
        RuntimeError
            When this side has spoken already.
        TypeError
            When it is no such item.
        """
        self._check_writeable()
        self._items += self._checked(item)

    def remove_negotiation_item(self, item: AnyUserItem) -> None:
        """Take an item back; one that was not added counts for nothing."""
        self._check_writeable()
        self._checked(item)
        if item in self._items:
            self._items.remove(item)

    def reset_negotiation_items(self) -> None:
        """Take all items back that were added."""
        self._check_writeable()
        self._items = []

    def _checked(self, item: Any) -> list[AnyUserItem]:
        plain = MaximumLength | ImplementationClassUID | ImplementationVersionName
        only_asked = SOPClassCommonExtendedNegotiation  # PS3.7 D.3.3.6.2: never answered
        if isinstance(item, plain) or (self.is_acceptor and isinstance(item, only_asked)):
            raise TypeError(f"The {self.mode} has no negotiation item {type(item).__name__}")
        return checked_items([item])

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

"""Presentation contexts as users write them <-> as the protocol negotiates them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomwire.network.options import defaults
from dicomwire.protocol.items import AnyUserItem, RoleSelection
from dicomwire.protocol.negotiation import (
    ACCEPTANCE,
    NO_REASON,
    AcceptedContext,
    SupportedContext,
    answer_contexts,
    read_answer,
)
from dicomwire.protocol.pdus import AssociateAC, AssociateRQ, ContextResult, ProposedContext
from dicomwire.protocol.validate import is_valid_uid
from dicomwire.standard.context_lists import CONTEXT_LISTS
from dicomwire.standard.service_classes import ServiceClass, StorageServiceClass
from dicomwire.standard.sop_classes import service_class_of
from dicomwire.standard.transfer_syntaxes import DEFAULT_TRANSFER_SYNTAXES
from dicomwire.standard.uids import name_of

if TYPE_CHECKING:
    from pydicom.uid import UID

logger = logging.getLogger("dicomwire.presentation")

STATUSES = {  # PS3.8 Table 9-18
    None: "Pending",
    0: "Accepted",
    1: "User Rejected",
    2: "Provider Rejected",
    3: "Abstract Syntax Not Supported",
    4: "Transfer Syntax(es) Not Supported",
}

Syntaxes = str | Sequence[str] | None


class PresentationContextTuple(NamedTuple):
    """The presentation context of a message, as handlers see it."""

    context_id: int
    abstract_syntax: UID
    transfer_syntax: UID


def checked_uid(value: Any, what: str) -> str:
    """Return the UID that a user gave.

    Raises
    ------
    TypeError
        When it is neither str, bytes nor UID.
    ValueError
        When it is empty or longer than 64 characters; or when it is none of PS3.5 9.1 and the
        defaults enforce that.
    """
    if isinstance(value, bytes):
        value = value.decode("ascii")
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str or pydicom UID, not {type(value).__name__}")
    uid = str(value)
    judge = defaults().judges_uid
    if uid and judge is not None:
        passes, reason = judge(uid)
        if not passes:
            raise ValueError(f"{what} '{uid}' may not be used: {reason}")
        return uid
    if not 0 < len(uid) <= 64:
        raise ValueError(f"{what} '{uid}' must have 1 to 64 characters")
    if not is_valid_uid(uid):
        if defaults().enforce_uids:
            raise ValueError(f"{what} '{uid}' is not a valid UID (PS3.5 9.1)")
        logger.warning("%s '%s' is not a valid UID (PS3.5 9.1)", what, uid)
    return uid


def shown_uid(uid: str) -> UID:
    """Return a UID as users get it: pydicom's, which knows names."""
    from pydicom.uid import UID  # here, so that a tool that shows none does not wait for it

    return UID(uid)


class PresentationContext:
    """An abstract syntax with its transfer syntaxes, and what negotiation made of it.

    Attributes
    ----------
    result : int or None
        As in PS3.8 Table 9-18; None before negotiation.
    """

    def __init__(self) -> None:
        self._context_id: int | None = None
        self._abstract_syntax: str | None = None
        self._transfer_syntax: list[str] = []
        self._scu_role: bool | None = None
        self._scp_role: bool | None = None
        self._as_scu: bool | None = None
        self._as_scp: bool | None = None
        self.result: int | None = None

    @property
    def context_id(self) -> int | None:
        """An odd number from 1 to 255, or None."""
        return self._context_id

    @context_id.setter
    def context_id(self, value: int | None) -> None:
        if value is not None and not (1 <= value <= 255 and value % 2):
            raise ValueError(f"context_id must be an odd number from 1 to 255, not {value}")
        self._context_id = value

    @property
    def abstract_syntax(self) -> UID | None:
        """The SOP class, or another UID."""
        return None if self._abstract_syntax is None else shown_uid(self._abstract_syntax)

    @abstract_syntax.setter
    def abstract_syntax(self, value: str | bytes | UID) -> None:
        self._abstract_syntax = checked_uid(value, "Abstract syntax")

    @property
    def transfer_syntax(self) -> list[UID]:
        """The transfer syntaxes; after negotiation the accepted one."""
        return [shown_uid(uid) for uid in self._transfer_syntax]

    @transfer_syntax.setter
    def transfer_syntax(self, values: list[str] | list[UID]) -> None:
        if not isinstance(values, list):
            raise TypeError("transfer_syntax must be a list of UIDs")
        self._transfer_syntax = []
        for value in values:
            self.add_transfer_syntax(value)

    def add_transfer_syntax(self, syntax: str | bytes | UID | None) -> None:
        """Append a transfer syntax, unless it is there already."""
        if syntax is None or syntax == "":
            return
        try:
            uid = checked_uid(syntax, "Transfer syntax")
        except TypeError as error:
            logger.error(str(error))
            return
        if uid not in self._transfer_syntax:
            self._transfer_syntax.append(uid)

    @property
    def scu_role(self) -> bool | None:
        """Acceptor: whether the requestor may be SCU; None keeps the default roles."""
        return self._scu_role

    @scu_role.setter
    def scu_role(self, value: bool | None) -> None:
        self._scu_role = _role("scu_role", value)

    @property
    def scp_role(self) -> bool | None:
        """Acceptor: whether the requestor may be SCP; None keeps the default roles."""
        return self._scp_role

    @scp_role.setter
    def scp_role(self, value: bool | None) -> None:
        self._scp_role = _role("scp_role", value)

    @property
    def as_scu(self) -> bool | None:
        """Whether this side may be SCU; known after negotiation."""
        return self._as_scu

    @property
    def as_scp(self) -> bool | None:
        """Whether this side may be SCP; known after negotiation."""
        return self._as_scp

    @property
    def as_tuple(self) -> PresentationContextTuple:
        """The context with its one accepted transfer syntax."""
        abstract_syntax = shown_uid(self._abstract_syntax or "")
        return PresentationContextTuple(
            self.context_id or 0, abstract_syntax, self.transfer_syntax[0]
        )

    @property
    def uids(self) -> tuple[str, tuple[str, ...]]:
        """The abstract syntax and the transfer syntaxes as plain strings."""
        return self._abstract_syntax or "", tuple(self._transfer_syntax)

    @property
    def status(self) -> str:
        """The result in words."""
        return STATUSES.get(self.result, "Unknown")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PresentationContext) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((self._context_id, self._abstract_syntax))

    def __repr__(self) -> str:
        return name_of(self._abstract_syntax) if self._abstract_syntax else "Presentation context"

    def __str__(self) -> str:
        lines = []
        if self.context_id is not None:
            lines.append(f"ID: {self.context_id}")
        if self._abstract_syntax is not None:
            lines.append(f"Abstract Syntax: {name_of(self._abstract_syntax)}")
        lines.append("Transfer Syntax(es):")
        lines += [f"    ={name_of(uid)}" for uid in self._transfer_syntax]
        if self.result is not None:
            lines.append(f"Result: {self.status}")
        if self.as_scu is not None:
            roles = [name for name, has in (("SCU", self.as_scu), ("SCP", self.as_scp)) if has]
            lines.append(f"Role: {' and '.join(roles)}")
        return "\n".join(lines)


def _role(name: str, value: bool | None) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{name} must be a bool or None, not {type(value).__name__}")
    return value


def build_context(
    abstract_syntax: str | UID, transfer_syntax: Syntaxes = None
) -> PresentationContext:
    """Return a presentation context.

    Parameters
    ----------
    abstract_syntax : str
        UID of the SOP class.
    transfer_syntax : str or sequence of str, optional
        UIDs; None means the four uncompressed ones, implicit VR little endian first.
    """
    context = PresentationContext()
    context._abstract_syntax = checked_uid(abstract_syntax, "Abstract syntax")
    context.transfer_syntax = list(syntaxes_of(transfer_syntax))
    return context


def syntaxes_of(transfer_syntax: Syntaxes) -> Sequence[str]:
    """Return the transfer syntaxes that a user meant by one, several or None."""
    if transfer_syntax is None:
        return DEFAULT_TRANSFER_SYNTAXES
    return [transfer_syntax] if isinstance(transfer_syntax, str) else transfer_syntax


def build_role(uid: str | UID, scu_role: bool = False, scp_role: bool = False) -> RoleSelection:
    """Return a role selection item for `AE.associate(ext_neg=...)` (PS3.7 D.3.3.4).

    Parameters
    ----------
    uid : str
        The SOP class.
    scu_role, scp_role : bool
        Whether the requestor proposes to be SCU, SCP, or both.

    Raises
    ------
    TypeError
        When a role is no bool.
    """
    for name, value in (("scu_role", scu_role), ("scp_role", scp_role)):
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be a bool, not {type(value).__name__}")
    return RoleSelection(str(uid), scu_role, scp_role)


def context_list(name: str) -> list[PresentationContext]:
    """Return one of the ready-made lists, e.g. "StoragePresentationContexts"."""
    return [build_context(uid) for uid in CONTEXT_LISTS[name]]


def checked_contexts(
    contexts: Iterable[PresentationContext], most: int | None = None
) -> list[PresentationContext]:
    """Return the contexts in a list of its own.

    Raises
    ------
    ValueError
        When one of them is something else, or there are more than `most`.
    """
    found = list(contexts)
    if not all(isinstance(context, PresentationContext) for context in found):
        raise ValueError("contexts must be a list of PresentationContext")
    if most is not None and len(found) > most:
        raise ValueError(f"The maximum allowed number of requested contexts is {most}")
    return found


def checked_items(items: Sequence[AnyUserItem]) -> list[AnyUserItem]:
    """Return the negotiation items in a list of its own.

    Raises
    ------
    TypeError
        When one of them is something else.
    """
    for item in items:
        if not isinstance(item, AnyUserItem):
            raise TypeError(f"'ext_neg' takes negotiation items, not {type(item).__name__}")
    return list(items)


# -- to and from the protocol --------------------------------------------------------------


def proposed(contexts: Iterable[PresentationContext]) -> list[ProposedContext]:
    """Number the contexts 1, 3, 5, ... as an A-ASSOCIATE-RQ proposes them."""
    return [ProposedContext(2 * index + 1, *context.uids) for index, context in enumerate(contexts)]


def supported(contexts: Iterable[PresentationContext]) -> dict[str, SupportedContext]:
    """Return what an acceptor supports, by abstract syntax."""
    return {
        context.uids[0]: SupportedContext(context.uids[1], context.scu_role, context.scp_role)
        for context in contexts
    }


def is_storage_or_unknown(uid: str) -> bool:
    """Whether an abstract syntax is for storage, private or not known here."""
    return service_class_of(uid) in (ServiceClass, StorageServiceClass)


def _from_peer(
    context_id: int, abstract_syntax: str, transfer_syntaxes: Iterable[str]
) -> PresentationContext:
    # A peer's UIDs are shown as they came, whatever is demanded of a user's.
    shown = PresentationContext()
    shown._abstract_syntax = abstract_syntax
    shown._transfer_syntax = list(dict.fromkeys(transfer_syntaxes))
    shown.context_id = context_id
    return shown


def from_accepted(context: AcceptedContext) -> PresentationContext:
    """Show an accepted context as users know it."""
    shown = _from_peer(context.context_id, context.abstract_syntax, [context.transfer_syntax])
    shown.result = ACCEPTANCE
    shown._as_scu, shown._as_scp = context.as_scu, context.as_scp
    return shown


def from_rejected(
    result: ContextResult, asked: Mapping[int, ProposedContext]
) -> PresentationContext:
    """Show a rejected context as users know it."""
    context = asked[result.context_id]
    shown = from_proposed(context)
    shown.result = result.result
    shown._as_scu = shown._as_scp = False
    return shown


def from_proposed(context: ProposedContext) -> PresentationContext:
    """Show a proposed context as users know it."""
    return _from_peer(context.context_id, context.abstract_syntax, context.transfer_syntaxes)


def from_answered(
    result: ContextResult, asked: Mapping[int, ProposedContext]
) -> PresentationContext:
    """Show what an acceptor answered to a context, accepted or not, as users know it."""
    context = asked[result.context_id]
    if result.result != ACCEPTANCE:
        return from_rejected(result, asked)
    shown = _from_peer(result.context_id, context.abstract_syntax, [result.transfer_syntax])
    shown.result = ACCEPTANCE
    return shown


def _ids(contexts: Sequence[PresentationContext]) -> list[int]:
    """Return the IDs; when one of the contexts has none, all are numbered as if proposed."""
    ids = [context.context_id for context in contexts]
    known = [each for each in ids if each is not None]
    return known if len(known) == len(ids) else [2 * index + 1 for index in range(len(ids))]


def _numbered(contexts: Sequence[PresentationContext]) -> list[ProposedContext]:
    numbered = zip(_ids(contexts), contexts, strict=True)
    return [ProposedContext(context_id, *context.uids) for context_id, context in numbered]


def negotiate_as_acceptor(
    rq_contexts: list[PresentationContext],
    ac_contexts: list[PresentationContext],
    roles: Mapping[str, tuple[bool, bool]] | None = None,
) -> tuple[list[PresentationContext], list[RoleSelection]]:
    """Answer requested contexts (PS3.8 9.3.3.2).

    Parameters
    ----------
    rq_contexts : list of PresentationContext
        As requested; where an ID is missing they are numbered 1, 3, 5, ... in their order.
    ac_contexts : list of PresentationContext
        As supported.
    roles : mapping, optional
        SOP class UID -> (SCU, SCP) as proposed.

    Returns
    -------
    contexts : list of PresentationContext
        With `result` and, when accepted, the one transfer syntax; ordered by ID.
    roles : list of RoleSelection
        The role selection items of the answer.
    """
    return _negotiate(rq_contexts, ac_contexts, roles)


def negotiate_unrestricted(
    rq_contexts: list[PresentationContext],
    ac_contexts: list[PresentationContext],
    roles: Mapping[str, tuple[bool, bool]] | None = None,
) -> tuple[list[PresentationContext], list[RoleSelection]]:
    """Answer as `negotiate_as_acceptor`, and accept storage, private and unknown SOP classes.

    Those of them that are not supported are accepted with the first transfer syntax proposed.

    Parameters
    ----------
    rq_contexts, ac_contexts, roles
        See `negotiate_as_acceptor`.
    """
    return _negotiate(rq_contexts, ac_contexts, roles, is_storage_or_unknown)


def _negotiate(
    rq_contexts: list[PresentationContext],
    ac_contexts: list[PresentationContext],
    roles: Mapping[str, tuple[bool, bool]] | None,
    accept_any: Callable[[str], bool] | None = None,
) -> tuple[list[PresentationContext], list[RoleSelection]]:
    asked = _numbered(rq_contexts)
    answer = answer_contexts(asked, supported(ac_contexts), roles, accept_any)
    by_id = {context.context_id: context for context in asked}
    accepted = {context.context_id: context for context in answer.accepted}
    shown = [
        from_accepted(accepted[result.context_id])
        if result.context_id in accepted
        else from_rejected(result, by_id)
        for result in answer.results
    ]
    return shown, answer.roles


def negotiate_as_requestor(
    rq_contexts: list[PresentationContext],
    ac_contexts: list[PresentationContext],
    roles: Mapping[str, tuple[bool, bool]] | None = None,
) -> list[PresentationContext]:
    """Match answered contexts with the requested ones (PS3.8 9.3.3.2).

    Parameters
    ----------
    rq_contexts, ac_contexts : list of PresentationContext
        As requested; as answered, with their results.
    roles : mapping, optional
        SOP class UID -> (SCU, SCP) as the acceptor answered.

    Raises
    ------
    ValueError
        When nothing was requested.
    """
    if not rq_contexts:
        raise ValueError("At least one requested presentation context is required")
    asked = _numbered(rq_contexts)
    answered = [
        ContextResult(
            context_id,
            NO_REASON if context.result is None else context.result,
            "".join(context.uids[1][:1]),
        )
        for context_id, context in zip(_ids(ac_contexts), ac_contexts, strict=True)
    ]
    items = [RoleSelection(uid, *pair) for uid, pair in (roles or {}).items()]
    outcome = read_answer(
        AssociateRQ("", "", asked, [*items]), AssociateAC("", "", answered, [*items])
    )
    by_id = {context.context_id: context for context in asked}
    shown = [from_accepted(each) for each in outcome.accepted]
    shown += [from_rejected(each, by_id) for each in outcome.rejected]
    return sorted(shown, key=lambda each: each.context_id or 0)

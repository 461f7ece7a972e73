"""What was proposed and what is supported into what is answered (PS3.8 9.3.3, PS3.7 Annex D)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from dicomwire.protocol.errors import InvalidParameter
from dicomwire.protocol.items import (
    AnyUserItem,
    AsynchronousOperationsWindow,
    MaximumLength,
    RoleSelection,
)
from dicomwire.protocol.pdus import (
    APPLICATION_CONTEXT,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ContextResult,
    ProposedContext,
)
from dicomwire.protocol.validate import is_valid_ae_title

# PS3.8 Table 9-18
ACCEPTANCE, USER_REJECTION, NO_REASON, ABSTRACT_SYNTAX, TRANSFER_SYNTAXES = range(5)

DEFAULT_MAXIMUM_LENGTH = 16384  # taken for a peer that does not tell its own
PDU_OVERHEAD = 12  # PDU header and PDV header: some peers count both into their maximum length
SMALLEST_MAXIMUM_LENGTH = 32  # below that a fragment carries next to nothing

Item = TypeVar("Item")


class SupportedContext(NamedTuple):
    """What an acceptor supports for one abstract syntax.

    Parameters
    ----------
    transfer_syntaxes : tuple of str
        In the order of preference.
    scu_role, scp_role : bool or None
        Whether the requestor may be SCU and SCP; None on either side keeps the default roles.
    """

    transfer_syntaxes: tuple[str, ...]
    scu_role: bool | None = None
    scp_role: bool | None = None


class AcceptedContext(NamedTuple):
    """A presentation context as both sides agreed on it, seen from one side.

    Parameters
    ----------
    context_id : int
        Odd, 1 to 255.
    abstract_syntax, transfer_syntax : str
        UIDs.
    as_scu, as_scp : bool
        The roles that this side has.
    """

    context_id: int
    abstract_syntax: str
    transfer_syntax: str
    as_scu: bool = True
    as_scp: bool = False


class Roles(NamedTuple):
    """The outcome of role selection for the requestor; `reply` is None when none is sent."""

    scu: bool
    scp: bool
    reply: tuple[bool, bool] | None


def negotiate_roles(
    proposed: tuple[bool, bool] | None, supported: SupportedContext
) -> Roles | None:
    """Answer a role selection proposal (PS3.7 D.3.3.4).

    Parameters
    ----------
    proposed : tuple of bool or None
        The requestor as SCU, as SCP; None when nothing was proposed.
    supported : SupportedContext
        What the acceptor allows.

    Returns
    -------
    Roles or None
        None when no role is left, so that the context has to be rejected.
    """
    if proposed is None or supported.scu_role is None or supported.scp_role is None:
        return Roles(True, False, None)
    reply = proposed[0] and supported.scu_role, proposed[1] and supported.scp_role
    return Roles(*reply, reply) if any(reply) else None


def items_of(items: Iterable[AnyUserItem], kind: type[Item]) -> list[Item]:
    """Return the user information items of one kind."""
    return [each for each in items if isinstance(each, kind)]


def maximum_length(items: Iterable[AnyUserItem]) -> int:
    """Return the longest P-DATA-TF that the sender of the items can receive; 0 is unlimited."""
    found = items_of(items, MaximumLength)
    return found[0].maximum_length_received if found else DEFAULT_MAXIMUM_LENGTH


def proposed_roles(items: Iterable[AnyUserItem]) -> dict[str, tuple[bool, bool]]:
    """Return SOP class UID -> (SCU, SCP) as proposed or answered; of a repeated UID the first."""
    roles: dict[str, tuple[bool, bool]] = {}
    for each in items_of(items, RoleSelection):
        roles.setdefault(each.sop_class_uid, (each.scu_role, each.scp_role))
    return roles


class Answer(NamedTuple):
    """How an acceptor answers the presentation contexts of a request."""

    results: list[ContextResult]
    roles: list[RoleSelection]
    accepted: list[AcceptedContext]


def answer_contexts(
    proposed: Sequence[ProposedContext],
    supported: Mapping[str, SupportedContext],
    roles: Mapping[str, tuple[bool, bool]] | None = None,
    accept_any: Callable[[str], bool] | None = None,
) -> Answer:
    """Answer the proposed presentation contexts (PS3.8 9.3.3.2).

    Parameters
    ----------
    proposed : sequence of ProposedContext
        As received.
    supported : mapping
        Abstract syntax -> what this side supports; of its transfer syntaxes the first that was
        proposed is accepted, so the acceptor's order decides.
    roles : mapping, optional
        Role selection as proposed, see `proposed_roles`.
    accept_any : callable, optional
        Says of an abstract syntax that is not in `supported` whether to accept it all the same,
        with the first transfer syntax proposed.

    Returns
    -------
    Answer
        Results and accepted contexts in the order of the context IDs.
    """
    answer = Answer([], [], [])
    replied: set[str] = set()
    for context in sorted(proposed, key=lambda each: each.context_id):
        uid = context.abstract_syntax
        entry = supported.get(uid)
        if entry is None and accept_any is not None and accept_any(uid):
            entry = SupportedContext(context.transfer_syntaxes[:1])
        result, agreed = _answer_one(context, entry, (roles or {}).get(uid))
        if agreed is not None and entry is not None:
            answer.accepted.append(
                AcceptedContext(
                    # the requestor's SCP is our SCU
                    context.context_id,
                    uid,
                    result.transfer_syntax,
                    agreed.scp,
                    agreed.scu,
                )
            )
            if agreed.reply is not None and uid not in replied:
                replied.add(uid)
                answer.roles.append(RoleSelection(uid, *agreed.reply))
        answer.results.append(result)
    return answer


def _answer_one(
    context: ProposedContext,
    supported: SupportedContext | None,
    proposed_role: tuple[bool, bool] | None,
) -> tuple[ContextResult, Roles | None]:
    # PS3.8 9.3.3.2: the transfer syntax of a rejected context is not significant; echo the first,
    # but not at any length that the peer may choose
    first = context.transfer_syntaxes[0][:64]
    if supported is None:
        return ContextResult(context.context_id, ABSTRACT_SYNTAX, first), None
    roles = negotiate_roles(proposed_role, supported)
    if roles is None:
        return ContextResult(context.context_id, USER_REJECTION, first), None
    offered = set(context.transfer_syntaxes)
    chosen = next((uid for uid in supported.transfer_syntaxes if uid in offered), None)
    if chosen is None:
        return ContextResult(context.context_id, TRANSFER_SYNTAXES, first), None
    return ContextResult(context.context_id, ACCEPTANCE, chosen), roles


class Outcome(NamedTuple):
    """What a requestor learns from an A-ASSOCIATE-AC about the contexts that it proposed."""

    accepted: list[AcceptedContext]
    rejected: list[ContextResult]


def read_answer(request: AssociateRQ, answer: AssociateAC) -> Outcome:
    """Match an A-ASSOCIATE-AC with the request (PS3.8 9.3.3.2).

    A proposed context that is not answered counts as rejected, without a reason.

    Raises
    ------
    InvalidParameter
        When a context was never proposed, a result is not defined, or a transfer syntax was
        accepted that was not offered.
    """
    proposed = {context.context_id: context for context in request.presentation_contexts}
    asked = proposed_roles(request.user_information)
    given = proposed_roles(answer.user_information)
    results = {result.context_id: result for result in answer.presentation_contexts}
    for result in answer.presentation_contexts:
        _check_result(result, proposed.get(result.context_id))
    outcome = Outcome([], [])
    for context_id, context in proposed.items():
        answered = results.get(context_id) or ContextResult(context_id, NO_REASON)
        if answered.result != ACCEPTANCE:
            outcome.rejected.append(answered)
            continue
        uid = context.abstract_syntax
        scu, scp = _granted(asked.get(uid), given.get(uid))
        outcome.accepted.append(
            AcceptedContext(context_id, uid, answered.transfer_syntax, scu, scp)
        )
    return outcome


def _granted(asked: tuple[bool, bool] | None, given: tuple[bool, bool] | None) -> tuple[bool, bool]:
    if asked is None or given is None:  # PS3.7 D.3.3.4: no answer means the default roles
        return True, False
    return asked[0] and given[0], asked[1] and given[1]


def _check_result(result: ContextResult, context: ProposedContext | None) -> None:
    if context is None:
        raise InvalidParameter(f"Presentation context {result.context_id} was never proposed")
    if result.result > TRANSFER_SYNTAXES:
        raise InvalidParameter(f"Presentation context result {result.result} is not defined")
    if result.result == ACCEPTANCE and result.transfer_syntax not in context.transfer_syntaxes:
        raise InvalidParameter(
            f"Presentation context {result.context_id}: {result.transfer_syntax} was not proposed"
        )


def check_request(
    request: AssociateRQ,
    our_title: str | None = None,
    callers: Sequence[str] = (),
) -> AssociateRJ | None:
    """Decide whether an A-ASSOCIATE-RQ can be accepted at all (PS3.8 Table 9-21).

    Parameters
    ----------
    request : AssociateRQ
        As received.
    our_title : str, optional
        The called AE title that is required; None accepts any.
    callers : sequence of str, optional
        The calling AE titles that are known; empty accepts any.

    Returns
    -------
    AssociateRJ or None
        The rejection to send, None when there is nothing against it.
    """
    if request.application_context_name != APPLICATION_CONTEXT:
        return AssociateRJ(1, 1, 2)
    known = {title.strip() for title in callers}
    # A title that we could not send back is nobody's: the acceptance echoes both (PS3.8 9.3.3)
    calling, called = request.calling_ae_title, request.called_ae_title
    if not is_valid_ae_title(calling) or (known and calling not in known):
        return AssociateRJ(1, 1, 3)
    if not is_valid_ae_title(called) or (our_title and called != our_title.strip()):
        return AssociateRJ(1, 1, 7)
    if not request.presentation_contexts:
        return AssociateRJ(1, 2, 1)
    if 0 < maximum_length(request.user_information) < SMALLEST_MAXIMUM_LENGTH:
        return AssociateRJ(1, 2, 1)
    return None


def grant_window(proposed: tuple[int, int], supported: tuple[int, int]) -> tuple[int, int]:
    """Answer an asynchronous operations window (PS3.7 D.3.3.3); 0 means unlimited.

    Parameters
    ----------
    proposed : tuple of int
        Operations that the requestor would invoke, and perform.
    supported : tuple of int
        Operations that this side performs, and invokes, at once.

    Returns
    -------
    tuple of int
        Invoked and performed by the requestor, each at most what was proposed.
    """
    return _least(proposed[0], supported[0]), _least(proposed[1], supported[1])


def _least(one: int, other: int) -> int:
    return min(one or other, other or one)


def agreed_window(
    proposed: Sequence[AnyUserItem], answered: Sequence[AnyUserItem]
) -> tuple[int, int]:
    """Return the asynchronous operations window of an association (PS3.7 D.3.3.3).

    Parameters
    ----------
    proposed, answered : sequence of items
        User information of the request and of the acceptance.

    Returns
    -------
    tuple of int
        Operations that the requestor invokes and performs at once, 0 is unlimited; (1, 1) unless
        both sides spoke of it. An answer never widens what was proposed.
    """
    asked = items_of(proposed, AsynchronousOperationsWindow)
    given = items_of(answered, AsynchronousOperationsWindow)
    if not asked or not given:
        return 1, 1
    return grant_window(asked[0].numbers, given[0].numbers)


def fragment_length(peer_maximum: int, cap: int = 0x20000) -> int:
    """How many bytes of a message go into one presentation data value (PS3.8 D.1, Annex E).

    Parameters
    ----------
    peer_maximum : int
        The peer's maximum length; 0 is unlimited.
    cap : int
        The longest PDU that this side wants to send, in bytes.

    Returns
    -------
    int
        An even number of bytes, such that the PDU with all its headers stays within the maximum:
        a peer that counts its header in (some do) is not overrun.
    """
    longest = min(peer_maximum or cap, cap)
    return max(longest - PDU_OVERHEAD, 2) & ~1

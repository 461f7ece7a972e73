"""How an association begins and ends: request, accept, release, abort (PS3.8 7.1 to 7.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Ended, Error, NoContextAccepted, Released
from dicomwire.protocol.items import (
    AnyUserItem,
    AsynchronousOperationsWindow,
    ImplementationClassUID,
    ImplementationVersionName,
    MaximumLength,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentity,
    UserIdentityResponse,
)
from dicomwire.protocol.negotiation import (
    SupportedContext,
    answer_contexts,
    check_request,
    grant_window,
    items_of,
    proposed_roles,
)
from dicomwire.protocol.pdus import Abort, AssociateAC, AssociateRJ, AssociateRQ, ReleaseRP
from dicomwire.protocol.pdus import ReleaseRQ as ReleaseRequest
from dicomwire.services.wants import (
    CONNECT,
    FLUSH,
    RECEIVE_ACSE,
    Call,
    Conversation,
    HandlerRaised,
    Notify,
    Unbound,
)

IDENTITY_TYPES = range(1, 6)  # PS3.7 Table D.3-14

# PS3.8 Table 9-21
CALLER_UNKNOWN, CALLED_UNKNOWN = AssociateRJ(1, 1, 3), AssociateRJ(1, 1, 7)
CONGESTED = AssociateRJ(2, 3, 1)
NOT_VERIFIED = AssociateRJ(1, 2, 1)  # for good: a device should not hammer


class Identity(NamedTuple):
    """How one side presents itself (PS3.7 D.3.3.2, PS3.8 D.1).

    Parameters
    ----------
    maximum_length : int
        The longest P-DATA-TF that it receives, in bytes; 0 is unlimited.
    implementation_class_uid : str
        A UID.
    implementation_version_name : str or None
        1 to 16 characters; None leaves the item out.
    """

    maximum_length: int
    implementation_class_uid: str
    implementation_version_name: str | None

    def items(self) -> list[AnyUserItem]:
        """Return the user information items that say so."""
        items: list[AnyUserItem] = [
            MaximumLength(self.maximum_length),
            ImplementationClassUID(self.implementation_class_uid),
        ]
        if self.implementation_version_name is not None:
            items.append(ImplementationVersionName(self.implementation_version_name))
        return items


class Policy(NamedTuple):
    """What an acceptor accepts.

    Parameters
    ----------
    identity : Identity
        How it presents itself.
    supported : mapping
        Abstract syntax -> SupportedContext.
    called_title : str, optional
        The called AE title that is required; None accepts any.
    calling_titles : sequence of str
        The calling AE titles that are known; empty accepts any.
    accept_any : callable, optional
        See `answer_contexts`.
    may_try : callable
        Takes note of an attempt; False when too many failed.
    passed : callable
        Takes note that it did not fail for who the peer is.
    may_call : callable, optional
        Whether the peer may have the calling AE title that it has; without it, it may.
    may_identify : callable
        Whether a user identity of a type may be judged at all, by its type.
    claim_slot : callable
        Takes one of the associations that may stand at once; False when there is none left.
    window : (int, int)
        Operations that the requestor may invoke, and shall perform, at once; 0 is unlimited.
    items : sequence of items
        What is answered besides, in any case.
    revise : callable
        Returns what is accepted once the handlers of EVT_REQUESTED have seen the request.
    """

    identity: Identity
    supported: Mapping[str, SupportedContext]
    called_title: str | None = None
    calling_titles: Sequence[str] = ()
    accept_any: Callable[[str], bool] | None = None
    may_try: Callable[[], bool] = lambda: True
    passed: Callable[[], object] = lambda: None
    may_call: Callable[[str], bool] | None = None
    may_identify: Callable[[int], bool] = lambda kind: True
    claim_slot: Callable[[], bool] = lambda: True
    window: tuple[int, int] = (1, 1)
    items: Sequence[AnyUserItem] = ()
    revise: Callable[[Policy], Policy] = lambda policy: policy


def request(connection: Connection, proposal: AssociateRQ) -> Conversation[AssociateAC]:
    """Ask for an association and wait for the answer (PS3.8 7.1).

    Raises
    ------
    Ended
        Why there is none: rejected, aborted, timed out, no connection, no context accepted.
    """
    connection.step(proposal)
    yield Notify("EVT_REQUESTED")
    _check_wanted(connection)
    yield CONNECT
    _check_wanted(connection)
    connection.connected()
    yield FLUSH
    answer: AssociateAC = yield RECEIVE_ACSE
    if not connection.contexts:
        raise (yield from abort(connection, NoContextAccepted()))
    return answer


def _check_wanted(connection: Connection) -> None:
    if connection.ended is not None:  # aborted by a handler or by another thread
        raise connection.ended


def accept(connection: Connection, policy: Policy) -> Conversation[bool]:
    """Wait for an A-ASSOCIATE-RQ and answer it; tell whether the association stands (PS3.8 7.1).

    Raises
    ------
    Ended
        When none was asked for, or whoever asked went away.
    """
    connection.connected()
    request: AssociateRQ = yield RECEIVE_ACSE
    yield Notify("EVT_REQUESTED")
    if connection.machine.state != "Sta3":  # a handler rejected or aborted
        return False
    policy = policy.revise(policy)
    rejection, items = yield from _consider(request, policy)
    if connection.machine.state != "Sta3":
        return False
    if rejection is not None:
        yield from reject(connection, rejection)
        return False
    answer = answer_contexts(
        request.presentation_contexts,
        policy.supported,
        proposed_roles(request.user_information),
        policy.accept_any,
    )
    items = [*policy.identity.items(), *answer.roles, *items, *policy.items]
    # PS3.8 9.3.3: the acceptance echoes the titles
    titles = request.called_ae_title, request.calling_ae_title
    connection.accept(AssociateAC(*titles, answer.results, items), answer.accepted)
    yield FLUSH
    return True


def reject(connection: Connection, rejection: AssociateRJ) -> Conversation[None]:
    """Refuse the association that was asked for (PS3.8 9.3.4)."""
    connection.step(rejection)
    yield FLUSH


def _consider(
    request: AssociateRQ, policy: Policy
) -> Conversation[tuple[AssociateRJ | None, list[AnyUserItem]]]:
    can_fail = _can_fail(request, policy)
    if can_fail and not policy.may_try():
        return CONGESTED, []
    rejection = check_request(request, policy.called_title, policy.calling_titles)
    may_call = policy.may_call
    if rejection is None and may_call is not None and not may_call(request.calling_ae_title):
        rejection = CALLER_UNKNOWN
    has_failed = rejection is not None and rejection in (CALLER_UNKNOWN, CALLED_UNKNOWN)
    if rejection is None and not policy.claim_slot():
        rejection = AssociateRJ(2, 3, 2)
    items: list[AnyUserItem] = []
    if rejection is None:
        rejection = yield from _identify(request, policy, items)
        has_failed = rejection is not None
    if can_fail and not has_failed:
        policy.passed()
    if rejection is None:
        yield from _extend(request, policy, items)
    return rejection, items


def _can_fail(request: AssociateRQ, policy: Policy) -> bool:
    """Whether there is a title or a user that may turn out to be wrong."""
    return bool(
        policy.called_title is not None
        or policy.calling_titles
        or policy.may_call is not None
        or items_of(request.user_information, UserIdentity)
    )


def _identify(
    request: AssociateRQ, policy: Policy, items: list[AnyUserItem]
) -> Conversation[AssociateRJ | None]:
    """Let the handler verify the user identity (PS3.7 D.3.3.7)."""
    for identity in items_of(request.user_information, UserIdentity):
        if identity.user_identity_type not in IDENTITY_TYPES:
            continue  # not supported: accepted without an answer, which tells the requestor
        if not policy.may_identify(identity.user_identity_type):
            return NOT_VERIFIED
        try:
            verified, response = yield Call("EVT_USER_ID", user_identity=identity)
        except Unbound:
            return None
        except (HandlerRaised, TypeError, ValueError):
            verified, response = False, None
        if not verified:
            return NOT_VERIFIED
        answer = _identity_response(identity, response)
        if answer is not None:
            items.append(answer)
    return None


def _identity_response(identity: UserIdentity, response: Any) -> UserIdentityResponse | None:
    if not identity.positive_response_requested:
        return None
    if identity.user_identity_type in (1, 2):  # PS3.7 D.3.3.7.2: an empty field confirms
        return UserIdentityResponse(b"")
    return UserIdentityResponse(response) if isinstance(response, bytes) else None


def _extend(request: AssociateRQ, policy: Policy, items: list[AnyUserItem]) -> Conversation[None]:
    """Let the handlers answer the extended negotiations (PS3.7 D.3.3.3, D.3.3.5, D.3.3.6)."""
    asked = request.user_information
    extended = items_of(asked, SOPClassExtendedNegotiation)
    info = {each.sop_class_uid: each.service_class_application_information for each in extended}
    answer = yield from _ask("EVT_SOP_EXTENDED", app_info=info)
    items.extend(
        SOPClassExtendedNegotiation(uid, answer[uid])
        for uid in info
        if isinstance(answer, dict) and isinstance(answer.get(uid), bytes)
    )
    common = items_of(asked, SOPClassCommonExtendedNegotiation)
    # PS3.7 D.3.3.6.2: never answered
    yield from _ask("EVT_SOP_COMMON", items={each.sop_class_uid: each for each in common})
    for window in items_of(asked, AsynchronousOperationsWindow):
        if window.numbers != (1, 1):
            yield from _grant(window.numbers, policy, items)


def _grant(
    proposed: tuple[int, int], policy: Policy, items: list[AnyUserItem]
) -> Conversation[None]:
    """Answer an asynchronous operations window (PS3.7 D.3.3.3); no answer means (1, 1)."""
    try:
        answer = yield Call("EVT_ASYNC_OPS", nr_invoked=proposed[0], nr_performed=proposed[1])
        window = _window(answer)
    except Unbound:
        window = policy.window
        if window == (1, 1):
            return
    except HandlerRaised:
        window = 1, 1
    items.append(AsynchronousOperationsWindow(*grant_window(proposed, window)))


def _window(answer: Any) -> tuple[int, int]:
    """Read what a handler of EVT_ASYNC_OPS returned; what is no pair of numbers grants nothing."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return 1, 1
    if not all(isinstance(each, int) and 0 <= each <= 0xFFFF for each in answer):
        return 1, 1
    return answer[0], answer[1]


def _ask(event: str, **attributes: Any) -> Conversation[Any]:
    try:
        return (yield Call(event, **attributes))
    except HandlerRaised:
        return None


def release(connection: Connection) -> Conversation[None]:
    """End the association in good order (PS3.8 7.2), also when the peer releases just now.

    Raises
    ------
    Ended
        When it ends in another way.
    """
    _check_wanted(connection)
    if connection.machine.may("Evt14"):  # the peer asked first, and nobody has looked yet
        yield from answer_release(connection)
        return
    connection.step(ReleaseRequest())
    yield FLUSH
    try:
        while True:
            event = yield RECEIVE_ACSE
            if isinstance(event, ReleaseRequest) and connection.is_requestor:
                connection.step(ReleaseRP())  # AR-9: the requestor answers first
                yield FLUSH
            elif isinstance(event, ReleaseRP):
                connection.step(ReleaseRP())  # AR-4 out of Sta12: the acceptor answers last
                yield FLUSH
                return
            elif not isinstance(event, ReleaseRequest):
                if event.data is not None:
                    event.data.discard()
                yield Notify("message ignored: it came during the release")
    except Released:
        return


def answer_release(connection: Connection) -> Conversation[None]:
    """Agree to the peer's A-RELEASE-RQ (PS3.8 7.2); of a message under way nothing is kept."""
    if connection.reader.assembly.under_way:
        yield Notify("message dropped", error="the peer released the association in its middle")
    connection.step(ReleaseRP())
    yield FLUSH


def abort(connection: Connection, cause: Error | None = None) -> Conversation[Ended]:
    """End the association at once (PS3.8 7.3); return why it is over.

    Parameters
    ----------
    connection : Connection
        In any state but idle.
    cause : Error, optional
        Why.
    """
    if connection.ended is None:
        connection.step(Abort(), cause)
        yield FLUSH
    assert connection.ended is not None
    return connection.ended

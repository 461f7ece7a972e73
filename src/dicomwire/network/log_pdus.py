"""PDUs into the lines of the debug log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from dicomwire.network.log_text import block, named, visible
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
from dicomwire.protocol.pdus import (
    Abort,
    AnyPDU,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ContextResult,
    ProposedContext,
)
from dicomwire.standard.rejections import ABORT_REASONS, rejection

Item = TypeVar("Item", bound=AnyUserItem)

_REJECTION_RESULTS = {1: "Rejected (Permanent)", 2: "Rejected (Transient)"}
_REJECTION_SOURCES = {
    1: "DUL service-user",
    2: "DUL service-provider (ACSE related)",
    3: "DUL service-provider (presentation related)",
}
_ABORT_SOURCES = {0: "DUL service-user", 2: "DUL service-provider"}
_CONTEXT_RESULTS = {  # PS3.8 Table 9-18
    0: "Accepted",
    1: "User Rejection",
    2: "Provider Rejection",
    3: "Rejected - Abstract Syntax Not Supported",
    4: "Rejected - Transfer Syntax Not Supported",
}
_ROLES = {  # by SCU role, SCP role
    (True, True): "SCP/SCU",
    (False, True): "SCP",
    (True, False): "SCU",
    (False, False): "None",
}
_USERNAMES = {1, 2}  # the identity types whose primary field is a name and no proof
_MODES = {  # PS3.7 Table D.3-14
    1: "Username",
    2: "Username/Password",
    3: "Kerberos",
    4: "SAML",
    5: "JSON Web Token",
}
_PROOFS = {3: "Kerberos Service Ticket", 4: "SAML Assertion", 5: "JSON Web Token"}


def pdu_lines(pdu: AnyPDU, outgoing: bool, request: AssociateRQ | None = None) -> list[str]:
    """Show a PDU as a block of the debug log.

    Parameters
    ----------
    pdu : AnyPDU
        What was sent or received.
    outgoing : bool
        Whether we sent it.
    request : AssociateRQ or None
        What the association was requested with; an acceptance takes its abstract syntaxes from it.

    Returns
    -------
    list of str
        The lines; none for a release and for P-DATA-TF, whose messages have a block of their own.
    """
    match pdu:
        case AssociateRQ():
            return associate_rq(pdu, outgoing)
        case AssociateAC():
            return associate_ac(pdu, request, outgoing)
        case AssociateRJ():
            return associate_rj(pdu, outgoing)
        case Abort():
            return abort(pdu, outgoing)
    return []


def associate_rq(pdu: AssociateRQ, outgoing: bool) -> list[str]:
    """Show an A-ASSOCIATE-RQ (PS3.8 9.3.2), without the proof in its user identity."""
    contexts = pdu.presentation_contexts
    roles = _roles(pdu.user_information)
    lines = _parties(pdu, outgoing, 35 if outgoing else 37)
    lines.append("Presentation Context:" if len(contexts) == 1 else "Presentation Contexts:")
    for context in contexts:
        lines += _proposed(context, roles.get(context.abstract_syntax, "Default"))
    lines += _extended("Requested", pdu.user_information)
    lines += _common_extended(pdu.user_information)
    lines += _window("Requested", pdu.user_information)
    lines += _identity(_only(pdu.user_information, UserIdentity))
    return ["Request Parameters:", *block("A-ASSOCIATE-RQ PDU", outgoing, lines)]


def associate_ac(pdu: AssociateAC, request: AssociateRQ | None, outgoing: bool) -> list[str]:
    """Show an A-ASSOCIATE-AC (PS3.8 9.3.3), its abstract syntaxes as the request proposed them."""
    proposed = request.presentation_contexts if request else []
    syntaxes = {context.context_id: context.abstract_syntax for context in proposed}
    roles = _roles(pdu.user_information)
    lines = [*_parties(pdu, outgoing, 35), "Presentation Contexts:"]
    for context in pdu.presentation_contexts:
        syntax = syntaxes.get(context.context_id, "")
        lines += _answered(context, syntax, roles.get(syntax, "Default"))
    lines += _extended("Accepted", pdu.user_information)
    lines += _window("Accepted", pdu.user_information)
    response = _only(pdu.user_information, UserIdentityResponse)
    lines.append(f"User Identity Negotiation Response: {'Yes' if response else 'None'}")
    return ["Accept Parameters:", *block("A-ASSOCIATE-AC PDU", outgoing, lines)]


def associate_rj(pdu: AssociateRJ, outgoing: bool) -> list[str]:
    """Show an A-ASSOCIATE-RJ in words (PS3.8 Table 9-21)."""
    lines = [
        f"Result:    {_REJECTION_RESULTS.get(pdu.result, f'Reserved result {pdu.result}')}",
        f"Source:    {_REJECTION_SOURCES.get(pdu.source, f'Reserved source {pdu.source}')}",
        f"Reason:    {_sentence(rejection(pdu.source, pdu.reason).text)}",
    ]
    return ["Reject Parameters:", *block("A-ASSOCIATE-RJ PDU", outgoing, lines)]


def abort(pdu: Abort, outgoing: bool) -> list[str]:
    """Show an A-ABORT in words; only a service-provider gives a reason (PS3.8 Table 9-26)."""
    reason = "(no value available)"
    if pdu.source == 2:
        reason = _sentence(ABORT_REASONS.get(pdu.reason, f"reserved reason {pdu.reason}"))
    source = _ABORT_SOURCES.get(pdu.source, f"Reserved source {pdu.source}")
    lines = [f"Abort Source: {source}", f"Abort Reason: {reason}"]
    return ["Abort Parameters:", *block("A-ABORT PDU", outgoing, lines)]


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _all(items: Iterable[AnyUserItem], kind: type[Item]) -> list[Item]:
    return [each for each in items if isinstance(each, kind)]


def _only(items: Iterable[AnyUserItem], kind: type[Item]) -> Item | None:
    return next(iter(_all(items, kind)), None)


def _roles(items: Iterable[AnyUserItem]) -> dict[str, str]:
    """Each SOP class with a role selection item, and the roles of the requestor in words."""
    return {
        each.sop_class_uid: _ROLES[each.scu_role, each.scp_role]
        for each in _all(items, RoleSelection)
    }


def _parties(pdu: AssociateRQ | AssociateAC, outgoing: bool, column: int) -> list[str]:
    """Who speaks to whom, with the implementation's values beginning at a column."""
    whose = "Our" if outgoing else "Their"
    uid = _only(pdu.user_information, ImplementationClassUID)
    version = _only(pdu.user_information, ImplementationVersionName)
    longest = _only(pdu.user_information, MaximumLength)
    uid_text = visible(uid.implementation_class_uid) if uid else "unknown"
    lines = [f"{f'{whose} Implementation Class UID:':<{column}}{uid_text}"]
    if version or not outgoing:  # we know that we have none; of a peer it is worth saying
        name = visible(version.implementation_version_name) if version else "unknown"
        lines.append(f"{f'{whose} Implementation Version Name:':<{column}}{name}")
    size = longest.maximum_length_received if longest else "unknown"
    return [
        *lines,
        f"Application Context Name:    {visible(pdu.application_context_name)}",
        f"Calling Application Name:    {visible(pdu.calling_ae_title)}",
        f"Called Application Name:     {visible(pdu.called_ae_title)}",
        f"{f'{whose} Max PDU Receive Size:':<29}{size}",
    ]


def _proposed(context: ProposedContext, role: str) -> list[str]:
    several = len(context.transfer_syntaxes) > 1
    return [
        f"  Context ID:        {context.context_id} (Proposed)",
        f"    Abstract Syntax: ={named(context.abstract_syntax)}",
        f"    Proposed SCP/SCU Role: {role}",
        f"    Proposed Transfer Syntax{'es' if several else ''}:",
        *(f"      ={named(uid)}" for uid in context.transfer_syntaxes),
    ]


def _answered(context: ContextResult, abstract_syntax: str, role: str) -> list[str]:
    result = _CONTEXT_RESULTS.get(context.result, f"Reserved result {context.result}")
    lines = [
        f"  Context ID:        {context.context_id} ({result})",
        f"    Abstract Syntax: ={named(abstract_syntax) if abstract_syntax else 'unknown'}",
    ]
    if context.result == 0:
        lines.append(f"    Accepted SCP/SCU Role: {role}")
        lines.append(f"    Accepted Transfer Syntax: ={named(context.transfer_syntax)}")
    return lines


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"{title}:", *lines] if lines else [f"{title}: None"]


def _extended(verb: str, items: list[AnyUserItem]) -> list[str]:
    lines = []
    for each in _all(items, SOPClassExtendedNegotiation):
        data = each.service_class_application_information
        rows = (data[start : start + 16] for start in range(0, len(data), 16))
        lines.append(f"  SOP Class: ={visible(each.sop_class_uid)}")
        lines += [f"    {'  '.join(f'{octet:02x}' for octet in row)}" for row in rows]
    return _section(f"{verb} Extended Negotiation", lines)


def _common_extended(items: list[AnyUserItem]) -> list[str]:
    lines = []
    for each in _all(items, SOPClassCommonExtendedNegotiation):
        related = each.related_general_sop_class_identification
        lines.append(f"  SOP Class: ={visible(each.sop_class_uid)}")
        lines.append(f"    Service Class: ={named(each.service_class_uid)}")
        if related:
            lines.append("    Related General SOP Class(es):")
            lines += [f"      ={named(uid)}" for uid in related]
        else:
            lines.append("    Related General SOP Classes: None")
    return _section("Requested Common Extended Negotiation", lines)


def _window(verb: str, items: list[AnyUserItem]) -> list[str]:
    window = _only(items, AsynchronousOperationsWindow)
    lines = []
    if window:
        lines = [
            f"  Maximum Invoked Operations:     {window.maximum_number_operations_invoked}",
            f"  Maximum Performed Operations:   {window.maximum_number_operations_performed}",
        ]
    return _section(f"{verb} Asynchronous Operations Window Negotiation", lines)


def _identity(identity: UserIdentity | None) -> list[str]:
    title = "Requested User Identity Negotiation"
    if identity is None:
        return _section(title, [])
    kind = identity.user_identity_type
    lines = [f"  Authentication Mode: {kind} - {_MODES.get(kind, 'Unknown')}"]
    if kind in _USERNAMES:
        name = identity.primary_field.decode("utf-8", "backslashreplace")  # PS3.7 Table D.3-14
        lines.append(f"  Username: [{visible(name)}]")
    else:
        proof = _PROOFS.get(kind, "Primary Field")
        lines.append(f"  {proof} (not dumped) length: {len(identity.primary_field)}")
    if kind == 2:
        lines.append("  Password: [withheld]")
    wanted = "Yes" if identity.positive_response_requested else "No"
    return _section(title, [*lines, f"  Positive Response Requested: {wanted}"])

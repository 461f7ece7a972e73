"""PDUs into log lines: whole blocks, as people who read such logs know them."""

from __future__ import annotations

import pytest

from dicomwire.network.log_pdus import abort, associate_rj, pdu_lines
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
    PDataTF,
    PresentationDataValue,
    ProposedContext,
    ReleaseRP,
    ReleaseRQ,
    decode_pdu,
)

pytestmark = pytest.mark.no_socket

VERIFICATION = "1.2.840.10008.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
PATIENT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
STORAGE_SERVICE = "1.2.840.10008.4.2"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
OURS: list[AnyUserItem] = [
    MaximumLength(16382),
    ImplementationClassUID("1.2.3.4.5.6"),
    ImplementationVersionName("VERSION_310"),
]


def shown(pdu: AnyPDU, outgoing: bool, request: AssociateRQ | None = None) -> str:
    """The block as one text."""
    return "\n".join(pdu_lines(pdu, outgoing, request)) + "\n"


def wanted(*items: AnyUserItem) -> AssociateRQ:
    """A request for three contexts, with these items besides the usual ones."""
    return AssociateRQ(
        "ANY-SCP",
        "SCU",
        [
            ProposedContext(1, VERIFICATION, (IMPLICIT,)),
            ProposedContext(13, CT, (EXPLICIT,)),
            ProposedContext(15, "1.2.3.4", (IMPLICIT, EXPLICIT)),
        ],
        [*OURS, *items],
    )


@pytest.mark.box("15.2")
def test_outgoing_request_with_every_item() -> None:
    pdu = wanted(
        RoleSelection(CT, scu_role=True, scp_role=True),
        SOPClassExtendedNegotiation(PATIENT_FIND, bytes(range(18))),
        SOPClassCommonExtendedNegotiation("1.2.3.4", STORAGE_SERVICE, [CT]),
        AsynchronousOperationsWindow(2, 3),
        UserIdentity(2, False, b"user", b"secret"),
    )
    assert shown(pdu, outgoing=True) == (
        "Request Parameters:\n"
        "======================= OUTGOING A-ASSOCIATE-RQ PDU ========================\n"
        "Our Implementation Class UID:      1.2.3.4.5.6\n"
        "Our Implementation Version Name:   VERSION_310\n"
        "Application Context Name:    1.2.840.10008.3.1.1.1\n"
        "Calling Application Name:    SCU\n"
        "Called Application Name:     ANY-SCP\n"
        "Our Max PDU Receive Size:    16382\n"
        "Presentation Contexts:\n"
        "  Context ID:        1 (Proposed)\n"
        "    Abstract Syntax: =Verification SOP Class\n"
        "    Proposed SCP/SCU Role: Default\n"
        "    Proposed Transfer Syntax:\n"
        "      =Implicit VR Little Endian\n"
        "  Context ID:        13 (Proposed)\n"
        "    Abstract Syntax: =CT Image Storage\n"
        "    Proposed SCP/SCU Role: SCP/SCU\n"
        "    Proposed Transfer Syntax:\n"
        "      =Explicit VR Little Endian\n"
        "  Context ID:        15 (Proposed)\n"
        "    Abstract Syntax: =1.2.3.4\n"
        "    Proposed SCP/SCU Role: Default\n"
        "    Proposed Transfer Syntaxes:\n"
        "      =Implicit VR Little Endian\n"
        "      =Explicit VR Little Endian\n"
        "Requested Extended Negotiation:\n"
        "  SOP Class: =1.2.840.10008.5.1.4.1.2.1.1\n"
        "    00  01  02  03  04  05  06  07  08  09  0a  0b  0c  0d  0e  0f\n"
        "    10  11\n"
        "Requested Common Extended Negotiation:\n"
        "  SOP Class: =1.2.3.4\n"
        "    Service Class: =Storage Service Class\n"
        "    Related General SOP Class(es):\n"
        "      =CT Image Storage\n"
        "Requested Asynchronous Operations Window Negotiation:\n"
        "  Maximum Invoked Operations:     2\n"
        "  Maximum Performed Operations:   3\n"
        "Requested User Identity Negotiation:\n"
        "  Authentication Mode: 2 - Username/Password\n"
        "  Username: [user]\n"
        "  Password: [withheld]\n"
        "  Positive Response Requested: No\n"
        "========================== END A-ASSOCIATE-RQ PDU ==========================\n"
    )


def test_incoming_request_with_as_little_as_possible() -> None:
    pdu = AssociateRQ(
        "SCP",
        "SCU",
        [ProposedContext(1, CT, (EXPLICIT,))],
        [MaximumLength(0), ImplementationClassUID("1.2.3")],
    )
    assert shown(pdu, outgoing=False) == (
        "Request Parameters:\n"
        "======================= INCOMING A-ASSOCIATE-RQ PDU ========================\n"
        "Their Implementation Class UID:      1.2.3\n"
        "Their Implementation Version Name:   unknown\n"
        "Application Context Name:    1.2.840.10008.3.1.1.1\n"
        "Calling Application Name:    SCU\n"
        "Called Application Name:     SCP\n"
        "Their Max PDU Receive Size:  0\n"
        "Presentation Context:\n"
        "  Context ID:        1 (Proposed)\n"
        "    Abstract Syntax: =CT Image Storage\n"
        "    Proposed SCP/SCU Role: Default\n"
        "    Proposed Transfer Syntax:\n"
        "      =Explicit VR Little Endian\n"
        "Requested Extended Negotiation: None\n"
        "Requested Common Extended Negotiation: None\n"
        "Requested Asynchronous Operations Window Negotiation: None\n"
        "Requested User Identity Negotiation: None\n"
        "========================== END A-ASSOCIATE-RQ PDU ==========================\n"
    )


ACCEPTED = AssociateAC(
    "ANY-SCP",
    "SCU",
    [ContextResult(1, 0, IMPLICIT), ContextResult(13, 0, EXPLICIT), ContextResult(15, 3)],
    [*OURS, RoleSelection(CT, scu_role=False, scp_role=True)],
)


@pytest.mark.box("15.3")
def test_outgoing_acceptance_with_a_rejected_context() -> None:
    assert shown(ACCEPTED, True, wanted()) == (
        "Accept Parameters:\n"
        "======================= OUTGOING A-ASSOCIATE-AC PDU ========================\n"
        "Our Implementation Class UID:      1.2.3.4.5.6\n"
        "Our Implementation Version Name:   VERSION_310\n"
        "Application Context Name:    1.2.840.10008.3.1.1.1\n"
        "Calling Application Name:    SCU\n"
        "Called Application Name:     ANY-SCP\n"
        "Our Max PDU Receive Size:    16382\n"
        "Presentation Contexts:\n"
        "  Context ID:        1 (Accepted)\n"
        "    Abstract Syntax: =Verification SOP Class\n"
        "    Accepted SCP/SCU Role: Default\n"
        "    Accepted Transfer Syntax: =Implicit VR Little Endian\n"
        "  Context ID:        13 (Accepted)\n"
        "    Abstract Syntax: =CT Image Storage\n"
        "    Accepted SCP/SCU Role: SCP\n"
        "    Accepted Transfer Syntax: =Explicit VR Little Endian\n"
        "  Context ID:        15 (Rejected - Abstract Syntax Not Supported)\n"
        "    Abstract Syntax: =1.2.3.4\n"
        "Accepted Extended Negotiation: None\n"
        "Accepted Asynchronous Operations Window Negotiation: None\n"
        "User Identity Negotiation Response: None\n"
        "========================== END A-ASSOCIATE-AC PDU ==========================\n"
    )


def test_incoming_acceptance_of_items_and_of_contexts_nobody_proposed() -> None:
    pdu = AssociateAC(
        "SCP",
        "SCU",
        [ContextResult(1, 4), ContextResult(99, 0, IMPLICIT), ContextResult(101, 77)],
        [
            *OURS,
            SOPClassExtendedNegotiation(PATIENT_FIND, b"\1"),
            AsynchronousOperationsWindow(1, 1),
            UserIdentityResponse(b"a ticket"),
        ],
    )
    assert shown(pdu, False, wanted()) == (
        "Accept Parameters:\n"
        "======================= INCOMING A-ASSOCIATE-AC PDU ========================\n"
        "Their Implementation Class UID:    1.2.3.4.5.6\n"
        "Their Implementation Version Name: VERSION_310\n"
        "Application Context Name:    1.2.840.10008.3.1.1.1\n"
        "Calling Application Name:    SCU\n"
        "Called Application Name:     SCP\n"
        "Their Max PDU Receive Size:  16382\n"
        "Presentation Contexts:\n"
        "  Context ID:        1 (Rejected - Transfer Syntax Not Supported)\n"
        "    Abstract Syntax: =Verification SOP Class\n"
        "  Context ID:        99 (Accepted)\n"
        "    Abstract Syntax: =unknown\n"
        "    Accepted SCP/SCU Role: Default\n"
        "    Accepted Transfer Syntax: =Implicit VR Little Endian\n"
        "  Context ID:        101 (Reserved result 77)\n"
        "    Abstract Syntax: =unknown\n"
        "Accepted Extended Negotiation:\n"
        "  SOP Class: =1.2.840.10008.5.1.4.1.2.1.1\n"
        "    01\n"
        "Accepted Asynchronous Operations Window Negotiation:\n"
        "  Maximum Invoked Operations:     1\n"
        "  Maximum Performed Operations:   1\n"
        "User Identity Negotiation Response: Yes\n"
        "========================== END A-ASSOCIATE-AC PDU ==========================\n"
    )


def test_an_acceptance_without_its_request_still_shows() -> None:
    assert pdu_lines(ACCEPTED, False).count("    Abstract Syntax: =unknown") == 3


def test_rejection() -> None:
    assert shown(AssociateRJ(1, 1, 7), True) == (
        "Reject Parameters:\n"
        "======================= OUTGOING A-ASSOCIATE-RJ PDU ========================\n"
        "Result:    Rejected (Permanent)\n"
        "Source:    DUL service-user\n"
        "Reason:    Called AE title not recognised\n"
        "========================== END A-ASSOCIATE-RJ PDU ==========================\n"
    )


@pytest.mark.parametrize(
    ("codes", "lines"),
    [
        (
            (2, 3, 2),
            [
                "Result:    Rejected (Transient)",
                "Source:    DUL service-provider (presentation related)",
                "Reason:    Local limit exceeded",
            ],
        ),
        (
            (1, 2, 1),
            [
                "Result:    Rejected (Permanent)",
                "Source:    DUL service-provider (ACSE related)",
                "Reason:    No reason given",
            ],
        ),
        (
            (9, 8, 77),
            [
                "Result:    Reserved result 9",
                "Source:    Reserved source 8",
                "Reason:    Reserved reason 77",
            ],
        ),
    ],
)
def test_rejection_codes_in_words(codes: tuple[int, int, int], lines: list[str]) -> None:
    assert associate_rj(AssociateRJ(*codes), outgoing=False)[2:-1] == lines


def test_abort_by_a_user() -> None:
    assert shown(Abort(0, 0), False) == (
        "Abort Parameters:\n"
        "=========================== INCOMING A-ABORT PDU ===========================\n"
        "Abort Source: DUL service-user\n"
        "Abort Reason: (no value available)\n"
        "============================= END A-ABORT PDU ==============================\n"
    )


@pytest.mark.parametrize(
    ("codes", "lines"),
    [
        ((2, 2), ["Abort Source: DUL service-provider", "Abort Reason: Unexpected PDU"]),
        ((2, 3), ["Abort Source: DUL service-provider", "Abort Reason: Reserved reason 3"]),
        ((1, 6), ["Abort Source: Reserved source 1", "Abort Reason: (no value available)"]),
    ],
)
def test_abort_codes_in_words(codes: tuple[int, int], lines: list[str]) -> None:
    assert abort(Abort(*codes), outgoing=True)[2:-1] == lines


@pytest.mark.parametrize(
    "pdu", [ReleaseRQ(), ReleaseRP(), PDataTF([PresentationDataValue(1, 3, b"x")])]
)
def test_the_other_pdus_have_no_block(pdu: AnyPDU) -> None:
    assert pdu_lines(pdu, True) == []


@pytest.mark.parametrize(
    ("kind", "mode", "line"),
    [
        (1, "1 - Username", "  Username: [s3cr\\n\\xff]"),
        (3, "3 - Kerberos", "  Kerberos Service Ticket (not dumped) length: 6"),
        (4, "4 - SAML", "  SAML Assertion (not dumped) length: 6"),
        (5, "5 - JSON Web Token", "  JSON Web Token (not dumped) length: 6"),
        (9, "9 - Unknown", "  Primary Field (not dumped) length: 6"),
    ],
)
def test_identities_show_a_name_but_never_a_proof(kind: int, mode: str, line: str) -> None:
    lines = pdu_lines(wanted(UserIdentity(kind, True, b"s3cr\n\xff", b"pw\x01")), False)
    start = lines.index("Requested User Identity Negotiation:")
    assert lines[start + 1 : -1] == [
        f"  Authentication Mode: {mode}",
        line,
        "  Positive Response Requested: Yes",
    ]


@pytest.mark.box("15.2")
def test_no_password_is_in_the_log() -> None:
    for outgoing in (True, False):
        text = shown(wanted(UserIdentity(2, False, b"user", b"hunter2")), outgoing)
        assert "hunter2" not in text
        assert "Password: [withheld]" in text


def test_a_peer_cannot_forge_lines() -> None:
    evil = "1\r\nD: \x1b[2J"
    items: list[AnyUserItem] = [
        ImplementationClassUID(evil),
        ImplementationVersionName(evil),
        RoleSelection(evil, scu_role=True, scp_role=False),
        SOPClassExtendedNegotiation(evil, b"\r\n"),
        SOPClassCommonExtendedNegotiation(evil, evil, [evil]),
        UserIdentity(1, False, evil.encode()),
    ]
    request = AssociateRQ(evil, evil, [ProposedContext(1, evil, (evil,))], items, evil)
    answer = AssociateAC(evil, evil, [ContextResult(1, 0, evil)], items[:4], evil)
    for pdu in (request, answer):
        received = decode_pdu(pdu.pdu_type, memoryview(pdu.encode())[6:])
        lines = pdu_lines(received, False, request)
        assert all(line.isprintable() for line in lines)
        assert "Calling Application Name:    1\\r\\nD: \\x1b[2J" in lines

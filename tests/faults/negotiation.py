"""Group N: what a peer may get wrong while an association is negotiated, and our answers.

Every request here proposes Verification alone, so that all servers answer it in the same way.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from dicomwire.protocol.items import (
    AsynchronousOperationsWindow,
    ImplementationVersionName,
    MaximumLength,
    RoleSelection,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UnknownItem,
    UserIdentity,
    item,
)
from dicomwire.protocol.pdus import APPLICATION_CONTEXT, AssociateRQ, ProposedContext
from tests.faults.rows import CLOSED, Case
from tests.protocol.pairs import ARRIVING, EXPLICIT, IMPLICIT, VERIFICATION

LONGEST = 0x100000  # bytes of an A-ASSOCIATE-RQ: what `reader.LONGEST_ASSOCIATE` promises


def asked(**changes: Any) -> bytes:
    """A request for Verification in two contexts, with something changed."""
    contexts = [
        ProposedContext(1, VERIFICATION, (IMPLICIT,)),
        ProposedContext(3, VERIFICATION, (IMPLICIT, EXPLICIT)),
    ]
    plain = AssociateRQ("SCP", "SCU", contexts, [MaximumLength(16382)])
    return plain.replace(**changes).encode()


def with_items(*items: object) -> bytes:
    """A request with these user information items."""
    return asked(user_information=[*items])


FIXED = asked()[6:74]
NAME = item(0x10, APPLICATION_CONTEXT.encode())
ABSTRACT, TRANSFER = item(0x30, VERIFICATION.encode()), item(0x40, IMPLICIT.encode())
USER = item(0x50, item(0x51, b"\0\0\x40\0"))


def context(number: int, *parts: bytes) -> bytes:
    """A presentation context item of a request."""
    return item(0x20, bytes((number, 0, 0, 0)) + b"".join(parts))


ONE = context(1, ABSTRACT, TRANSFER)


def made_of(*parts: bytes, fixed: bytes = FIXED) -> bytes:
    """A request of items, which may be anything."""
    body = fixed + b"".join(parts)
    return b"\1\0" + len(body).to_bytes(4, "big") + body


def uid(raw: bytes) -> bytes:
    """A request whose only abstract syntax has these bytes."""
    return made_of(NAME, context(1, item(0x30, raw), TRANSFER), USER)


def titled(raw: bytes) -> bytes:
    """A request from and to an AE whose title has these bytes."""
    return made_of(NAME, ONE, USER, fixed=FIXED[:4] + raw.ljust(16) * 2 + bytes(32))


def filled(length: int) -> bytes:
    """A request with so many bytes after its header: items that nobody knows fill it."""
    plain = made_of(NAME, ONE, USER)[74:]
    parts, left = [plain], length - len(FIXED) - len(plain)
    while left:
        size = min(left, 0xFFFF) if not 0xFFFF < left < 0xFFFF + 4 else left - 4
        parts.append(item(0x60, bytes(size - 4)))
        left -= size
    return made_of(*parts)


def headers(raw: bytes, start: int, end: int) -> Iterator[int]:
    """Where the items begin whose lengths can be wrong, those inside too."""
    while start < end:
        kind, length = raw[start], struct.unpack_from(">H", raw, start + 2)[0]
        yield start
        if kind in (0x20, 0x50):
            yield from headers(raw, start + (8 if kind == 0x20 else 4), start + 4 + length)
        start += 4 + length


def lengths() -> Iterator[Case]:
    """A request with the length of each of its items wrong."""
    raw = made_of(NAME, ONE, USER)
    for position in headers(raw, 74, len(raw)):
        (right,) = struct.unpack_from(">H", raw, position + 2)
        for wrong, words in ((right + 1, "one more"), (right - 1, "one less"), (0xFFFF, "FFFFH")):
            broken = raw[: position + 2] + struct.pack(">H", wrong) + raw[position + 4 :]
            yield Case("N32", f"length of an item {words}", broken, "ABORT(0,0)")
    shorter = len(raw) - 7
    cut = raw[:2] + shorter.to_bytes(4, "big") + raw[6:]
    yield Case("N32", "length of the PDU one less", cut, "ABORT(0,0)")


def claims() -> Iterator[Case]:
    """PDUs of all types that claim nearly 4 GiB, as the first thing that is said."""
    for pdu_type in (1, 2, 3, 5, 6, 7):
        raw = bytes((pdu_type, 0)) + b"\xff\xff\xff\xff" + bytes(100)
        yield Case("N34", "a PDU of each type that claims 4 GiB", raw, "ABORT(0,0)")
    raw = b"\4\0\xff\xff\xff\xff" + bytes(100)
    yield Case("N02", "the same that claims 4 GiB", raw, "ABORT(0,0)")


FIRST = {
    "Evt3": "A-ASSOCIATE-AC",
    "Evt4": "A-ASSOCIATE-RJ",
    "Evt10": "P-DATA-TF",
    "Evt12": "A-RELEASE-RQ",
    "Evt13": "A-RELEASE-RP",
}
IDENTITY = b"\2\1\0\4user\0\2pw"

# A-ABORT of AA-1 has source 0, and with it the reason is not significant (PS3.8 Table 9-26).
NEGOTIATION: tuple[Case, ...] = (
    Case(
        "T13", "an HTTP request", b"GET / HTTP/1.1\r\nHost: pacs\r\n\r\n", "ABORT(0,0)", says="HTTP"
    ),
    Case(
        "T14",
        "TLS on the port for DICOM",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "ABORT(0,0)",
        says="TLS",
    ),
    Case("N01", "first PDU of type 08H", b"\x08\0\0\0\0\4\0\0\0\0", "ABORT(0,0)"),
    *(Case("N02", f"first PDU {FIRST[e]}", ARRIVING[e], "ABORT(0,0)") for e in FIRST),
    Case("N03", "first PDU A-ABORT", ARRIVING["Evt16"], CLOSED),
    # PS3.8 9.3.2: only bit 0 of the protocol version is tested
    *(
        Case("N04", f"protocol version {number:04X}H", asked(protocol_version=number), "RJ(1,2,2)")
        for number in (0, 2, 0xFFFE)
    ),
    *(
        Case("N05", f"protocol version {number:04X}H", asked(protocol_version=number), "AC 00")
        for number in (1, 3, 0xFFFF)
    ),
    Case(
        "N06",
        "another application context",
        asked(application_context_name="1.2.840.10008.3.1.1.2"),
        "RJ(1,1,2)",
    ),
    Case("N06", "empty application context", asked(application_context_name=""), "RJ(1,1,2)"),
    Case("N07", "no application context", made_of(ONE, USER), "ABORT(0,0)"),
    Case("N07", "two application contexts", made_of(NAME, NAME, ONE, USER), "ABORT(0,0)"),
    Case("N10", "both titles 16 spaces", titled(b""), "RJ(1,1,3)"),
    *(
        Case("N11", f"titles with {words}", titled(raw), "RJ(1,1,3)")
        for raw, words in (
            (b"A\r\nB", "CR LF"),
            (b"\x1b[2J", "ESC"),
            (b"A\0B", "NUL"),
            (b"\x80\xff", "bytes from 80H on"),
        )
    ),
    Case("N12", "titles with spaces before them", titled(b"  STORE SCP"), "AC 0"),
    Case("N12", "titles in small letters", titled(b"store scp"), "AC 0"),
    *(
        Case("N13", f"called AE title {raw.decode()}", titled(raw), "AC 0")
        for raw in (b"..", b"../A", b"a/b", b"CON")
    ),
    Case("N13", "called AE title with a backslash", titled(b"a\\b"), "RJ(1,1,3)"),
    Case("N15", "no presentation context", asked(presentation_contexts=[]), "RJ(1,2,1)"),
    *(
        Case(
            "N16",
            f"presentation context ID {number}",
            made_of(NAME, context(number, ABSTRACT, TRANSFER), USER),
            "ABORT(0,0)",
        )
        for number in (0, 2, 254)
    ),
    Case("N17", "one context ID twice", made_of(NAME, ONE, ONE, USER), "ABORT(0,0)"),
    Case(
        "N18",
        "128 contexts",
        made_of(NAME, *(context(n, ABSTRACT, TRANSFER) for n in range(1, 256, 2)), USER),
        "AC 128 results",
    ),
    *(
        Case(
            "N19",
            f"{number} contexts",
            made_of(NAME, *[context(n % 128 * 2 + 1, ABSTRACT, TRANSFER) for n in range(number)]),
            "ABORT(0,0)",
        )
        for number in (129, 8000)
    ),
    Case("N19", "20,000 contexts", made_of(NAME, *[ONE] * 20_000), "ABORT(0,0)"),
    Case("N20", "no transfer syntax", made_of(NAME, context(1, ABSTRACT), USER), "ABORT(0,0)"),
    Case(
        "N21",
        "16,000 empty transfer syntaxes",
        made_of(NAME, context(1, ABSTRACT, *[b"\x40\0\0\0"] * 16000)),
        "ABORT(0,0)",
    ),
    Case("N22", "no abstract syntax", made_of(NAME, context(1, TRANSFER), USER), "ABORT(0,0)"),
    Case(
        "N22",
        "two abstract syntaxes",
        made_of(NAME, context(1, ABSTRACT, ABSTRACT, TRANSFER), USER),
        "ABORT(0,0)",
    ),
    Case("N23", "UID of 65 characters", uid(b"1." * 32 + b"1"), "AC 3"),
    Case("N23", "empty UID", uid(b""), "AC 3"),
    Case("N23", "UID with a NUL behind it", uid(VERIFICATION.encode() + b"\0"), "AC 0"),
    Case("N23", "UID with a space behind it", uid(VERIFICATION.encode() + b" "), "AC 0"),
    *(Case("N23", f"UID {raw.decode()}", uid(raw), "AC 3") for raw in (b"1..2", b".1", b"01.2")),
    Case("N24", "abstract syntax not in ASCII", uid(b"1.2.\xff\x80"), "AC 3"),
    Case(
        "N24",
        "transfer syntax of 60,000 bytes FFH",
        made_of(NAME, context(1, ABSTRACT, item(0x40, b"\xff" * 60000))),
        "AC 4",
    ),
    # PS3.8 D.1: without Maximum Length there is no limit to respect but our own
    Case("N25", "no user information", made_of(NAME, ONE), "AC 0"),
    Case("N26", "no maximum length", made_of(NAME, ONE, item(0x50, b"")), "AC 0"),
    Case(
        "N26",
        "maximum length twice",
        with_items(MaximumLength(4096), MaximumLength(4096)),
        "ABORT(0,0)",
    ),
    Case("N27", "maximum length 0", with_items(MaximumLength(0)), "AC 00"),
    *(
        Case("N28", f"maximum length {number}", with_items(MaximumLength(number)), "RJ(1,2,1)")
        for number in (1, 6, 11)
    ),
    Case("N29", "maximum length FFFFFFFFH", with_items(MaximumLength(0xFFFFFFFF)), "AC 00"),
    *(
        Case("N30", f"user item {kind:02X}H", with_items(UnknownItem(kind, b"x")), "AC 00")
        for kind in (0x7A, 0xFF)
    ),
    # like an unknown user item (PS3.8 D.2): a later standard may define it
    Case("N31", "item 60H", made_of(item(0x60, b"what"), NAME, ONE, USER), "AC 0"),
    *lengths(),
    Case("N33", "request of 10 bytes", b"\1\0\0\0\0\x0a" + bytes(10), "ABORT(0,0)"),
    Case("N34", "request of 2 GiB", b"\1\0\x80\0\0\0" + bytes(100_000), "ABORT(0,0)"),
    *claims(),
    Case("N35", "request of 1 MiB", filled(LONGEST), "AC 0"),
    Case("N35", "request of 1 MiB and a byte", filled(LONGEST + 1), "ABORT(0,0)"),
    Case("N36", "roles for another UID", with_items(RoleSelection("1.2.3", True, True)), "AC 00"),
    Case(
        "N36",
        "3,000 role selections",
        with_items(*[RoleSelection("1.2", True, True)] * 3000),
        "AC 00",
    ),
    Case(
        "N37",
        "roles twice for one UID: the first count",
        with_items(
            RoleSelection(VERIFICATION, True, False), RoleSelection(VERIFICATION, False, False)
        ),
        "AC 00",
    ),
    *(
        Case(
            "N38",
            f"operations window {one}/{other}",
            with_items(AsynchronousOperationsWindow(one, other)),
            "AC 00",
        )
        for one, other in ((0, 0), (1, 1), (0xFFFF, 0xFFFF), (0xFFFF, 0))
    ),
    Case(
        "N39",
        "extended negotiation of any length",
        with_items(SOPClassExtendedNegotiation(VERIFICATION, b"\0" * 99)),
        "AC 00",
    ),
    Case(
        "N39",
        "UID length beyond the extended negotiation",
        made_of(NAME, ONE, item(0x50, item(0x56, b"\0\x99" + b"1.2"))),
        "ABORT(0,0)",
    ),
    Case(
        "N40",
        "common extended negotiation",
        with_items(SOPClassCommonExtendedNegotiation(VERIFICATION, "1.2", ["1.3"])),
        "AC 00",
    ),
    Case("N41", "user identity type 9", with_items(UserIdentity(9, True, b"who")), "AC 00"),
    *(
        Case(
            "N46",
            f"user identity {words}",
            made_of(NAME, ONE, item(0x50, item(0x58, raw))),
            "ABORT(0,0)",
        )
        for raw, words in (
            (IDENTITY[:-1], "one byte short"),
            (IDENTITY[:3] + b"\x40" + IDENTITY[4:], "with a field beyond its end"),
            (b"\2\1\xff\xff", "with a field of 65,535 bytes that are not there"),
            (b"\2", "of one byte"),
        )
    ),
    Case(
        "N47",
        "two user identities",
        made_of(NAME, ONE, item(0x50, item(0x58, IDENTITY) * 2)),
        "ABORT(0,0)",
    ),
    Case(
        "N50",
        "version name of 17 characters",
        with_items(ImplementationVersionName("A" * 17)),
        "AC 00",
    ),
    Case(
        "N50",
        "version name not in ASCII",
        made_of(NAME, ONE, item(0x50, item(0x55, b"\xe4"))),
        "AC 0",
    ),
)

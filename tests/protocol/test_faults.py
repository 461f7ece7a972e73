"""What a broken or hostile peer sends leads to the one answer that was fixed for it beforehand.

N01 to N55 are faults while the association is negotiated, P01 to P29 faults once it stands.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import pytest

from dicomwire.protocol.command import encode_command
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Aborted, Rejected
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
from dicomwire.protocol.messages import Message
from dicomwire.protocol.negotiation import (
    SupportedContext,
    answer_contexts,
    check_request,
    proposed_roles,
)
from dicomwire.protocol.pdus import (
    APPLICATION_CONTEXT,
    Abort,
    AnyPDU,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ContextResult,
    ProposedContext,
    ReleaseRP,
    ReleaseRQ,
)
from tests.protocol.pairs import (
    ARRIVING,
    CT,
    ECHO,
    EXPLICIT,
    IMPLICIT,
    STORE,
    VERIFICATION,
    data_of,
    feed,
    in_state,
    message,
    pdus_of,
    raw_acceptor,
    request,
    taken,
    values,
)

SUPPORTED = {
    VERIFICATION: SupportedContext((EXPLICIT, IMPLICIT)),
    CT: SupportedContext((EXPLICIT, IMPLICIT), True, True),
}


def said(pdus: list[AnyPDU]) -> str:
    """PDUs in the words of the tables below."""
    words = []
    for pdu in pdus:
        if isinstance(pdu, Abort):
            words.append(f"ABORT({pdu.source},{pdu.reason})")
        elif isinstance(pdu, AssociateRJ):
            words.append(f"RJ({pdu.result},{pdu.source},{pdu.reason})")
        elif isinstance(pdu, AssociateAC):
            results = "".join(str(each.result) for each in pdu.presentation_contexts)
            words.append(f"AC {results}" if len(results) < 9 else f"AC {len(results)} results")
        else:
            words.append(type(pdu).__name__)
    return " ".join(words)


# -- negotiation ---------------------------------------------------------------------------


def answer(connection: Connection) -> None:
    """Do with a request what an acceptor does that accepts anybody."""
    while connection.events:
        asked = connection.events.popleft()
        assert isinstance(asked, AssociateRQ)
        rejection = check_request(asked)
        if rejection:
            connection.step(rejection)
            return
        roles = proposed_roles(asked.user_information)
        found = answer_contexts(asked.presentation_contexts, SUPPORTED, roles)
        titles = asked.called_ae_title, asked.calling_ae_title
        connection.accept(AssociateAC(*titles, found.results, [*found.roles]), found.accepted)


def asked(**changes: Any) -> bytes:
    """A request with something changed."""
    return replace(request(), **changes).encode()


def with_items(*items: object) -> bytes:
    """A request with these user information items."""
    return asked(user_information=[*items])


FIXED = request().encode()[6:74]
NAME = item(0x10, APPLICATION_CONTEXT.encode())
ABSTRACT, TRANSFER = item(0x30, CT.encode()), item(0x40, IMPLICIT.encode())
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


def longer(raw: bytes, position: int, by: int) -> bytes:
    """Change the length of the item at a position."""
    (length,) = struct.unpack_from(">H", raw, position + 2)
    return raw[: position + 2] + struct.pack(">H", length + by) + raw[position + 4 :]


WHOLE = made_of(NAME, ONE, USER)
IDENTITY = b"\2\1\0\4user\0\2pw"
BROKEN = [
    ("N01", b"\x08\0\0\0\0\4\0\0\0\0", "ABORT(0,0)"),
    *(
        ("N02", ARRIVING[event], "ABORT(0,0)")
        for event in ("Evt3", "Evt4", "Evt10", "Evt12", "Evt13")
    ),
    ("N03", ARRIVING["Evt16"], ""),
    *(("N04", asked(protocol_version=version), "RJ(1,2,2)") for version in (0, 2, 0xFFFE)),
    *(("N05", asked(protocol_version=version), "AC 00") for version in (1, 3, 0xFFFF)),
    ("N06", asked(application_context_name="1.2.840.10008.3.1.1.2"), "RJ(1,1,2)"),
    ("N06", asked(application_context_name=""), "RJ(1,1,2)"),
    ("N07", made_of(ONE, USER), "ABORT(0,0)"),
    ("N07", made_of(NAME, NAME, ONE, USER), "ABORT(0,0)"),
    ("N10", titled(b""), "RJ(1,1,3)"),
    *(("N11", titled(raw), "RJ(1,1,3)") for raw in (b"A\r\nB", b"\x1b[2J", b"A\0B", b"\x80\xff")),
    ("N12", titled(b"  STORE SCP"), "AC 0"),
    ("N15", asked(presentation_contexts=[]), "RJ(1,2,1)"),
    ("N16", made_of(NAME, context(2, ABSTRACT, TRANSFER), USER), "ABORT(0,0)"),
    ("N16", made_of(NAME, context(0, ABSTRACT, TRANSFER), USER), "ABORT(0,0)"),
    ("N17", made_of(NAME, ONE, ONE, USER), "ABORT(0,0)"),
    (
        "N18",
        made_of(NAME, *(context(n, ABSTRACT, TRANSFER) for n in range(1, 256, 2)), USER),
        "AC 128 results",
    ),
    *(
        ("N19", made_of(NAME, *[context(n % 128 * 2 + 1, ABSTRACT, TRANSFER)] * n), "ABORT(0,0)")
        for n in (129, 8000)
    ),
    ("N20", made_of(NAME, context(1, ABSTRACT), USER), "ABORT(0,0)"),
    ("N21", made_of(NAME, context(1, ABSTRACT, *[b"\x40\0\0\0"] * 16000)), "ABORT(0,0)"),
    ("N22", made_of(NAME, context(1, TRANSFER), USER), "ABORT(0,0)"),
    ("N22", made_of(NAME, context(1, ABSTRACT, ABSTRACT, TRANSFER), USER), "ABORT(0,0)"),
    ("N23", uid(b"1." * 32 + b"1"), "AC 3"),
    ("N23", uid(b""), "AC 3"),
    ("N23", uid(CT.encode() + b"\0"), "AC 0"),
    ("N23", uid(CT.encode() + b" "), "AC 0"),
    *(("N23", uid(raw), "AC 3") for raw in (b"1..2", b".1", b"01.2")),
    ("N24", uid(b"1.2.\xff\x80"), "AC 3"),
    ("N24", made_of(NAME, context(1, ABSTRACT, item(0x40, b"\xff" * 60000))), "AC 4"),
    ("N25", made_of(NAME, ONE), "AC 0"),
    ("N26", made_of(NAME, ONE, item(0x50, b"")), "AC 0"),
    ("N26", with_items(MaximumLength(4096), MaximumLength(4096)), "ABORT(0,0)"),
    ("N27", with_items(MaximumLength(0)), "AC 00"),
    *(("N28", with_items(MaximumLength(n)), "RJ(1,2,1)") for n in (1, 6, 11)),
    ("N29", with_items(MaximumLength(0xFFFFFFFF)), "AC 00"),
    *(("N30", with_items(UnknownItem(n, b"x")), "AC 00") for n in (0x7A, 0xFF)),
    ("N31", made_of(item(0x60, b"what"), NAME, ONE, USER), "AC 0"),
    ("N32", longer(WHOLE, 74, 1), "ABORT(0,0)"),
    ("N32", longer(WHOLE, 74, -1), "ABORT(0,0)"),
    ("N32", longer(WHOLE, len(WHOLE) - 12, 1), "ABORT(0,0)"),
    ("N32", longer(WHOLE, len(WHOLE) - 8, -1), "ABORT(0,0)"),
    ("N32", longer(WHOLE, 99, 0xFFFF - len(ONE) + 4), "ABORT(0,0)"),
    ("N33", b"\1\0\0\0\0\x0a" + bytes(10), "ABORT(0,0)"),
    ("N34", b"\1\0\x80\0\0\0" + bytes(100_000), "ABORT(0,0)"),
    ("N36", with_items(RoleSelection("1.2.3", True, True)), "AC 00"),
    ("N36", with_items(RoleSelection(CT, False, False)), "AC 01"),
    ("N36", with_items(*[RoleSelection("1.2", True, True)] * 3000), "AC 00"),
    ("N37", with_items(RoleSelection(CT, True, False), RoleSelection(CT, False, False)), "AC 00"),
    ("N38", with_items(AsynchronousOperationsWindow(0xFFFF, 0)), "AC 00"),
    ("N39", with_items(SOPClassExtendedNegotiation(CT, b"\0" * 99)), "AC 00"),
    ("N40", with_items(SOPClassCommonExtendedNegotiation(CT, "1.2", ["1.3"])), "AC 00"),
    ("N41", with_items(UserIdentity(9, True, b"who")), "AC 00"),
    *(
        ("N46", made_of(NAME, ONE, item(0x50, item(0x58, raw))), "ABORT(0,0)")
        for raw in (IDENTITY[:-1], IDENTITY[:3] + b"\x40" + IDENTITY[4:], b"\2\1\xff\xff", b"\2")
    ),
    ("N47", made_of(NAME, ONE, item(0x50, item(0x58, IDENTITY) * 2)), "ABORT(0,0)"),
    ("N50", with_items(ImplementationVersionName("A" * 17)), "AC 00"),
    ("N50", made_of(NAME, ONE, item(0x50, item(0x55, b"\xe4"))), "AC 0"),
]


def named(rows: list[tuple[str, bytes, str]]) -> list[object]:
    """The rows with a name each: the row's own and a number."""
    return [pytest.param(*row, id=f"{row[0]}-{number}") for number, row in enumerate(rows)]


@pytest.mark.parametrize("step", [0, 7])
@pytest.mark.parametrize(("row", "raw", "expected"), named(BROKEN))
def test_negotiation(row: str, raw: bytes, expected: str, step: int) -> None:
    if step and len(raw) > 20_000:
        raw = raw[:200] if row == "N34" else raw
        step *= 1000
    connection = in_state("Sta2")
    feed(connection, raw, step)
    answer(connection)
    assert said(pdus_of(taken(connection))) == expected
    if expected.startswith("AC"):
        assert connection.machine.state == "Sta6"
        assert connection.ended is None
    else:
        assert connection.machine.state == ("Sta13" if expected else "Sta1")
        assert isinstance(connection.ended, Rejected | Aborted)
        assert connection.artim or connection.wants_close


def test_n34_no_byte_of_it_is_kept() -> None:
    connection = in_state("Sta2")
    feed(connection, b"\1\0\x80\0\0\0")
    for _ in range(400):
        feed(connection, bytes(8192))
    assert len(connection.get_buffer()) < 0x10000


@pytest.mark.parametrize(("announced", "most"), [(0, 0x20000), (0xFFFFFFFF, 0x20000), (32, 32)])
def test_n27_n29_our_own_cap_holds(announced: int, most: int) -> None:
    connection = raw_acceptor(MaximumLength(announced))
    connection.send_message(3, dict(STORE), bytes(300_000))
    lengths = [len(pdu.encode()) - 6 for pdu in pdus_of(taken(connection))]
    assert max(lengths) <= most
    assert sorted(lengths)[len(lengths) // 2] > most // 2  # and no fragments of next to nothing


def test_n52_a_second_request_after_the_release() -> None:
    connection = raw_acceptor()
    feed(connection, ReleaseRQ().encode())
    connection.step(ReleaseRP())
    connection.out.clear()
    connection.events.clear()
    feed(connection, request().encode())
    assert said(pdus_of(taken(connection))) == "ABORT(2,2)"  # AA-7
    assert not connection.events
    connection.timer_expired()
    assert connection.wants_close


def came(*results: ContextResult) -> bytes:
    """An acceptance."""
    return AssociateAC("SCP", "SCU", [*results], [MaximumLength(16384)]).encode()


@pytest.mark.parametrize(
    ("row", "raw", "expected"),
    named(
        [
            ("N53", came(ContextResult(5, 0, IMPLICIT)), "ABORT(2,6)"),
            ("N53", came(ContextResult(1, 7, IMPLICIT)), "ABORT(2,6)"),
            ("N53", came(ContextResult(1, 0, EXPLICIT)), "ABORT(2,6)"),
            ("N53", came(ContextResult(1, 0, IMPLICIT), ContextResult(1, 3)), "ABORT(2,6)"),
            ("N54", came(ContextResult(1, 0, IMPLICIT)), ""),
            ("N54", came(), ""),
            ("N55", AssociateRJ(9, 8, 7).encode(), ""),
        ]
    ),
)
def test_the_requestors_side(row: str, raw: bytes, expected: str) -> None:
    connection = in_state("Sta5")
    feed(connection, raw)
    assert said(pdus_of(taken(connection))) == expected
    if row == "N53":
        assert connection.contexts == {}
        assert isinstance(connection.ended, Aborted)
        assert not connection.events
    elif row == "N54":
        assert connection.established
        assert len(connection.contexts) + len(connection.rejected) == 2
        assert {each.result for each in connection.rejected} == {2}
    else:
        assert isinstance(connection.ended, Rejected)
        assert "reserved" in str(connection.ended)
        assert connection.wants_close


# -- an association that stands ------------------------------------------------------------


def cut(*fields: int, body: bytes = b"") -> bytes:
    """A P-DATA-TF whose only value claims any length."""
    length, context_id, control = fields
    raw = struct.pack(">IBB", length & 0xFFFFFFFF, context_id, control) + body
    return b"\4\0" + len(raw).to_bytes(4, "big") + raw


def command(**changes: object) -> bytes:
    """An encoded C-ECHO-RQ with something changed."""
    return encode_command({**ECHO, "CommandDataSetType": 0x0101, **changes})


def of_command(raw: bytes) -> bytes:
    """A P-DATA-TF with a whole command set."""
    return values((1, 3, raw))


def element(number: int, value: bytes, group: int = 0) -> bytes:
    """One element in implicit VR little endian."""
    return struct.pack("<HHI", group, number, len(value)) + value


STORING = values((3, 3, encode_command({**STORE, "CommandDataSetType": 1})))
STANDING = [
    ("P01", ARRIVING["Evt6"], "ABORT(2,2)", 0),
    *(("P02", ARRIVING[event], "ABORT(2,2)", 0) for event in ("Evt3", "Evt4", "Evt13")),
    ("P03", ARRIVING["Evt19"], "ABORT(2,1)", 0),
    ("P04", cut(9, 1, 3, body=b"123456"), "ABORT(2,6)", 0),
    ("P04", STORING + cut(9, 3, 2, body=b"123456"), "ABORT(2,6)", 0),
    *(("P05", cut(n, 1, 3, body=b"123456"), "ABORT(2,6)", 0) for n in (0, 1)),
    *(("P05", STORING + cut(n, 3, 0, body=b"123456"), "ABORT(2,6)", 0) for n in (0, 1)),
    *(("P06", STORING + cut(n, 3, 0), "ABORT(2,6)", 0) for n in (-1, -2, 0x80000000)),
    ("P07", b"\4\0\0\0\0\0", "ABORT(2,6)", 0),
    ("P07", b"\4\0\0\0\0\5" + bytes(5), "ABORT(2,6)", 0),
    *(
        ("P08", first + cut(16382 - 4 + n, 3, 0, body=bytes(16382 - 6 + n)), "ABORT(2,6)", 0)
        for n in (1, 12, 11 * 16382)
        for first in (STORING, STORING + values((3, 0, bytes(100))))
    ),
    ("P08", STORING + cut(16378, 3, 2, body=bytes(16376)), "", 1),
    ("P09", values((7, 3, command())), "ABORT(2,6)", 0),
    ("P09", STORING + values((7, 0, b"data")), "ABORT(2,6)", 0),
    ("P10", values((5, 3, command())), "ABORT(2,6)", 0),
    ("P11", values((3, 0, b"data")), "ABORT(2,6)", 0),
    ("P11", values((3, 2, b"data")), "ABORT(2,6)", 0),
    ("P12", STORING + values((3, 0, b"data")) + message(1, dict(ECHO)), "ABORT(2,6)", 0),
    ("P12", STORING + values((3, 3, command())), "ABORT(2,6)", 0),
    ("P13", STORING + values((1, 2, b"data")), "ABORT(2,6)", 0),
    ("P13", values((1, 1, command()[:20]), (3, 3, command()[20:])), "ABORT(2,6)", 0),
    ("P14", values((1, 1, bytes(16000))) * 4 + values((1, 1, bytes(1600))), "ABORT(2,6)", 0),
    ("P15", STORING + values((3, 0, b"")) * 20_000, "ABORT(2,6)", 0),
    ("P15", values((1, 1, b"")) * 20_000, "ABORT(2,6)", 0),
    ("P16", values((1, 0xFF, command())), "", 1),
    ("P16", STORING + values((3, 0xFC, b"da"), (3, 0xFE, b"ta")), "", 1),
    ("P17", values((1, 3, command()), (1, 3, command(MessageID=2))), "", 2),
    ("P17", values((1, 3, command()), (3, 3, STORING[12:]), (3, 2, b"x")), "", 2),
    ("P18", STORING + values((3, 0, b"dat")) + values((3, 2, b"a")), "", 1),
    ("P19", of_command(command(CommandField=0x7777)), "", 1),
    ("P20", of_command(command(MessageID=None)), "ABORT(2,6)", 0),
    ("P20", of_command(command(CommandField=0x8030, Status=0)), "ABORT(2,6)", 0),
    ("P22", of_command(b"\0\0\0\0\4\0\0\0\xff\xff\xff\xff" + command()[12:]), "", 1),
    ("P22", of_command(command()[12:]), "", 1),
    ("P23", of_command(command() + struct.pack("<HHI", 0, 0x0902, 99)), "ABORT(2,6)", 0),
    ("P23", of_command(command() + b"\0\0\0"), "ABORT(2,6)", 0),
    ("P24", of_command(element(0x0800, b"\1\1") + command()), "", 1),
    ("P24", of_command(command() + element(0x0110, b"\x09\0")), "", 1),
    ("P24", of_command(command() + element(0x0010, b"NAME", group=0x10)), "", 1),
    (
        "P25",
        of_command(bytes.fromhex("00000000554c040012000000 000000015553020030000000100155530200")),
        "ABORT(2,6)",
        0,
    ),
    ("P29", message(1, dict(ECHO)) + values((1, 2, b"data")), "ABORT(2,6)", 1),
]


@pytest.mark.parametrize("step", [0, 5, 1000])
@pytest.mark.parametrize(
    ("row", "raw", "expected", "messages"),
    [pytest.param(*row, id=f"{row[0]}-{number}") for number, row in enumerate(STANDING)],
)
def test_established(row: str, raw: bytes, expected: str, messages: int, step: int) -> None:
    if len(raw) > 20_000 and step == 5:
        step = 777
    connection = in_state("Sta3")
    proposed = [*request().presentation_contexts, ProposedContext(5, "1.2.3", (IMPLICIT,))]
    found = answer_contexts(proposed, SUPPORTED)
    connection.accept(AssociateAC("SCP", "SCU", found.results), found.accepted)
    connection.out.clear()
    feed(connection, raw, step)
    assert said(pdus_of(taken(connection))) == expected
    assert len(connection.events) == messages
    assert connection.machine.state == ("Sta13" if expected else "Sta6")
    if expected:
        assert isinstance(connection.ended, Aborted)
        assert not connection.ended.by_peer
        assert connection.artim
        assert not connection.reader.in_message


def test_p16_p18_the_data_is_whole_all_the_same() -> None:
    connection = raw_acceptor()
    feed(connection, STORING + values((3, 0xFC, b"dat"), (3, 0xFE, b"a")))
    (found,) = connection.events
    assert isinstance(found, Message)
    assert data_of(found) == b"data"


def test_p24_the_first_counts() -> None:
    connection = raw_acceptor()
    feed(connection, of_command(command() + element(0x0110, b"\x09\0")))
    (found,) = connection.events
    assert isinstance(found, Message)
    assert found.command["MessageID"] == 1

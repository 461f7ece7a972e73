"""Group P: what a peer may get wrong on an association that stands, and the answer to each.

Context 1 is for Verification, context 3 for Storage where the server has it (else for Verification
too), context 5 was rejected. Answers to C-STORE are those of a server that stores.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from dicomwire.protocol.command import encode_command
from dicomwire.protocol.items import MaximumLength
from dicomwire.protocol.pdus import Abort, AssociateRQ, ProposedContext, ReleaseRQ
from dicomwire.standard.dimse import NO_DATA_SET
from tests.faults.rows import CLOSED, Case
from tests.protocol.pairs import (
    ARRIVING,
    CT,
    ECHO,
    EXPLICIT,
    IMPLICIT,
    STORE,
    VERIFICATION,
    message,
    values,
)


def asking(storage: str = CT) -> bytes:
    """The request whose contexts the cases use; `storage` is what context 3 is for."""
    contexts = [
        ProposedContext(1, VERIFICATION, (IMPLICIT,)),
        ProposedContext(3, storage, (IMPLICIT, EXPLICIT)),
        ProposedContext(5, "1.2.3", (IMPLICIT,)),
    ]
    return AssociateRQ("SCP", "SCU", contexts, [MaximumLength(16382)]).encode()


def cut(length: int, context_id: int, control: int, body: bytes = b"") -> bytes:
    """A P-DATA-TF whose only value claims any length."""
    raw = struct.pack(">IBB", length & 0xFFFFFFFF, context_id, control) + body
    return b"\4\0" + len(raw).to_bytes(4, "big") + raw


def command(**changes: object) -> bytes:
    """An encoded C-ECHO-RQ with something changed."""
    return encode_command({**ECHO, "CommandDataSetType": NO_DATA_SET, **changes})


def of_command(raw: bytes, context_id: int = 1) -> bytes:
    """A P-DATA-TF with a whole command set."""
    return values((context_id, 3, raw))


def element(number: int, value: bytes, group: int = 0) -> bytes:
    """One element in implicit VR little endian."""
    return struct.pack("<HHI", group, number, len(value)) + value


def cancel(message_id: int) -> bytes:
    """A C-CANCEL-RQ."""
    return message(1, {"CommandField": 0x0FFF, "MessageIDBeingRespondedTo": message_id})


def elements(raw: bytes) -> Iterator[int]:
    """Where the elements of a command set begin, but for the group length."""
    position = 12
    while position < len(raw):
        yield position
        position += 8 + struct.unpack_from("<I", raw, position + 4)[0]


def command_lengths() -> Iterator[Case]:
    """C-ECHO-RQ with the length of each of its elements wrong."""
    raw = command()
    for position in elements(raw):
        (right,) = struct.unpack_from("<I", raw, position + 4)
        for wrong, words in (
            (right + 1, "one more"),
            (right - 1, "one less"),
            (0xFFFFFFFF, "FFFFFFFFH"),
            (0x80000000, "80000000H"),
        ):
            broken = raw[: position + 4] + struct.pack("<I", wrong) + raw[position + 8 :]
            yield Case("P23", f"length of an element {words}", of_command(broken), "ABORT(2,6)")


def pdu_lengths() -> Iterator[Case]:
    """PDUs of a fixed length with another one."""
    for pdu_type, name in ((5, "A-RELEASE-RQ"), (6, "A-RELEASE-RP"), (7, "A-ABORT")):
        for length in (0, 3, 5, 0xFFFFFFFF):
            raw = bytes((pdu_type, 0)) + length.to_bytes(4, "big") + bytes(min(length, 100))
            yield Case("P08", f"{name} whose length is not 4", raw, "ABORT(2,6)")
    raw = b"\4\0\xff\xff\xff\xff" + bytes(100)
    yield Case("P08", "P-DATA-TF that claims 4 GiB", raw, "ABORT(2,6)")
    for pdu_type in (1, 2):
        raw = bytes((pdu_type, 0)) + b"\xff\xff\xff\xff" + bytes(100)
        yield Case("P08", "PDU of another type that claims 4 GiB", raw, "ABORT(2,6)")


STORING = values((3, 3, encode_command({**STORE, "CommandDataSetType": 1})))
ECHOED, STORED = "C-ECHO-RSP 0000", "C-STORE-RSP 0000"
RESPONSE = {"AffectedSOPClassUID": VERIFICATION, "CommandField": 0x8030, "Status": 0}

ESTABLISHED: tuple[Case, ...] = (
    Case("P01", "a second A-ASSOCIATE-RQ", ARRIVING["Evt6"], "ABORT(2,2)"),
    *(
        Case("P02", name, ARRIVING[event], "ABORT(2,2)")
        for event, name in (
            ("Evt3", "A-ASSOCIATE-AC"),
            ("Evt4", "A-ASSOCIATE-RJ"),
            ("Evt13", "A-RELEASE-RP"),
        )
    ),
    Case("P03", "PDU of type 99H", ARRIVING["Evt19"], "ABORT(2,1)"),
    Case("P04", "PDV beyond its PDU", cut(9, 1, 3, b"123456"), "ABORT(2,6)"),
    Case("P04", "the same in a data set", STORING + cut(9, 3, 2, b"123456"), "ABORT(2,6)"),
    *(Case("P05", f"PDV length {n}", cut(n, 1, 3, b"123456"), "ABORT(2,6)") for n in (0, 1)),
    *(
        Case("P05", f"PDV length {n} in a data set", STORING + cut(n, 3, 0, b"12"), "ABORT(2,6)")
        for n in (0, 1)
    ),
    *(
        Case("P06", f"PDV length {n:08X}H", first + cut(n, context_id, 0), "ABORT(2,6)")
        for n in (0xFFFFFFFF, 0xFFFFFFFE, 0x80000000)
        for first, context_id in ((b"", 1), (STORING, 3))
    ),
    Case("P07", "P-DATA-TF of 0 bytes", b"\4\0\0\0\0\0", "ABORT(2,6)"),
    Case("P07", "P-DATA-TF of 5 bytes", b"\4\0\0\0\0\5" + bytes(5), "ABORT(2,6)"),
    *(
        Case(
            "P08",
            f"PDU longer than announced by {n:,}{words}",
            first + cut(16382 - 4 + n, 3, 0, bytes(16382 - 6 + n)),
            "ABORT(2,6)",
        )
        for n in (1, 12, 11 * 16382)
        for first, words in (
            (STORING, ""),
            (STORING + values((3, 0, bytes(100))), ", after another"),
        )
    ),
    Case("P08", "PDU as long as announced", STORING + cut(16378, 3, 2, bytes(16376)), STORED),
    Case("P09", "context never proposed", values((7, 3, command())), "ABORT(2,6)"),
    Case("P09", "the same in a data set", STORING + values((7, 0, b"data")), "ABORT(2,6)"),
    Case("P10", "context that was rejected", values((5, 3, command())), "ABORT(2,6)"),
    Case("P11", "data set before a command", values((3, 0, b"data")), "ABORT(2,6)"),
    Case("P11", "its last fragment", values((3, 2, b"data")), "ABORT(2,6)"),
    Case(
        "P12",
        "command in the middle of a data set",
        STORING + values((3, 0, b"data")) + message(1, dict(ECHO)),
        "ABORT(2,6)",
    ),
    Case("P12", "the same on its context", STORING + values((3, 3, command())), "ABORT(2,6)"),
    Case("P13", "data set on another context", STORING + values((1, 2, b"data")), "ABORT(2,6)"),
    Case(
        "P13",
        "command set over two contexts",
        values((1, 1, command()[:20]), (3, 3, command()[20:])),
        "ABORT(2,6)",
    ),
    Case(
        "P14",
        "command set of more than 64 KiB",
        values((1, 1, bytes(16000))) * 4 + values((1, 1, bytes(1600))),
        "ABORT(2,6)",
    ),
    Case("P15", "empty data fragments", STORING + values((3, 0, b"")) * 20_000, "ABORT(2,6)"),
    Case("P15", "empty command fragments", values((1, 1, b"")) * 20_000, "ABORT(2,6)"),
    # PS3.8 E.2: bits 2 to 7 are not tested
    Case("P16", "reserved bits set", values((1, 0xFF, command())), ECHOED),
    Case(
        "P16",
        "the same in a data set",
        STORING + values((3, 0xFC, b"da"), (3, 0xFE, b"ta")),
        STORED,
    ),
    Case(
        "P17",
        "two messages in one PDU",
        values((1, 3, command()), (1, 3, command(MessageID=2))),
        f"{ECHOED} {ECHOED}",
    ),
    Case(
        "P17",
        "messages of two contexts in one PDU",
        values((1, 3, command()), (3, 3, STORING[12:]), (3, 2, b"x")),
        f"{ECHOED} {STORED}",
    ),
    Case("P18", "odd fragments", STORING + values((3, 0, b"dat")) + values((3, 2, b"a")), STORED),
    Case(
        "P19",
        "command field 7777H",
        of_command(command(CommandField=0x7777)),
        "0xF777 0211",
        messages=1,
    ),
    Case("P20", "no message ID", of_command(command(MessageID=None)), "ABORT(2,6)"),
    Case(
        "P20",
        "response without the ID of its request",
        of_command(command(CommandField=0x8030, Status=0)),
        "ABORT(2,6)",
    ),
    Case("P20", "no command field", of_command(command(CommandField=None)), "ABORT(2,6)"),
    Case(
        "P21",
        "a request with the ID of one that is not answered yet",
        of_command(command()) * 2,
        f"{ECHOED} C-ECHO-RSP 0210",
    ),
    Case(
        "P21",
        "the same with data sets",
        message(3, dict(STORE), b"data") + message(3, dict(STORE), b"other"),
        f"{STORED} C-STORE-RSP 0210",
    ),
    Case(
        "P22",
        "group length FFFFFFFFH",
        of_command(b"\0\0\0\0\4\0\0\0\xff\xff\xff\xff" + command()[12:]),
        ECHOED,
    ),
    Case("P22", "no group length", of_command(command()[12:]), ECHOED),
    *command_lengths(),
    Case("P23", "half an element", of_command(command() + b"\0\0\0"), "ABORT(2,6)"),
    Case("P24", "elements out of order", of_command(element(0x0800, b"\1\1") + command()), ECHOED),
    Case("P24", "message ID twice", of_command(command() + element(0x0110, b"\x09\0")), ECHOED),
    Case(
        "P24",
        "element of group 0010",
        of_command(command() + element(0x0010, b"NAME", group=0x10)),
        ECHOED,
    ),
    Case(
        "P25",
        "command set in explicit VR",
        of_command(bytes.fromhex("00000000554c040012000000000001555302003000000010015553020030")),
        "ABORT(2,6)",
    ),
    Case(
        "P26",
        "C-ECHO-RSP nobody asked for",
        message(1, {**RESPONSE, "MessageIDBeingRespondedTo": 1}),
        "ABORT(0,0)",
        messages=1,
    ),
    Case(
        "P29",
        "data set after a command without one",
        message(1, dict(ECHO)) + values((1, 2, b"data")),
        "ABORT(2,6)",
        messages=1,
    ),
    Case(
        "P29",
        "C-ECHO-RQ that has a data set",
        message(1, dict(ECHO), b"data"),
        "C-ECHO-RSP 0120",
    ),
    Case(
        "P30",
        "C-ECHO on a Storage context",
        of_command(command(), 3),
        "C-ECHO-RSP 0122",
        storage=True,
    ),
    Case(
        "P30",
        "C-STORE on a Verification context",
        message(1, dict(STORE), b"data"),
        "C-STORE-RSP 0122",
    ),
    Case(
        "P31",
        "another SOP class than the context's",
        message(3, {**STORE, "AffectedSOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, b"data"),
        "C-STORE-RSP 0122",
    ),
    Case(
        "P32",
        "A-RELEASE-RQ where a data set is due",
        STORING + values((3, 0, b"data")) + ReleaseRQ().encode(),
        "ReleaseRP",
        messages=1,
        logged=True,
    ),
    Case(
        "P33",
        "a message in one segment with A-RELEASE-RQ",
        ReleaseRQ().encode() + message(1, dict(ECHO)),
        "ABORT(2,2)",
        messages=1,
    ),
    Case(
        "P37",
        "1,000 requests at once",
        b"".join(of_command(command(MessageID=n)) for n in range(1, 1001)),
        f"1000 x {ECHOED}",
        messages=1000,
    ),
    Case("P38", "C-CANCEL of an unknown request", cancel(99), ""),
    Case("P38", "C-CANCEL twice", cancel(99) * 2, ""),
    Case("P38", "C-CANCEL after the answer", message(1, dict(ECHO)) + cancel(1), ECHOED),
    Case("P38", "10,000 C-CANCEL", b"".join(cancel(n) for n in range(10_000)), ""),
    *pdu_lengths(),
    Case("P36", "A-ABORT", Abort().encode(), CLOSED),
)

"""The seven PDUs go to bytes and come back, and the bytes are those of PS3.8 9.3."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwire.protocol.errors import (
    InvalidParameter,
    LocalError,
    UnexpectedParameter,
    UnrecognizedPDU,
)
from dicomwire.protocol.items import (
    AnyUserItem,
    ImplementationClassUID,
    MaximumLength,
    RoleSelection,
    UnknownItem,
    item,
)
from dicomwire.protocol.pdus import (
    APPLICATION_CONTEXT,
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
    data_header,
    decode_pdu,
)
from tests.protocol.pairs import request
from tests.protocol.test_items import uids, user_information

octets = st.integers(0, 255)
identifiers = st.integers(0, 127).map(lambda number: 2 * number + 1)
titles = (
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=16)
    .map(str.strip)
    .filter(bool)
)


def unique(
    contexts: st.SearchStrategy[ProposedContext] | st.SearchStrategy[ContextResult],
) -> st.SearchStrategy[list[Any]]:
    return st.lists(contexts, max_size=12, unique_by=lambda context: context.context_id)


proposed = st.builds(
    ProposedContext, identifiers, uids, st.lists(uids, min_size=1, max_size=5).map(tuple)
)
results = st.builds(ContextResult, identifiers, octets, uids)
variable = (titles, titles)
pdus: st.SearchStrategy[AnyPDU] = st.one_of(
    st.builds(
        AssociateRQ, *variable, unique(proposed), user_information, uids, st.integers(0, 0xFFFF)
    ),
    st.builds(AssociateAC, *variable, unique(results), user_information, uids),
    st.builds(AssociateRJ, octets, octets, octets),
    st.builds(
        PDataTF,
        st.lists(
            st.builds(PresentationDataValue, octets, octets, st.binary(max_size=50)),
            min_size=1,
            max_size=5,
        ),
    ),
    st.just(ReleaseRQ()),
    st.just(ReleaseRP()),
    st.builds(Abort, octets, octets),
)


def decoded(data: bytes) -> AnyPDU:
    """A whole PDU, its header checked."""
    assert data[1] == 0
    assert int.from_bytes(data[2:6], "big") == len(data) - 6
    return decode_pdu(data[0], memoryview(data)[6:])


@given(pdus)
def test_round_trip(pdu: AnyPDU) -> None:
    assert decoded(pdu.encode()) == pdu


@given(st.sampled_from(range(1, 8)), st.binary(max_size=120))
def test_garbage_is_read_or_refused(kind: int, data: bytes) -> None:
    with suppress(InvalidParameter, UnexpectedParameter):
        decode_pdu(kind, memoryview(data))


@given(pdus, st.data())
def test_a_damaged_octet_is_read_or_refused(pdu: AnyPDU, data: st.DataObject) -> None:
    raw = bytearray(pdu.encode())
    raw[data.draw(st.integers(6, len(raw) - 1))] = data.draw(octets)
    with suppress(InvalidParameter, UnexpectedParameter):
        decode_pdu(raw[0], memoryview(raw)[6:])


# By hand from the tables of PS3.8 9.3; nothing here is the encoder's work.
_FIXED = "0001 0000" + "414e592d534350202020202020202020" + "4543484f534355202020202020202020"
_NAME = "10 00 0015 312e322e3834302e31303030382e332e312e312e31"
_LENGTH = "50 00 0008  51 00 0004 00003ffe"
_VERIFICATION = "312e322e3834302e31303030382e312e31"
_IMPLICIT = "312e322e3834302e31303030382e312e32"
GOLDEN: list[tuple[AnyPDU, str]] = [
    (  # Tables 9-11 to 9-16
        AssociateRQ(
            "ANY-SCP",
            "ECHOSCU",
            [ProposedContext(1, "1.2.840.10008.1.1", ("1.2.840.10008.1.2", "1.2.3"))],
            [MaximumLength(16382)],
        ),
        "01 00 000000a4"
        + _FIXED
        + "00" * 32
        + _NAME
        + "20 00 0037 01 00 00 00  30 00 0011"
        + _VERIFICATION
        + "40 00 0011"
        + _IMPLICIT
        + "40 00 0005 312e322e33"
        + _LENGTH,
    ),
    (  # Tables 9-17 to 9-20
        AssociateAC(
            "ANY-SCP",
            "ECHOSCU",
            [ContextResult(1, 0, "1.2.840.10008.1.2"), ContextResult(3, 4, "1.2.3")],
            [MaximumLength(16382)],
        ),
        "02 00 00000097"
        + _FIXED
        + "00" * 32
        + _NAME
        + "21 00 0019 01 00 00 00  40 00 0011"
        + _IMPLICIT
        + "21 00 000d 03 00 04 00  40 00 0005 312e322e33"
        + _LENGTH,
    ),
    (AssociateRJ(1, 2, 3), "03 00 00000004  00 01 02 03"),  # Table 9-21
    (  # Tables 9-22 and 9-23
        PDataTF([PresentationDataValue(1, 3, b"\1\2"), PresentationDataValue(5, 0, b"")]),
        "04 00 0000000e  00000004 01 03 0102  00000002 05 00",
    ),
    (ReleaseRQ(), "05 00 00000004  00000000"),  # Table 9-24
    (ReleaseRP(), "06 00 00000004  00000000"),  # Table 9-25
    (Abort(2, 6), "07 00 00000004  00 00 02 06"),  # Table 9-26
]


@pytest.mark.parametrize(("pdu", "text"), GOLDEN, ids=lambda each: type(each).__name__)
def test_golden_bytes(pdu: AnyPDU, text: str) -> None:
    raw = bytes.fromhex(text)
    assert pdu.encode().hex() == raw.hex()
    assert decoded(raw) == pdu


def test_reserved_octets_are_not_tested() -> None:
    # PS3.8 9.3.1: "not tested to this value when received"
    raw = bytearray(GOLDEN[0][0].encode())
    raw[8:10], raw[42:74] = b"\xff\xff", b"\xff" * 32
    assert decode_pdu(1, memoryview(raw)[6:]) == GOLDEN[0][0]
    for kind, pdu in ((3, AssociateRJ(1, 2, 3)), (7, Abort(2, 6))):
        body = bytearray(pdu.encode()[6:])
        body[0] = 0xFF
        assert decode_pdu(kind, memoryview(body)) == pdu
    assert decode_pdu(5, memoryview(b"\1\2\3\4")) == ReleaseRQ()
    assert decode_pdu(6, memoryview(b"\1\2\3\4")) == ReleaseRP()


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        (b"  STORE  SCP    ", "STORE  SCP"),
        (b"A" * 16, "A" * 16),
        (b" " * 16, ""),
        (b"SCP".ljust(16, b"\0"), "SCP"),
        (b"SCP\r\n\x1b[2J".ljust(16), "SCP\r\n\x1b[2J"),
        (b"SCP\xff".ljust(16), "SCP\\xff"),
    ],
)
def test_titles_as_they_come(raw: bytes, title: str) -> None:
    body = bytearray(request().encode()[6:])
    body[4:20] = raw
    found = decode_pdu(1, memoryview(body))
    assert isinstance(found, AssociateRQ)
    assert found.called_ae_title == title


def associate(kind: int, *parts: bytes) -> AnyPDU:
    """Decode an A-ASSOCIATE with these items after its fixed part."""
    fixed = b"\0\1\0\0" + b"SCP".ljust(16) + b"SCU".ljust(16) + bytes(32)
    return decode_pdu(kind, memoryview(fixed + b"".join(parts)))


NAME = item(0x10, APPLICATION_CONTEXT.encode())


def context(number: int, *parts: bytes, kind: int = 0x20, result: int = 0) -> bytes:
    """A presentation context item."""
    return item(kind, bytes((number, 0, result, 0)) + b"".join(parts))


ABSTRACT, TRANSFER = item(0x30, b"1.2"), item(0x40, b"1.3")


def test_unknown_items_are_ignored() -> None:
    odd = item(0x60, b"what")
    found = associate(1, odd, NAME, context(1, odd, ABSTRACT, odd, TRANSFER), odd)
    assert found == AssociateRQ("SCP", "SCU", [ProposedContext(1, "1.2", ("1.3",))])
    answer = associate(2, NAME, odd, context(1, odd, TRANSFER, kind=0x21))
    assert answer == AssociateAC("SCP", "SCU", [ContextResult(1, 0, "1.3")])


def test_unknown_sub_items_are_kept_and_go_out_again() -> None:
    items: list[AnyUserItem] = [
        MaximumLength(1),
        UnknownItem(0x7A, b"x"),
        RoleSelection("1.2", True, True),
    ]
    pdu = request().replace(user_information=items)
    assert decoded(pdu.encode()) == pdu


def test_the_order_of_items_does_not_matter() -> None:
    user = item(0x50, item(0x52, b"1.9"))
    found = associate(1, user, context(5, TRANSFER, ABSTRACT), NAME, context(1, ABSTRACT, TRANSFER))
    assert isinstance(found, AssociateRQ)
    assert [each.context_id for each in found.presentation_contexts] == [5, 1]
    assert found.user_information == [ImplementationClassUID("1.9")]


def test_a_rejected_context_needs_no_transfer_syntax() -> None:
    found = associate(2, NAME, context(1, kind=0x21, result=3))
    assert isinstance(found, AssociateAC)
    assert found.presentation_contexts == [ContextResult(1, 3, "")]


WHOLE = context(1, ABSTRACT, TRANSFER)


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        (1, []),
        (1, [WHOLE]),
        (1, [NAME, context(2, ABSTRACT, TRANSFER)]),
        (1, [NAME, context(0, ABSTRACT, TRANSFER)]),
        (1, [NAME, WHOLE, WHOLE]),
        (1, [NAME, context(1, ABSTRACT)]),
        (1, [NAME, context(1, TRANSFER)]),
        (1, [NAME, item(0x20, b"\1\0\0")]),
        (1, [NAME, WHOLE, b"\x50"]),
        (1, [NAME, b"\x20\0\xff\xff" + WHOLE[4:]]),
        (1, [NAME, WHOLE[:3] + bytes([WHOLE[3] + 1]) + WHOLE[4:]]),
        (1, [NAME, WHOLE[:3] + bytes([WHOLE[3] - 1]) + WHOLE[4:]]),
        (2, [NAME, context(1, kind=0x21)]),
        (2, [NAME, context(1, TRANSFER, TRANSFER, kind=0x21)]),
        (2, [NAME, context(1, kind=0x21, result=3)] * 2),
    ],
)
def test_invalid_parameters(kind: int, parts: list[bytes]) -> None:
    with pytest.raises((InvalidParameter, UnexpectedParameter)):
        associate(kind, *parts)


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        (1, [NAME, NAME, WHOLE]),
        (1, [NAME, WHOLE, item(0x50, b""), item(0x50, b"")]),
        (1, [NAME, context(1, ABSTRACT, ABSTRACT, TRANSFER)]),
        (1, [NAME, context(1, ABSTRACT, *[item(0x40, b"")] * 257)]),
        (1, [NAME, *(context(2 * n % 256 + 1, ABSTRACT, TRANSFER) for n in range(129))]),
        (2, [NAME, *(context(2 * n % 256 + 1, TRANSFER, kind=0x21) for n in range(129))]),
    ],
)
def test_one_too_many(kind: int, parts: list[bytes]) -> None:
    with pytest.raises(UnexpectedParameter):
        associate(kind, *parts)


@pytest.mark.parametrize("kind", [3, 5, 6, 7])
@pytest.mark.parametrize("length", [0, 3, 5])
def test_short_pdus_have_four_octets(kind: int, length: int) -> None:
    with pytest.raises(InvalidParameter):
        decode_pdu(kind, memoryview(bytes(length)))


@pytest.mark.parametrize(
    "body",
    ["", "00000002 01", "00000001 01", "00000003 01 00", "ffffffff 01 00", "00000002 01 00 00"],
)
def test_a_p_data_tf_is_made_of_whole_values(body: str) -> None:
    with pytest.raises(InvalidParameter):
        decode_pdu(4, memoryview(bytes.fromhex(body)))


@pytest.mark.parametrize("kind", [0, 8, 0x47, 0x99, 0xFF])
def test_unknown_types(kind: int) -> None:
    with pytest.raises(UnrecognizedPDU, match=f"0x{kind:02X}"):
        decode_pdu(kind, memoryview(bytes(4)))


@pytest.mark.parametrize(
    "pdu",
    [
        AssociateRQ("A" * 17, "SCU"),
        AssociateRQ("SCP", "ÄÖÜ"),
        AssociateAC("SCP", "S" * 17),
        AssociateRQ("SCP", "SCU", [ProposedContext(1, "1.ü", ("1.2",))]),
        AssociateRQ("SCP", "SCU", [ProposedContext(1, "1.2", ("1.ü",))]),
        AssociateRQ("SCP", "SCU", [ProposedContext(1, "1.2", ("1.2",))] * 129),
        AssociateRQ("SCP", "SCU", [ProposedContext(1, "1.2", ("1.2",) * 10000)]),
        AssociateRQ("SCP", "SCU", application_context_name="ü"),
        AssociateAC("SCP", "SCU", [ContextResult(1, 0, "ü")]),
    ],
)
def test_what_cannot_be_sent_is_refused_here(pdu: AnyPDU) -> None:
    with pytest.raises(LocalError):
        pdu.encode()


def test_128_contexts_fit() -> None:
    contexts = [ProposedContext(n, "1.2", ("1.3",)) for n in range(1, 256, 2)]
    pdu = request(contexts=contexts)
    assert decoded(pdu.encode()) == pdu


@given(st.integers(1, 255), st.integers(0, 3), st.binary(max_size=300))
def test_a_header_and_its_fragment_are_a_pdu(context_id: int, control: int, data: bytes) -> None:
    value = PresentationDataValue(context_id, control, data)
    assert data_header(context_id, control, len(data)) + data == PDataTF([value]).encode()


def test_headers_that_are_kept_do_not_pile_up() -> None:
    for size in range(3000):
        data_header(1, 0, size)
    assert data_header.cache_info().currsize <= 1024

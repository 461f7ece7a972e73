"""User information items go to bytes and come back, and the bytes are those of PS3.7 D.3.3."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwire.protocol.errors import (
    InvalidParameter,
    LocalError,
    UnexpectedParameter,
)
from dicomwire.protocol.items import (
    AnyUserItem,
    AsynchronousOperationsWindow,
    ImplementationClassUID,
    ImplementationVersionName,
    MaximumLength,
    RoleSelection,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UnknownItem,
    UserIdentity,
    UserIdentityResponse,
    decode_user_information,
    encode_user_information,
    text_of,
)

uids = st.from_regex(r"(0|[1-9][0-9]{0,4})(\.(0|[1-9][0-9]{0,4})){0,9}", fullmatch=True)
names = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=16)
blobs = st.binary(max_size=40)
u16, u32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)

ONCE = [
    st.builds(MaximumLength, u32),
    st.builds(ImplementationClassUID, uids),
    st.builds(AsynchronousOperationsWindow, u16, u16),
    st.builds(ImplementationVersionName, names),
    st.builds(UserIdentity, st.integers(1, 5), st.booleans(), blobs, blobs),
    st.builds(UserIdentityResponse, blobs),
]
MANY = [
    st.builds(RoleSelection, uids, st.booleans(), st.booleans()),
    st.builds(SOPClassExtendedNegotiation, uids, blobs),
    st.builds(SOPClassCommonExtendedNegotiation, uids, uids, st.lists(uids, max_size=5)),
    st.builds(UnknownItem, st.sampled_from([0x5A, 0x7A, 0xFF, 0x00]), blobs),
]
user_information: st.SearchStrategy[list[AnyUserItem]] = st.tuples(
    st.tuples(*[st.none() | each for each in ONCE]), st.lists(st.one_of(MANY), max_size=6)
).flatmap(lambda both: st.permutations([*filter(None, both[0]), *both[1]]))


def decoded(data: bytes) -> list[AnyUserItem]:
    """What a user information item says."""
    assert data[:2] == b"\x50\0"
    assert int.from_bytes(data[2:4], "big") == len(data) - 4
    return decode_user_information(memoryview(data)[4:])


@given(user_information)
def test_round_trip(items: list[AnyUserItem]) -> None:
    assert decoded(encode_user_information(items)) == items


# By hand from PS3.8 Annex D and PS3.7 D.3.3; nothing here is the encoder's work.
GOLDEN: list[tuple[AnyUserItem, str]] = [
    (MaximumLength(16384), "51 00 0004  00004000"),  # PS3.8 Table D.1-1
    (MaximumLength(0), "51 00 0004  00000000"),
    (ImplementationClassUID("1.2.34"), "52 00 0006  312e322e3334"),  # PS3.7 Table D.3-1
    (AsynchronousOperationsWindow(5, 0), "53 00 0004  0005 0000"),  # Table D.3-7
    (RoleSelection("1.2", True, False), "54 00 0007  0003 312e32 01 00"),  # Table D.3-9
    (RoleSelection("1.2", False, True), "54 00 0007  0003 312e32 00 01"),
    (ImplementationVersionName("V_1"), "55 00 0003  565f31"),  # Table D.3-3
    (  # Table D.3-11
        SOPClassExtendedNegotiation("1.2", b"\1\0\1"),
        "56 00 0008  0003 312e32 010001",
    ),
    (  # Table D.3-12
        SOPClassCommonExtendedNegotiation("1.2", "1.4", ["1.5", "1.67"]),
        "57 00 0017  0003 312e32  0003 312e34  000b  0003 312e35  0004 312e3637",
    ),
    (
        SOPClassCommonExtendedNegotiation("1.2", "1.4"),
        "57 00 000c  0003 312e32  0003 312e34  0000",
    ),
    # Table D.3-14: username, username and passcode, Kerberos, SAML, JSON web token
    (UserIdentity(1, True, b"me"), "58 00 0008  01 01  0002 6d65  0000"),
    (UserIdentity(2, False, b"me", b"pw!"), "58 00 000b  02 00  0002 6d65  0003 707721"),
    (UserIdentity(3, True, b"\0\xff"), "58 00 0008  03 01  0002 00ff  0000"),
    (UserIdentity(4, True, b"<a/>"), "58 00 000a  04 01  0004 3c612f3e  0000"),
    (UserIdentity(5, False, b"e.y"), "58 00 0009  05 00  0003 652e79  0000"),
    (UserIdentityResponse(b"ok"), "59 00 0004  0002 6f6b"),  # Table D.3-15
    (UserIdentityResponse(b""), "59 00 0002  0000"),
    (UnknownItem(0x7A, b"\1"), "7a 00 0001  01"),
]


@pytest.mark.parametrize(("item", "body"), GOLDEN)
def test_golden_bytes(item: AnyUserItem, body: str) -> None:
    raw = bytes.fromhex(body)
    whole = b"\x50\0" + len(raw).to_bytes(2, "big") + raw
    assert encode_user_information([item]) == whole
    assert decoded(whole) == [item]


def test_every_kind_of_item_is_in_the_golden_bytes() -> None:
    assert {item.item_type for item, _ in GOLDEN} == {*range(0x51, 0x5A), 0x7A}


@pytest.mark.parametrize(
    ("raw", "item"),
    [
        # the reserved octet is not tested; padding is not significant; flags are 1 or not
        ("52 ff 0004 312e3200", ImplementationClassUID("1.2")),
        ("52 00 0004 312e3220", ImplementationClassUID("1.2")),
        ("55 00 0003 41e9ff", ImplementationVersionName("A\\xe9\\xff")),
        ("55 00 0011" + "41" * 17, ImplementationVersionName("A" * 17)),
        ("54 00 0007 0003 312e32 02 ff", RoleSelection("1.2", False, False)),
        ("58 00 0006 09 07 0000 0000", UserIdentity(9, False)),
    ],
)
def test_what_peers_send_otherwise(raw: str, item: AnyUserItem) -> None:
    assert decode_user_information(memoryview(bytes.fromhex(raw))) == [item]


@pytest.mark.parametrize(
    "raw",
    [
        "51 00 0003 000040",
        "51 00 0005 0000400000",
        "53 00 0003 000100",
        "54 00 0006 0003 312e32 01",
        "54 00 0008 0003 312e32 01 01 01",
        "54 00 0001 00",
        "56 00 0004 0003 312e",
        "57 00 000c 0003 312e32 0003 312e34 0001",
        "57 00 0010 0003 312e32 0003 312e34 0004 0003312e",
        "57 00 000b 0003 312e32 0003 312e34 00",
        "58 00 0001 01",
        "58 00 0007 01 01 0003 6d65 00",
        "58 00 0006 02 01 0002 6d65",
        "58 00 0008 02 01 0002 6d65 ffff",
        "59 00 0003 0002 6f",
        "7a 00 0002 01",
        "7a 00 00",
        "51",
    ],
)
def test_wrong_lengths(raw: str) -> None:
    with pytest.raises(InvalidParameter):
        decode_user_information(memoryview(bytes.fromhex(raw)))


@pytest.mark.parametrize("item", [item for item, _ in GOLDEN])
def test_which_items_may_stand_twice(item: AnyUserItem) -> None:
    twice = encode_user_information([item, item])
    if item.item_type in (0x54, 0x56, 0x57, 0x7A):
        assert decoded(twice) == [item, item]
    else:
        with pytest.raises(UnexpectedParameter, match=f"0x{item.item_type:02X}"):
            decoded(twice)


@given(st.binary(max_size=80))
def test_garbage_is_read_or_refused(data: bytes) -> None:
    with suppress(InvalidParameter, UnexpectedParameter):
        decode_user_information(memoryview(data))


@given(user_information, st.data())
def test_a_damaged_octet_is_read_or_refused(items: list[AnyUserItem], data: st.DataObject) -> None:
    raw = bytearray(encode_user_information(items)[4:])
    if raw:
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with suppress(InvalidParameter, UnexpectedParameter):
        decode_user_information(memoryview(raw))


@pytest.mark.parametrize(
    "item",
    [
        MaximumLength(-1),
        MaximumLength(1 << 32),
        AsynchronousOperationsWindow(-1, 0),
        AsynchronousOperationsWindow(0, 0x10000),
        ImplementationClassUID("1.2.ä"),
        ImplementationVersionName("ÄÖÜ"),
        RoleSelection("1.²"),
        UserIdentity(1, True, bytes(0x10000)),
        UserIdentity(2, True, b"", bytes(0x10000)),
        UserIdentityResponse(bytes(0x10000)),
        SOPClassExtendedNegotiation("1.2", bytes(0xFFFB)),
        UserIdentity(2, True, bytes(0x8000), bytes(0x8000)),
        SOPClassCommonExtendedNegotiation("1.2", "1.3", ["1.2.3.4.5"] * 0x2000),
    ],
)
def test_what_does_not_fit_is_refused_here(item: AnyUserItem) -> None:
    with pytest.raises(LocalError):
        encode_user_information([item])


def test_too_much_in_all_is_refused_too() -> None:
    with pytest.raises(LocalError, match="65,535"):
        encode_user_information([SOPClassExtendedNegotiation("1.2", bytes(0x8000))] * 2)


@pytest.mark.parametrize("kind", range(1, 6))
def test_no_secret_in_a_repr(kind: int) -> None:
    identity = UserIdentity(kind, True, b"someone", b"opensesame")
    for secret in ("someone", "opensesame"):
        assert secret not in repr(identity)
        assert secret not in str(identity)
    assert f"user_identity_type={kind}" in repr(identity)
    assert "ticket" not in repr(UserIdentityResponse(b"ticket"))


def test_text_of_shows_what_is_not_ascii() -> None:
    assert text_of(b"1.2\0") == text_of(b"1.2 ") == text_of(memoryview(b"1.2")) == "1.2"
    assert text_of(b"1\x80") == "1\\x80"

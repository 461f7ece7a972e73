"""Bytes of one encoding to bytes of another, element by element."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwire.dataset.elements import MAX_DEPTH, Reader, encoding_of
from dicomwire.dataset.errors import DataSetError
from dicomwire.dataset.transcode import transcode
from tests.dataset.samples import BIG_ENDIAN, EXPLICIT, IMPLICIT, explicit, implicit
from tests.examples import examples

OPEN = b"\xff\xff\xff\xff"
ITEM, ITEM_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0\0\0\0\0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"


def recoded(data: bytes, source: str, target: str) -> bytes:
    out = io.BytesIO()
    transcode(Reader(io.BytesIO(data).read, encoding_of(source)), out.write, encoding_of(target))
    return out.getvalue()


VALUE = bytes(range(1, 17))
REVERSED = {
    1: VALUE,
    2: bytes([2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]),
    4: bytes([4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9, 16, 15, 14, 13]),
    8: VALUE[7::-1] + VALUE[:7:-1],
}
SIZES = {1: "AE CS DS LO LT OB PN SH UC UI UN UR UT", 2: "AT OW SS US", 4: "FL OF OL SL UL"}
SIZES[8] = "FD OD OV SV UV"


@pytest.mark.parametrize(
    ("vr", "size"), [(vr, size) for size, vrs in SIZES.items() for vr in vrs.split()]
)
def test_byte_order_by_vr(vr: str, size: int) -> None:
    little = explicit(0x00090010, "LO", b"X ") + explicit(0x00091010, vr, VALUE)
    big = explicit(0x00090010, "LO", b"X ", ">") + explicit(0x00091010, vr, REVERSED[size], ">")
    assert recoded(little, EXPLICIT, BIG_ENDIAN) == big
    assert recoded(big, BIG_ENDIAN, EXPLICIT) == little
    assert recoded(big, BIG_ENDIAN, IMPLICIT) == implicit(0x00090010, b"X ") + implicit(
        0x00091010, VALUE
    )


@pytest.mark.parametrize(
    ("tag", "before", "vr"),
    [
        (0x00100010, b"", "PN"),
        (0x7FE00010, b"", "OW"),
        (0x60003000, b"", "OW"),
        (0x60103000, b"", "OW"),
        (0x54001010, b"", "OW"),
        (0x00283006, b"", "OW"),
        (0x00281201, b"", "OW"),
        (0x00280106, b"", "US"),
        (0x00280106, implicit(0x00280103, b"\0\0"), "US"),
        (0x00280106, implicit(0x00280103, b"\1\0"), "SS"),
        (0x00080777, b"", "UN"),
        (0x00090010, b"", "LO"),
        (0x00091010, b"", "UN"),
        (0x00091010, implicit(0x00090010, b"NOBODY KNOWS"), "UN"),
        (0x00091027, implicit(0x00090010, b"GEMS_IDEN_01"), "SL"),
        (0x00091127, implicit(0x00090010, b"GEMS_IDEN_01"), "UN"),
    ],
)
def test_vr_that_implicit_does_not_tell(tag: int, before: bytes, vr: str) -> None:
    out = recoded(before + implicit(tag, b"abcd"), IMPLICIT, EXPLICIT)
    assert out.endswith(explicit(tag, vr, b"abcd"))


def test_values_too_long_for_their_vr_become_unknown() -> None:
    long = implicit(0x00100010, bytes(70_000))
    assert recoded(long, IMPLICIT, EXPLICIT) == explicit(0x00100010, "UN", bytes(70_000))


def test_pixel_representation_holds_for_items_but_not_beyond() -> None:
    inside = implicit(0x00280103, b"\1\0") + implicit(0x00280106, b"ab")
    data = implicit(0x00081115, ITEM + len(inside).to_bytes(4, "little") + inside)
    data += implicit(0x00280106, b"ab")
    out = recoded(data, IMPLICIT, EXPLICIT)
    assert (out.count(b"SS\2\0ab"), out.count(b"US\2\0ab")) == (1, 1)


def test_group_lengths_stay_behind() -> None:
    data = implicit(0x00080000, b"\x0c\0\0\0") + implicit(0x00080016, b"1.2\0")
    assert recoded(data, IMPLICIT, EXPLICIT) == explicit(0x00080016, "UI", b"1.2\0")


@pytest.mark.parametrize("defined", [True, False])
def test_sequences_leave_with_undefined_length(defined: bool) -> None:
    inside = implicit(0x00080100, b"T-1 ")
    if defined:
        data = implicit(0x00081032, ITEM + len(inside).to_bytes(4, "little") + inside)
    else:
        data = b"\x08\0\x32\x10" + OPEN + ITEM + OPEN + inside + ITEM_END + SEQUENCE_END
    head = b"\x08\0\x32\x10SQ\0\0" + OPEN + ITEM + OPEN
    end = ITEM_END + SEQUENCE_END
    assert recoded(data, IMPLICIT, EXPLICIT) == head + explicit(0x00080100, "SH", b"T-1 ") + end


def test_unknown_sequence_of_undefined_length_is_implicit_inside() -> None:
    inside = OPEN + ITEM + OPEN + implicit(0x00280010, b"\1\0") + ITEM_END + SEQUENCE_END
    last = explicit(0x00280010, "US", b"\1\0")
    data = b"\x09\0\x10\x10UN\0\0" + inside + last
    assert recoded(data, EXPLICIT, EXPLICIT) == data
    assert recoded(data, EXPLICIT, IMPLICIT) == (
        b"\x09\0\x10\x10" + inside + implicit(0x00280010, b"\1\0")
    )
    big = recoded(data, EXPLICIT, BIG_ENDIAN)
    assert big == (b"\0\x09\x10\x10UN\0\0" + inside + explicit(0x00280010, "US", b"\0\1", ">"))
    assert recoded(big, BIG_ENDIAN, EXPLICIT) == data


def test_compressed_pixel_data_are_refused() -> None:
    fragments = OPEN + ITEM + bytes(4) + SEQUENCE_END
    for data, source in (
        (b"\xe0\x7f\x10\0OB\0\0" + fragments, EXPLICIT),
        (b"\xe0\x7f\x10\0" + fragments, IMPLICIT),
    ):
        for target in (IMPLICIT, EXPLICIT, BIG_ENDIAN):
            with pytest.raises(DataSetError, match=r"\(7FE0,0010\) has a value of undefined"):
                recoded(data, source, target)


@pytest.mark.parametrize("head", [b"SQ\0\0", b"UN\0\0"])
def test_nesting_has_a_limit(head: bytes) -> None:
    one = b"\x08\0\x15\x11" + head + OPEN + ITEM + OPEN
    inner = b"\x08\0\x15\x11" + OPEN + ITEM + OPEN
    data = one + (inner if head.startswith(b"UN") else one) * (MAX_DEPTH + 1)
    with pytest.raises(DataSetError, match="nested more than 64 deep"):
        recoded(data, EXPLICIT, BIG_ENDIAN)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (explicit(0x00280010, "US", b"\1\0")[:-1], "ends early"),
        (b"\x08\0\x15\x11SQ\0\0" + OPEN + ITEM + OPEN, "ends inside an item"),
        (
            explicit(0x00081115, "SQ", ITEM + b"\4\0\0\0" + explicit(0x00080100, "SH", b"")),
            "overruns its item",
        ),
    ],
)
def test_damage(data: bytes, what: str) -> None:
    with pytest.raises(DataSetError, match=what):
        recoded(data, EXPLICIT, BIG_ENDIAN)


@examples(100)
@given(st.binary(max_size=200), st.sampled_from([IMPLICIT, EXPLICIT, BIG_ENDIAN]))
def test_any_bytes_give_bytes_or_the_error(data: bytes, source: str) -> None:
    for target in (IMPLICIT, EXPLICIT, BIG_ENDIAN):
        with contextlib.suppress(DataSetError):
            recoded(data, source, target)

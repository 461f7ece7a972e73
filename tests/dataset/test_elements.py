"""Element headers and nesting, in each encoding, whole and damaged."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomwire.dataset.elements import (
    MAX_DEPTH,
    UNDEFINED,
    Element,
    Encoding,
    Reader,
    encoding_of,
    sop_uids,
    tag_text,
)
from dicomwire.dataset.errors import DataSetError
from tests.dataset.samples import (
    BIG_ENDIAN,
    CT,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG_BASELINE,
    UNCOMPRESSED,
    explicit,
    implicit,
    uids_explicit,
)
from tests.examples import examples

ITEM = b"\xfe\xff\x00\xe0"
ITEM_END = b"\xfe\xff\x0d\xe0\0\0\0\0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
OPEN = b"\xff\xff\xff\xff"


def reader(data: bytes, syntax: str = EXPLICIT) -> Reader:
    return Reader(io.BytesIO(data).read, encoding_of(syntax))


def test_encodings() -> None:
    assert encoding_of(IMPLICIT) == Encoding(implicit=True, little=True, deflated=False)
    assert encoding_of(EXPLICIT) == Encoding(implicit=False, little=True, deflated=False)
    assert encoding_of(DEFLATED) == Encoding(implicit=False, little=True, deflated=True)
    assert encoding_of(BIG_ENDIAN) == Encoding(implicit=False, little=False, deflated=False)
    assert encoding_of(JPEG_BASELINE) == encoding_of("1.2.3") == encoding_of(EXPLICIT)


@pytest.mark.parametrize(
    ("data", "syntax", "expected"),
    [
        (explicit(0x00280010, "US", b"ab"), EXPLICIT, Element(0x00280010, b"US", 2)),
        (explicit(0x00280010, "US", b"ab", ">"), BIG_ENDIAN, Element(0x00280010, b"US", 2)),
        (explicit(0x7FE00010, "OW", b"abcd"), EXPLICIT, Element(0x7FE00010, b"OW", 4)),
        (explicit(0x7FE00010, "OW", b"abcd", ">"), BIG_ENDIAN, Element(0x7FE00010, b"OW", 4)),
        (implicit(0x7FE00010, b"abcd"), IMPLICIT, Element(0x7FE00010, b"", 4)),
        (ITEM + OPEN, EXPLICIT, Element(0xFFFEE000, b"", UNDEFINED)),
    ],
)
def test_header(data: bytes, syntax: str, expected: Element) -> None:
    elements = reader(data, syntax)
    assert elements.header() == expected
    if expected.length != UNDEFINED:
        elements.skip(expected)
    assert elements.header() is None
    assert elements.position == len(data)


def test_skip_passes_over_nested_sequences_of_undefined_length() -> None:
    inner = b"\x08\0\x10\x11SQ\0\0" + OPEN + ITEM + OPEN + ITEM_END + SEQUENCE_END
    fixed = ITEM + b"\x04\0\0\0abcd"
    outer = b"\x08\0\x15\x11SQ\0\0" + OPEN + ITEM + OPEN + inner + ITEM_END + fixed + SEQUENCE_END
    unknown = b"\x09\0\x10\x10UN\0\0" + OPEN + ITEM + OPEN + implicit(0x00080100, b"xy") + ITEM_END
    elements = reader(outer + unknown + SEQUENCE_END + explicit(0x00100010, "PN", b"A^"))
    tags = []
    while (element := elements.header()) is not None:
        tags.append(element.tag)
        elements.skip(element)
    assert tags == [0x00081115, 0x00091010, 0x00100010]


def test_nesting_has_a_limit() -> None:
    deep = (b"\x08\0\x15\x11SQ\0\0" + OPEN + ITEM + OPEN) * (MAX_DEPTH + 1)
    elements = reader(deep)
    first = elements.header()
    assert first is not None
    with pytest.raises(DataSetError, match="nested more than 64 deep"):
        elements.skip(first)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x08\0\x16", "ends early, at byte 3"),
        (b"\x08\0\x16\0OB\0\0\0", "ends early, at byte 9"),
        (explicit(0x00080016, "UI", b"1.2.3.")[:-1], "ends early"),
        (explicit(0x00080016, "UI", b"1.2.").replace(b"UI", b"??"), r"\(0008,0016\) has no valid"),
        (b"\x08\0\x15\0SQ\0\0" + OPEN, "ends inside a sequence"),
        (b"\x08\0\x15\0SQ\0\0" + OPEN + explicit(0x00080100, "SH", b"x "), "sequence item is due"),
    ],
)
def test_damage(data: bytes, what: str) -> None:
    with pytest.raises(DataSetError, match=what):
        sop_uids(reader(data))


def test_item_that_overruns_its_sequence() -> None:
    elements = reader(ITEM + b"\x08\0\0\0" + bytes(8))
    items = elements.items(12)
    elements.skip(next(items))
    with pytest.raises(DataSetError, match="overruns"):
        next(items)


def test_sop_uids_reads_no_further_than_needed() -> None:
    source = io.BytesIO(uids_explicit() + b"??????????")
    found = sop_uids(Reader(source.read, encoding_of(EXPLICIT)))
    assert found == (CT.encode() + b"\0", b"1.2.3.4\0")
    assert source.tell() == len(uids_explicit())


@examples(100)
@given(st.binary(max_size=200), st.sampled_from(UNCOMPRESSED))
def test_any_bytes_give_uids_or_the_error(data: bytes, syntax: str) -> None:
    with contextlib.suppress(DataSetError):
        sop_uids(reader(data, syntax))


def test_tag_text() -> None:
    assert tag_text(0x7FE00010) == "(7FE0,0010)"

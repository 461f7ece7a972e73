"""Turns data sets of sequences within sequences into a refusal, and leaves wide ones alone."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicomwire.dataset.codec import decode
from dicomwire.dataset.elements import Encoding, encoding_of
from dicomwire.dataset.errors import DataSetError
from dicomwire.dataset.nesting import check_depth
from tests.examples import examples

IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
SYNTAXES = [IMPLICIT, EXPLICIT, BIG]


def nested(depth: int, undefined: bool, syntax: str) -> bytes:
    """So many sequences within each other, the innermost with an element."""
    innermost = found = Dataset()
    for _ in range(depth):
        inner = Dataset()
        innermost.ReferencedSeriesSequence = [inner]
        innermost["ReferencedSeriesSequence"].is_undefined_length = undefined
        inner.is_undefined_length_sequence_item = undefined
        innermost = inner
    innermost.PatientName = "Deep"
    file, encoding = DicomBytesIO(), encoding_of(syntax)
    file.is_implicit_VR, file.is_little_endian = encoding.implicit, encoding.little
    write_dataset(file, found)
    return file.getvalue()


def defined(depth: int) -> bytes:
    """Many of them, by hand: each of the length of what it has."""
    heads: list[bytes] = []
    length = 0
    for _ in range(depth):
        item = b"\xfe\xff\0\xe0" + length.to_bytes(4, "little")
        heads.append(b"\x08\0\x15\x11" + (length + 8).to_bytes(4, "little") + item)
        length += 16
    return b"".join(reversed(heads))


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("undefined", [False, True])
def test_the_deepest_that_is_allowed_and_one_more(syntax: str, undefined: bool) -> None:
    for depth, most in ((32, 32), (33, 32), (1, 1), (2, 1), (3, 64)):
        data, encoding = nested(depth, undefined, syntax), encoding_of(syntax)
        if depth <= most:
            check_depth(data, encoding, most)
        else:
            with pytest.raises(DataSetError, match=f"nested more than {most} deep") as found:
                check_depth(data, encoding, most)
            assert "Limits.depth" in found.value.check


@pytest.mark.parametrize("depth", [500, 50_000])
def test_very_deep_ones_are_refused_at_once(depth: int) -> None:
    """F06; pydicom would need memory that grows with the square of the depth."""
    begin = b"\x08\0\x15\x11\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"
    for data in (begin * depth, defined(depth)):
        with pytest.raises(DataSetError, match="deep"):
            decode(data, IMPLICIT)


def test_many_items_beside_each_other_are_not_deep() -> None:
    ds = Dataset()
    ds.ReferencedSeriesSequence = [Dataset() for _ in range(1000)]
    for item in ds.ReferencedSeriesSequence:
        item.ReferencedInstanceSequence = [Dataset(), Dataset()]
    for syntax in SYNTAXES:
        file, encoding = DicomBytesIO(), encoding_of(syntax)
        file.is_implicit_VR, file.is_little_endian = encoding.implicit, encoding.little
        write_dataset(file, ds)
        check_depth(file.getvalue(), encoding, 2)
        with pytest.raises(DataSetError):
            check_depth(file.getvalue(), encoding, 1)


@examples(200)
@given(st.binary(max_size=200), st.sampled_from(SYNTAXES))
def test_rubbish_is_left_to_others(data: bytes, syntax: str) -> None:
    encoding: Encoding = encoding_of(syntax)
    item = b"\xfe\xff\0\xe0" if encoding.little else b"\xff\xfe\xe0\0"
    with contextlib.suppress(DataSetError):
        check_depth(data + item + data, encoding, 0)

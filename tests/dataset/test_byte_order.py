"""Swapping of words, and copies that share nothing that changes."""

from __future__ import annotations

import copy
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import DataElement, Dataset, dcmread
from pydicom.sequence import Sequence

from dicomwire.dataset.byte_order import swap_values, swapped, unshared
from tests.dataset.samples import TEST_FILES, plain, reversed_words
from tests.examples import examples


@examples(50)
@given(st.binary(max_size=100), st.sampled_from([2, 4, 8]))
def test_swapped_reverses_whole_words_only(value: bytes, size: int) -> None:
    whole = len(value) - len(value) % size
    assert swapped(value, size) == reversed_words(value[:whole], size) + value[whole:]


def image() -> Dataset:
    item = Dataset()
    item.add_new(0x00283006, "OW", b"\1\2\3\4")
    ds = Dataset()
    ds.BitsAllocated = 16
    ds.ModalityLUTSequence = Sequence([item])
    ds.add_new(0x00091010, "OB", b"\1\2")
    ds.add_new(0x00091011, "UN", b"\1\2")
    ds.add_new(0x00091012, "OF", b"\1\2\3\4")
    ds.add_new(0x00091013, "OV", b"\1\2\3\4\5\6\7\x08")
    ds.PixelData = b"\1\2\3\4"
    ds["PixelData"].VR = "OW"
    return ds


def test_swap_values_and_the_original_stays() -> None:
    ds = image()
    before = copy.deepcopy(ds)
    ours = unshared(ds, parsed=True)
    swap_values(ours)
    assert ds == before
    assert ours.PixelData == b"\2\1\4\3"
    assert ours.ModalityLUTSequence[0].LUTData == b"\2\1\4\3"
    assert [ours[0x0009, n].value for n in range(0x1010, 0x1014)] == [
        b"\1\2",
        b"\1\2",
        b"\4\3\2\1",
        b"\x08\7\6\5\4\3\2\1",
    ]
    assert ours.BitsAllocated == 16


def test_file_backed_values_are_swapped_too() -> None:
    ds = Dataset()
    ds["PixelData"] = DataElement(0x7FE00010, "OW", io.BytesIO(b"\1\2\3\4"))
    ours = unshared(ds, parsed=True)
    swap_values(ours)
    assert ours.PixelData == b"\2\1\4\3"
    assert ds.PixelData.read() == b"\1\2\3\4"


@pytest.mark.parametrize("parsed", [False, True])
@pytest.mark.parametrize("name", ["rtplan.dcm", "reportsi.dcm", "MR_small_bigendian.dcm"])
def test_unshared_is_equal_and_leaves_undecoded_elements_alone(name: str, parsed: bool) -> None:
    ds = dcmread(TEST_FILES / name)
    raw = [ds.get_item(tag).is_raw for tag in list(ds.keys())]
    ours = unshared(ds, parsed)
    assert [ds.get_item(tag).is_raw for tag in list(ds.keys())] == raw
    assert ours.original_encoding == ds.original_encoding
    assert plain(ours) == plain(ds)


def test_changes_of_a_copy_stay_there() -> None:
    ds = image()
    ours = unshared(ds)
    ours.ModalityLUTSequence[0].LUTData = b"zz"
    ours.ModalityLUTSequence.append(Dataset())
    ours.PixelData = b"x"
    assert ds == image()

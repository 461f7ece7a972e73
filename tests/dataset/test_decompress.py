"""Decompression against the uncompressed twins that pydicom ships."""

from __future__ import annotations

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from dicomwire.dataset.decompress import decompressed
from dicomwire.dataset.errors import DataSetError


def shipped(name: str) -> str:
    return str(get_testdata_file(name, download=False))


def test_pixel_data_is_what_it_was_before_compression() -> None:
    ours = decompressed(dcmread(shipped("MR_small_RLE.dcm")))
    assert ours.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert ours.PixelData == dcmread(shipped("MR_small.dcm")).PixelData


def test_the_original_and_its_uid_stay() -> None:
    original = dcmread(shipped("MR_small_RLE.dcm"))
    pixels, uid = original.PixelData, original.SOPInstanceUID
    ours = decompressed(original)
    assert (original.PixelData, original.file_meta.TransferSyntaxUID) == (pixels, RLELossless)
    assert ours.SOPInstanceUID == original.SOPInstanceUID == uid


def test_damaged_pixel_data_is_a_clear_error() -> None:
    damaged = dcmread(shipped("MR_small_RLE.dcm"))
    damaged.PixelData = damaged.PixelData[:100]
    with pytest.raises(DataSetError, match="RLE Lossless cannot be decompressed") as caught:
        decompressed(damaged)
    assert "dicomwire[pixels]" in caught.value.check

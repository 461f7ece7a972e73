"""The DICOM files that pydicom ships, and some that it does not, into objects to be sent."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.dataset.samples import TEST_FILES, parsed, plain

# Each has an SOP Instance UID of its own: receivers name files by it.
NAMES = """
    CT_small MR_small ExplVR_BigEnd rtplan rtdose liver_expb_1frame test-SR
    reportsi waveform_ecg examples_rgb_color examples_ybr_color examples_jpeg2k
    SC_rgb_jpeg_dcmtk SC_rgb_jpeg_gdcm SC_rgb_jpeg_dcmd GDCMJ2K_TextGBR J2K_pixelrep_mismatch
    693_J2KI JPEGLSNearLossless_08 JPEGLSNearLossless_16 SC_rgb_small_odd
    SC_rgb_small_odd_jpeg image_dfl
""".split()
# These are shipped with the SOP Instance UID of one of the others.
TWINS = "MR_small_RLE MR_small_jpeg_ls_lossless MR_small_implicit SC_rgb_rle_2frame".split()

EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
TRAILING_PADDING = 0xFFFCFFFC
UNCOMPRESSED = {EXPLICIT_LITTLE, IMPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED}


class Object(NamedTuple):
    """A DICOM file and what is in it.

    Parameters
    ----------
    path : Path
        The file.
    sop_class, instance, syntax : str
        SOP Class UID and SOP Instance UID of the data set, Transfer Syntax UID.
    data : bytes
        The data set as it is encoded in the file, with the NULL byte that makes a deflated one
        even (PS3.5 A.5).
    """

    path: Path
    sop_class: str
    instance: str
    syntax: str
    data: bytes

    def decoded(self) -> list[object]:
        """Return tags and values, in little endian byte order; nothing of group 0002."""
        return decoded(self.data, self.syntax)


def decoded(data: bytes, syntax: str) -> list[object]:
    """Return tags and values of a data set, in little endian byte order.

    Data Set Trailing Padding is left out: its value means nothing (PS3.10 7.2).
    """
    if syntax == DEFLATED:
        data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data)
    with warnings.catch_warnings(action="ignore"):  # some of the files have odd values
        ds = parsed(data, syntax)
        ds.pop(TRAILING_PADDING, None)
        return plain(ds, syntax != EXPLICIT_BIG)


def contents(objects: Iterable[Object]) -> dict[str, list[object]]:
    """Return what is in some objects, decoded, by SOP Instance UID."""
    return {each.instance: each.decoded() for each in objects}


def after_meta(raw: bytes) -> bytes:
    """Return the data set of a Part 10 file, found by the length of group 0002 alone."""
    assert raw[128:136] == b"DICM\2\0\0\0", "not a Part 10 file with a group length"
    return raw[144 + struct.unpack_from("<L", raw, 140)[0] :]


def read(path: Path) -> Object:
    """Read a Part 10 file."""
    ds = dcmread(path, stop_before_pixels=True)
    data = after_meta(path.read_bytes())
    data += bytes(len(data) % 2)
    uids = ds.SOPClassUID, ds.SOPInstanceUID, ds.file_meta.TransferSyntaxUID
    return Object(path, *map(str, uids), data)


def shipped(names: Iterable[str] = NAMES) -> list[Object]:
    """Read files that pydicom ships."""
    return [read(TEST_FILES / f"{name}.dcm") for name in names]


def renamed(names: Iterable[str], folder: Path) -> list[Object]:
    """Copy files that pydicom ships, each with a new SOP Instance UID of the same length."""
    copies = []
    for number, name in enumerate(names, 80):
        raw = (TEST_FILES / f"{name}.dcm").read_bytes()
        instance = read(TEST_FILES / f"{name}.dcm").instance
        copy = folder / f"{name}.dcm"
        copy.write_bytes(raw.replace(instance.encode(), f"{instance[:-2]}{number}".encode()))
        copies.append(read(copy))
    return copies


def write_image(
    path: Path, frames: int, rows: int, columns: int, *, number: int = 0, implicit: bool = False
) -> Object:
    """Write a nuclear medicine image of 16 bits, full of noise that is the same every time.

    Parameters
    ----------
    path : Path
        Where to write.
    frames, rows, columns : int
        Its size.
    number : int
        Told apart by: goes into the SOP Instance UID and the noise.
    implicit : bool
        Whether in Implicit VR Little Endian, rather than Explicit.
    """
    ds = Dataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.20"
    ds.SOPInstanceUID = f"2.25.{7_000_000 + number}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "2.25.71", "2.25.72"
    ds.PatientName, ds.PatientID, ds.Modality = "Wire^Noise", "W1", "NM"
    ds.StudyDate = ds.StudyTime = ds.AccessionNumber = ds.StudyID = ""
    ds.NumberOfFrames, ds.Rows, ds.Columns = frames, rows, columns
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 0
    noise = np.random.default_rng(number).integers(0, 1 << 16, frames * rows * columns, np.uint16)
    ds.PixelData = noise.tobytes()
    ds["PixelData"].VR = "OW"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    ds.save_as(path, enforce_file_format=True)
    return read(path)

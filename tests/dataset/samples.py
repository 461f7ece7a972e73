"""Files and data sets that the tests of this room share."""

from __future__ import annotations

import math
import struct
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom import DataElement, Dataset
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_dataset

TEST_FILES = Path(pydicom.__file__).parent / "data" / "test_files"

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
UNCOMPRESSED = [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN]
CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"

# Cut off on purpose, or without UIDs
DAMAGED = {
    "DICOMDIR-nooffset",
    "MR_truncated.dcm",
    "empty_charset_LEI.dcm",
    "meta_missing_tsyntax.dcm",
    "nested_priv_SQ.dcm",
    "no_meta.dcm",
    "rtplan_truncated.dcm",
}


def shipped_files() -> list[Path]:
    """Return the whole DICOM files that the installed pydicom brings."""
    found = [*TEST_FILES.glob("*.dcm"), *TEST_FILES.glob("dicomdirtests/DICOMDIR*")]
    return sorted(path for path in found if path.name not in DAMAGED)


def explicit(tag: int, vr: str, value: bytes, order: str = "<") -> bytes:
    """Return an element of explicit VR."""
    head = struct.pack(order + "HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    if vr in ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UC", "UN", "UR", "UT", "SV", "UV"):
        return head + struct.pack(order + "HL", 0, len(value)) + value
    return head + struct.pack(order + "H", len(value)) + value


def implicit(tag: int, value: bytes) -> bytes:
    """Return an element of implicit VR."""
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(value)) + value


def uids_explicit(order: str = "<") -> bytes:
    """Return SOP Class UID and SOP Instance UID 1.2.3.4 of a CT image."""
    return explicit(0x00080016, "UI", CT.encode() + b"\0", order) + explicit(
        0x00080018, "UI", b"1.2.3.4\0", order
    )


def instance_explicit(uid: str, sop_class: str = CT) -> bytes:
    """Return the four UIDs that an instance has to have."""
    uids = {0x00080016: sop_class, 0x00080018: uid, 0x0020000D: "1.2.8", 0x0020000E: "1.2.9"}
    return b"".join(
        explicit(tag, "UI", text.encode() + b"\0" * (len(text.encode()) % 2))
        for tag, text in uids.items()
    )


def part10(data_set: bytes, **meta: str) -> bytes:
    """Return a file with the given elements of group 0002 and no group length."""
    numbers = {"sop_class": 2, "instance": 3, "syntax": 0x10}
    group = b"".join(
        explicit(0x00020000 + numbers[name], "UI", uid.encode() + b"\0" * (len(uid) % 2))
        for name, uid in meta.items()
    )
    return bytes(128) + b"DICM" + group + data_set


def parsed(data: bytes, transfer_syntax: str) -> Dataset:
    """Return what pydicom, and not the code under test, reads from a data set."""
    implicit_vr = transfer_syntax == IMPLICIT
    return read_dataset(BytesIO(data), implicit_vr, transfer_syntax != BIG_ENDIAN)


def plain(ds: Dataset, little: bool = True) -> list[object]:
    """Return tags and values as Python values that can be compared, in little endian byte order.

    Elements of the retired group length are left out, and so is the VR.
    """
    return [(tag, _plain_value(ds, tag, little)) for tag in sorted(ds.keys()) if tag & 0xFFFF]


WORD_SIZES = {"AT": 2, "OW": 2, "SS": 2, "US": 2, "FL": 4, "OF": 4, "OL": 4, "SL": 4, "UL": 4}
WORD_SIZES |= {"FD": 8, "OD": 8, "OV": 8, "SV": 8, "UV": 8}


def _plain_value(ds: Dataset, tag: int, little: bool) -> object:
    item: DataElement | RawDataElement = ds.get_item(tag)
    private = tag >> 16 & 1
    if private and isinstance(item, RawDataElement) and "SQ" not in (item.VR, ds[tag].VR):
        # Private elements lose their VR on the way through implicit VR, but not their bytes
        size = 1 if little else WORD_SIZES.get(item.VR or "", 1)
        return reversed_words(item.value or b"", size) or None
    vr, value = ds[tag].VR, ds[tag].value
    if vr == "SQ":
        return [plain(nested, little) for nested in value or []]
    if isinstance(value, bytes):
        return value if little else reversed_words(value, WORD_SIZES.get(vr, 1))
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return value or None


def reversed_words(value: bytes, size: int) -> bytes:
    """Return a value with each word of `size` bytes reversed."""
    whole = len(value) // size * size
    swapped = bytearray(whole)
    for place in range(size):
        swapped[place::size] = value[size - 1 - place : whole : size]
    return bytes(swapped) + value[whole:][::-1]

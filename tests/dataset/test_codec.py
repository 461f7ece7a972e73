"""pydicom data sets to bytes and back in every transfer syntax."""

from __future__ import annotations

import contextlib
import copy
import io
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from dicomwire.dataset.codec import decode, encode
from dicomwire.dataset.errors import DataSetError, UndecodableDataSet
from dicomwire.protocol.limits import Limits
from tests.dataset.samples import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG_BASELINE,
    TEST_FILES,
    UNCOMPRESSED,
    explicit,
    parsed,
    plain,
    shipped_files,
)
from tests.examples import examples


def query() -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.QueryRetrieveLevel = "STUDY"
    ds.PatientName = "Müller^Zoë"
    ds.StudyDate = ""
    ds.NumberOfStudyRelatedInstances = 17
    item = Dataset()
    item.CodeValue = "T-1"
    item.ReferencedFrameNumber = [1, 2]
    ds.ProcedureCodeSequence = [item]
    ds.SmallestImagePixelValue = 3
    ds.PixelRepresentation = 0
    return ds


@pytest.mark.parametrize("syntax", UNCOMPRESSED)
def test_round_trip(syntax: str) -> None:
    data = encode(query(), syntax)
    back = decode(data, syntax)
    assert plain(back) == plain(query())
    assert back.PatientName == "Müller^Zoë"
    assert back.original_encoding == (syntax == IMPLICIT, syntax != BIG_ENDIAN)
    assert encode(back, syntax) == data


@pytest.mark.parametrize("syntax", UNCOMPRESSED)
def test_encoding_changes_nothing_in_the_data_set(syntax: str) -> None:
    ds = query()
    before = copy.deepcopy(ds)
    encode(ds, syntax)
    assert ds == before
    assert ds["SmallestImagePixelValue"].VR == "US or SS"
    assert ds.original_encoding == (None, None)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, io.BytesIO])
def test_decode_takes_bytes_of_any_kind(kind: Callable[[bytes], bytes]) -> None:
    assert plain(decode(kind(encode(query(), EXPLICIT)), EXPLICIT)) == plain(query())


def test_empty_data_set() -> None:
    for syntax in UNCOMPRESSED:
        assert len(decode(encode(Dataset(), syntax), syntax)) == 0
    assert encode(Dataset(), EXPLICIT) == b""


def test_deflated_is_even_and_bounded() -> None:
    data = encode(query(), DEFLATED)
    assert len(data) % 2 == 0
    with pytest.raises(DataSetError, match="longer than allowed"):
        decode(data, DEFLATED, Limits(inflated=10))


def test_a_bomb_is_not_inflated() -> None:
    """F20: its deflated bytes are few, and nobody has to have room for the others."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    value = bytes(8 << 20)
    plain = b"\xe0\x7f\x10\0OW\0\0" + len(value).to_bytes(4, "little") + value
    bomb = deflater.compress(plain) + deflater.flush()
    with pytest.raises(DataSetError, match="grows to more than 200 times") as found:
        decode(bomb, DEFLATED)
    assert "Limits.inflated_ratio" in found.value.check
    assert len(decode(bomb, DEFLATED, Limits(inflated_ratio=2000)).PixelData) == len(value)
    with pytest.raises(DataSetError, match="longer than allowed"):
        decode(bomb, DEFLATED, Limits(inflated_ratio=2000, inflated=8 << 20))
    assert len(decode(bomb, DEFLATED, Limits(memory=9 << 20)).PixelData) == len(value)


def test_a_file_stays_as_it_was() -> None:
    path = TEST_FILES / "MR_small.dcm"
    with path.open("rb") as file:
        content = file.read()
    ds = dcmread(path)
    assert content.endswith(encode(ds, EXPLICIT))


@pytest.mark.parametrize("target", [IMPLICIT, EXPLICIT, DEFLATED])
def test_values_of_the_other_byte_order_are_swapped(target: str) -> None:
    big = dcmread(TEST_FILES / "MR_small_bigendian.dcm")
    little = dcmread(TEST_FILES / "MR_small.dcm")
    del little[0xFFFCFFFC]  # padding, which the other file does not have
    assert plain(decode(encode(big, target), target)) == plain(
        decode(encode(little, target), target)
    )
    assert decode(encode(little, BIG_ENDIAN), BIG_ENDIAN).PixelData == big.PixelData
    assert encode(decode(encode(little, BIG_ENDIAN), BIG_ENDIAN), EXPLICIT) == encode(
        little, EXPLICIT
    )


def test_the_file_meta_information_tells_the_byte_order() -> None:
    ds = dcmread(TEST_FILES / "MR_small_bigendian.dcm")
    ds.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    ds.PixelData = dcmread(TEST_FILES / "MR_small.dcm").PixelData
    assert decode(encode(ds, EXPLICIT), EXPLICIT).PixelData == ds.PixelData


def test_compressed_pixel_data_pass() -> None:
    ds = dcmread(TEST_FILES / "SC_rgb_jpeg_dcmtk.dcm")
    data = encode(ds, JPEG_BASELINE)
    assert decode(data, JPEG_BASELINE).PixelData == ds.PixelData
    fresh = Dataset()
    fresh.PixelData = encapsulate([b"\xff\xd8\xff\xd9"])
    assert b"\xfe\xff\xdd\xe0" in encode(fresh, JPEG_BASELINE)
    assert not fresh["PixelData"].is_undefined_length


@pytest.mark.parametrize("syntax", UNCOMPRESSED)
def test_compressed_pixel_data_in_an_uncompressed_syntax(syntax: str) -> None:
    ds = dcmread(TEST_FILES / "SC_rgb_jpeg_dcmtk.dcm")
    with pytest.raises(DataSetError, match=r"compressed pixel data") as caught:
        encode(ds, syntax)
    assert "decompress()" in caught.value.check


def test_native_pixel_data_in_a_compressed_syntax() -> None:
    ds = dcmread(TEST_FILES / "MR_small.dcm")
    with pytest.raises(DataSetError, match="encapsulated"):
        encode(ds, JPEG_BASELINE)


@pytest.mark.parametrize("tag", [0x00000002, 0x00020010])
def test_groups_that_are_no_part_of_a_data_set(tag: int) -> None:
    ds = Dataset()
    ds.add_new(tag, "UI", "1.2")
    with pytest.raises(DataSetError, match=r"\(000[02],00"):
        encode(ds, IMPLICIT)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [(0x00280010, "US", "a"), (0x00280010, "US", 70_000), (0x00080020, "XX", "1")],
)
def test_values_that_cannot_be_encoded(tag: int, vr: str, value: object) -> None:
    ds = Dataset()
    ds.add_new(tag, vr, value)
    with pytest.raises(DataSetError, match="cannot be encoded"):
        encode(ds, EXPLICIT)


@pytest.mark.parametrize("cut", [1, 7, 100])
def test_data_set_that_ends_early(cut: int) -> None:
    data = explicit(0x00100010, "PN", b"A^B ") + explicit(0x7FE00010, "OB", bytes(200))
    with pytest.raises(DataSetError, match=r"ends early, inside \(7FE0,0010\)"):
        decode(data[:-cut], EXPLICIT)


@pytest.mark.parametrize(
    ("data", "syntax"),
    [
        (b"\x08\0\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff", EXPLICIT),
        (b"\x10\0", IMPLICIT),
        (b"\xff" * 9, DEFLATED),
    ],
)
def test_garbage(data: bytes, syntax: str) -> None:
    with pytest.raises(DataSetError):
        decode(data, syntax)


@examples(100)
@given(st.binary(max_size=200), st.sampled_from(UNCOMPRESSED))
@pytest.mark.filterwarnings("ignore")
def test_any_bytes_give_a_data_set_or_the_error(data: bytes, syntax: str) -> None:
    with contextlib.suppress(DataSetError):
        decode(data, syntax)


# A number of one byte: pydicom has an error of its own for that, which is none of Python's.
ODD = explicit(0x00280010, "US", b"\5")


@pytest.mark.filterwarnings("ignore:Expected implicit VR")
def test_a_number_that_is_cut_where_decoding_needs_it() -> None:
    with pytest.raises(UndecodableDataSet, match="multiple of bytes per value"):
        decode(explicit(0x00080005, "US", b"\0"), IMPLICIT)


def test_a_number_that_is_cut_where_encoding_needs_it() -> None:
    ds = decode(ODD, EXPLICIT)
    with pytest.raises(DataSetError, match="multiple of bytes per value"):
        encode(ds, BIG_ENDIAN)


@pytest.mark.parametrize("path", shipped_files(), ids=lambda path: path.name)
@pytest.mark.filterwarnings("ignore")
def test_shipped_files(path: Path) -> None:
    ds = dcmread(path, force=True)
    syntax = ds.file_meta.get("TransferSyntaxUID", EXPLICIT if "No" in path.name else IMPLICIT)
    if "BigEndNoMeta" in path.name:
        syntax = BIG_ENDIAN
    data = encode(ds, syntax)
    assert plain(parsed(data, syntax) if syntax != DEFLATED else decode(data, syntax)) == plain(ds)


def test_pydicom_is_loaded_only_when_needed() -> None:
    import subprocess

    code = (
        "import sys, dicomwire.dataset.part10, dicomwire.dataset.streams, dicomwire.dataset.sinks,"
        "dicomwire.dataset.choice, dicomwire.dataset.codec, dicomwire.dataset.convert;"
        "sys.exit('pydicom' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

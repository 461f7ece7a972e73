"""Whole files from each uncompressed transfer syntax to each other and back."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from dicomwire.dataset.codec import decode, encode
from dicomwire.dataset.convert import convert_dataset, convert_file
from dicomwire.dataset.errors import DataSetError, UnreadableFile
from dicomwire.dataset.part10 import FileHeader, encode_file_meta, read_header, read_header_from
from tests.dataset.samples import (
    BIG_ENDIAN,
    CT,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG_BASELINE,
    MR,
    TEST_FILES,
    UNCOMPRESSED,
    explicit,
    parsed,
    plain,
    shipped_files,
)

pytestmark = pytest.mark.filterwarnings("ignore")


def uncompressed_files() -> list[FileHeader]:
    found = []
    for path in shipped_files():
        try:
            header = read_header(path)
        except DataSetError:
            continue
        if header.transfer_syntax_uid in UNCOMPRESSED:
            found.append(header)
    return found


def converted(header: FileHeader, target: str) -> bytes:
    with convert_file(header, target) as stream:
        data = b"".join(bytes(chunk) for chunk in stream.chunks())
        assert stream.length == len(data)
    return data


def values(data: bytes, syntax: str) -> list[object]:
    ds = decode(data, syntax) if syntax == DEFLATED else parsed(data, syntax)
    return plain(ds, syntax != BIG_ENDIAN)


def assert_same(one: bytes, its_syntax: str, other: bytes, syntax: str) -> None:
    """Compare data sets: what has the same bytes has the same values, and is not parsed."""
    if its_syntax != syntax or one != other:
        assert values(one, its_syntax) == values(other, syntax)


@pytest.mark.parametrize("target", UNCOMPRESSED)
@pytest.mark.parametrize("header", uncompressed_files(), ids=lambda header: header.path.name)
def test_every_file_there_and_back(header: FileHeader, target: str, tmp_path: Path) -> None:
    source = header.transfer_syntax_uid
    original = header.path.read_bytes()[header.offset :]
    there = converted(header, target)
    assert_same(there, target, original, source)

    path = tmp_path / "there.dcm"
    path.write_bytes(encode_file_meta(CT, "1.2.3", target, "1.2.4", "") + there)
    assert_same(converted(read_header(path), source), source, original, source)


MR_SMALL = ["MR_small_bigendian.dcm", "MR_small_implicit.dcm", "MR_small_expb.dcm"]


@pytest.mark.parametrize("target", UNCOMPRESSED)
@pytest.mark.parametrize("name", MR_SMALL)
def test_the_same_image_from_other_software(name: str, target: str) -> None:
    ours = values(converted(read_header(TEST_FILES / name), target), target)
    reference = plain(dcmread(TEST_FILES / "MR_small.dcm"))
    padding = 0xFFFCFFFC
    assert [v for v in ours if v[0] != padding] == [v for v in reference if v[0] != padding]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("liver_1frame.dcm", "liver_expb_1frame.dcm"),
        ("SC_rgb_small_odd.dcm", "SC_rgb_small_odd_big_endian.dcm"),
    ],
)
def test_big_endian_twins(one: str, other: str) -> None:
    twins = [dict(values_of(name)) for name in (one, other)]
    assert twins[0] == twins[1]


def values_of(name: str) -> list[object]:
    return values(converted(read_header(TEST_FILES / name), EXPLICIT), EXPLICIT)


def test_the_same_syntax_is_the_file_itself() -> None:
    header = read_header(TEST_FILES / "CT_small.dcm")
    assert converted(header, EXPLICIT) == header.path.read_bytes()[header.offset :]


def test_compressed_is_not_converted() -> None:
    header = read_header(TEST_FILES / "SC_rgb_jpeg_dcmtk.dcm")
    with pytest.raises(DataSetError, match="cannot be converted to"):
        convert_file(header, EXPLICIT)
    header = read_header(TEST_FILES / "CT_small.dcm")
    with pytest.raises(DataSetError, match="cannot be converted to"):
        convert_file(header, JPEG_BASELINE)


def test_damaged_file_is_refused() -> None:
    with pytest.raises(DataSetError, match="ends early"):
        convert_file(read_header(TEST_FILES / "MR_truncated.dcm"), IMPLICIT)


def test_changed_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes((TEST_FILES / "CT_small.dcm").read_bytes())
    header = read_header(path)
    path.write_bytes(path.read_bytes() + b"..")
    with pytest.raises(UnreadableFile, match="changed"):
        convert_file(header, IMPLICIT)


def test_disk_full_is_our_error(tmp_path: Path) -> None:
    path = tmp_path / "big.dcm"
    write_big(path, 3 << 20)
    with pytest.raises(DataSetError, match="cannot be converted") as caught:
        convert_file(read_header(path), IMPLICIT, directory=tmp_path / "missing")
    assert "temporary files" in caught.value.check


def write_big(path: Path, size: int) -> None:
    """Write an image of `size` bytes of pixel data, a sparse file where there are such."""
    start = encode_file_meta(CT, "1.2.3", EXPLICIT, "1.2.4", "")
    start += explicit(0x00080016, "UI", CT.encode() + b"\0")
    start += explicit(0x7FE00010, "OW", b"")[:-4] + size.to_bytes(4, "little")
    with path.open("wb") as file:
        file.write(start + b"\1\2")
        file.seek(len(start) + size - 2)
        file.write(b"\3\4")


@pytest.mark.parametrize("target", [IMPLICIT, BIG_ENDIAN, DEFLATED])
def test_memory_does_not_grow_with_the_pixel_data(tmp_path: Path, target: str) -> None:
    size = 64 << 20
    path = tmp_path / "big.dcm"
    write_big(path, size)
    header = read_header(path)
    convert_file(read_header(TEST_FILES / "MR_small.dcm"), target).close()  # what is loaded once
    tracemalloc.start()
    try:
        with convert_file(header, target, directory=tmp_path) as stream:
            last = b""
            for chunk in stream.chunks():
                last = bytes(chunk[-2:])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20
    if target != DEFLATED:
        assert stream.length > size
        assert last == (b"\4\3" if target == BIG_ENDIAN else b"\3\4")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["big.dcm"]


def test_header_without_fingerprint_converts_too() -> None:
    header = read_header(TEST_FILES / "MR_small.dcm")
    unknown = header._replace(fingerprint=None)
    assert converted(unknown, IMPLICIT) == converted(header, IMPLICIT)


# --- in memory ------------------------------------------------------------------------------


def test_dataset_of_a_big_endian_file() -> None:
    big = dcmread(TEST_FILES / "MR_small_bigendian.dcm")
    pixels = big.PixelData
    ours = convert_dataset(big, BIG_ENDIAN, EXPLICIT)
    assert big.PixelData == pixels
    assert ours.PixelData == dcmread(TEST_FILES / "MR_small.dcm").PixelData
    assert ours.original_encoding == (False, True)
    assert plain(decode(encode(ours, EXPLICIT), EXPLICIT)) == plain(ours)
    assert encode(ours, IMPLICIT) == encode(big, IMPLICIT)


@pytest.mark.parametrize("target", UNCOMPRESSED)
@pytest.mark.parametrize("header", uncompressed_files(), ids=lambda header: header.path.name)
def test_dataset_and_file_convert_alike(header: FileHeader, target: str) -> None:
    source = header.transfer_syntax_uid
    data = header.path.read_bytes()[header.offset :]
    ds = decode(data, source)
    ours = convert_dataset(ds, source, target)
    assert_same(encode(ours, target), target, converted(header, target), target)
    untouched = decode(data, source)
    tags = list(untouched.keys())
    assert list(ds.keys()) == tags
    assert all(ds.get_item(tag) == untouched.get_item(tag) for tag in tags)  # as it was read


def test_dataset_already_swapped_by_hand() -> None:
    ds = dcmread(TEST_FILES / "MR_small_bigendian.dcm")
    ds.PixelData = dcmread(TEST_FILES / "MR_small.dcm").PixelData
    ours = convert_dataset(ds, EXPLICIT, EXPLICIT)
    assert decode(encode(ours, EXPLICIT), EXPLICIT).PixelData == ds.PixelData


def test_a_dataset_with_a_number_that_is_cut_is_not_converted() -> None:
    ds = decode(explicit(0x00280010, "US", b"\5"), EXPLICIT)
    with pytest.raises(DataSetError, match="multiple of bytes per value"):
        convert_dataset(ds, EXPLICIT, BIG_ENDIAN)


def test_dataset_conversions_that_are_none() -> None:
    with pytest.raises(DataSetError, match="cannot be converted to"):
        convert_dataset(Dataset(), JPEG_BASELINE, EXPLICIT)
    broken = Dataset()
    broken.add_new(0x54001010, "OB or OW", b"ab")  # no Waveform Bits Allocated to tell which
    with pytest.raises(DataSetError, match="cannot be converted"):
        convert_dataset(broken, BIG_ENDIAN, EXPLICIT)


def test_header_of_converted_bytes() -> None:
    header = read_header(TEST_FILES / "MR_small.dcm")
    data = converted(header, IMPLICIT)
    assert read_header_from(io.BytesIO(data), "bare").sop_class_uid == MR

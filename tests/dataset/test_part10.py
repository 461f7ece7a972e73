"""Part 10 headers of good, odd and bad files."""

from __future__ import annotations

import errno
import io
import os
import struct
import zlib
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info

from dicomwire.dataset.errors import DataSetError, UnreadableFile
from dicomwire.dataset.part10 import (
    FileHeader,
    encode_file_meta,
    open_for_reading,
    read_header,
    read_header_from,
)
from tests.dataset.samples import (
    BIG_ENDIAN,
    CT,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG_BASELINE,
    MR,
    TEST_FILES,
    explicit,
    implicit,
    part10,
    shipped_files,
    uids_explicit,
)


def header_of(data: bytes) -> FileHeader:
    return read_header_from(io.BytesIO(data), "a.dcm")


UIDS_IMPLICIT = implicit(0x00080016, CT.encode() + b"\0") + implicit(0x00080018, b"1.2.3.4\0")


@pytest.mark.filterwarnings("ignore")  # some files lie about their transfer syntax
@pytest.mark.parametrize("path", shipped_files(), ids=lambda path: path.name)
def test_agrees_with_pydicom(path: Path) -> None:
    ds = dcmread(path, force=True)
    try:
        header = read_header(path)
    except DataSetError:
        assert "SOPInstanceUID" not in ds
        return
    meta = ds.file_meta
    assert header.sop_class_uid == ds.get("SOPClassUID", meta.get("MediaStorageSOPClassUID"))
    assert header.sop_instance_uid == ds.get(
        "SOPInstanceUID", meta.get("MediaStorageSOPInstanceUID")
    )
    if "TransferSyntaxUID" in meta:
        assert header.transfer_syntax_uid == meta.TransferSyntaxUID
    assert header.offset + header.length == path.stat().st_size
    content = path.read_bytes()[header.offset :]
    if header.transfer_syntax_uid == DEFLATED:
        content = zlib.decompress(content, -15)
    big = header.transfer_syntax_uid == BIG_ENDIAN
    first = struct.unpack(">H" if big else "<H", content[:2])[0]
    assert first == next(iter(ds.keys())).group


def test_one_read_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    path = TEST_FILES / "CT_small.dcm"
    with open_for_reading(path) as file:
        reads: list[int] = []

        class Counting(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                reads.append(size or 0)
                return super().read(size)

        read_header_from(Counting(file.read()), path)
    assert reads == [4096]


def test_fingerprint_tells_a_changed_file(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(part10(uids_explicit(), sop_class=CT, instance="1.2", syntax=EXPLICIT))
    before = read_header(path)
    assert before.fingerprint is not None
    os.utime(path, ns=(1, 1))
    assert read_header(path) != before
    assert read_header(path)._replace(fingerprint=before.fingerprint) == before


@pytest.mark.parametrize(
    ("data_set", "syntax"),
    [
        (UIDS_IMPLICIT, IMPLICIT),
        (uids_explicit(), EXPLICIT),
        (uids_explicit(">"), BIG_ENDIAN),
    ],
)
@pytest.mark.parametrize(
    ("sop_class", "instance"), [(MR, "1.2.3.4"), (CT, "1.9"), (CT, "1.2.3"), (CT, "1.2.3.4")]
)
def test_the_data_set_comes_before_file_meta(
    data_set: bytes, syntax: str, sop_class: str, instance: str
) -> None:
    header = header_of(part10(data_set, sop_class=sop_class, instance=instance, syntax=syntax))
    assert (header.sop_class_uid, header.sop_instance_uid) == (CT, "1.2.3.4")
    assert header.length == len(data_set)


@pytest.mark.parametrize("data_set", [explicit(0x00080060, "CS", b"MR"), bytes(9), b"\x08\0" * 9])
def test_file_meta_counts_when_the_data_set_does_not_say(data_set: bytes) -> None:
    header = header_of(part10(data_set, sop_class=MR, instance="1.9", syntax=EXPLICIT))
    assert (header.sop_class_uid, header.sop_instance_uid) == (MR, "1.9")


def test_a_uid_of_absurd_length_in_file_meta_is_passed_over() -> None:
    absurd = explicit(0x00020002, "UN", b"1" * 70_000)
    meta = absurd + explicit(0x00020003, "UI", b"1.2\0") + explicit(0x00020010, "UI", b"1.2.3\0")
    header = header_of(bytes(128) + b"DICM" + meta + uids_explicit())
    assert (header.sop_class_uid, header.sop_instance_uid) == (CT, "1.2.3.4")


@pytest.mark.parametrize("stated", [0, 4, 0xFFFFFFFF])
def test_wrong_group_length_is_not_believed(stated: int) -> None:
    good = part10(uids_explicit(), sop_class=CT, instance="1.2", syntax=EXPLICIT)
    group_length = explicit(0x00020000, "UL", struct.pack("<L", stated))
    header = header_of(good[:132] + group_length + good[132:])
    assert (header.sop_instance_uid, header.length) == ("1.2.3.4", len(uids_explicit()))


def test_no_preamble() -> None:
    whole = part10(uids_explicit(), sop_class=CT, instance="1.2", syntax=EXPLICIT)
    assert header_of(whole[132:]).offset == len(whole) - 132 - len(uids_explicit())


@pytest.mark.parametrize(
    ("data_set", "syntax"),
    [
        (UIDS_IMPLICIT, IMPLICIT),
        (uids_explicit(), EXPLICIT),
        (uids_explicit(">"), BIG_ENDIAN),
    ],
)
@pytest.mark.parametrize("start", [b"", bytes(128) + b"DICM"], ids=["bare", "preamble only"])
def test_bare_data_set_is_recognised(data_set: bytes, syntax: str, start: bytes) -> None:
    header = header_of(start + data_set)
    assert header.transfer_syntax_uid == syntax
    assert header.sop_class_uid == CT
    assert header.sop_instance_uid == "1.2.3.4"
    assert header.offset == len(start)


def deflated(data: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(data) + squeeze.flush()


@pytest.mark.parametrize(
    ("data_set", "syntax"),
    [
        (UIDS_IMPLICIT, IMPLICIT),
        (uids_explicit(), EXPLICIT),
        (uids_explicit(), JPEG_BASELINE),
        (uids_explicit(">"), BIG_ENDIAN),
        (deflated(uids_explicit()), DEFLATED),
        (deflated(uids_explicit() + os.urandom(20_000)), DEFLATED),
    ],
)
def test_uids_come_from_the_data_set_when_file_meta_has_none(data_set: bytes, syntax: str) -> None:
    header = header_of(part10(data_set, syntax=syntax))
    assert (header.sop_class_uid, header.sop_instance_uid) == (CT, "1.2.3.4")


@pytest.mark.parametrize("length", [100, 70_000])
def test_uids_behind_other_elements_and_sequences(length: int) -> None:
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + explicit(0x00080100, "SH", b"de")
    item += b"\xfe\xff\x0d\xe0" + bytes(4)
    sequence = b"\x08\x00\x06\x00SQ\0\0\xff\xff\xff\xff" + item + b"\xfe\xff\xdd\xe0" + bytes(4)
    before = explicit(0x00080001, "UN", bytes(length)) + sequence
    header = header_of(part10(before + uids_explicit(), syntax=EXPLICIT))
    assert header.sop_instance_uid == "1.2.3.4"


def test_more_is_read_when_file_meta_is_long() -> None:
    long = explicit(0x00020102, "OB", bytes(5000))
    good = part10(uids_explicit(), syntax=EXPLICIT, sop_class=CT, instance="1.2")
    header = header_of(good[:132] + long + good[132:])
    assert (header.sop_instance_uid, header.length) == ("1.2.3.4", len(uids_explicit()))


@pytest.mark.parametrize("missing", ["Class", "Instance"])
def test_missing_uid(missing: str) -> None:
    number = 0x00080016 if missing == "Instance" else 0x00080018
    data = part10(explicit(number, "UI", b"1.2\0"), syntax=EXPLICIT)
    with pytest.raises(DataSetError, match=f"no SOP {missing} UID"):
        header_of(data)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (b"hello", "is not a DICOM file"),
        (b"The quick brown fox " * 500, "is not a DICOM file"),
        (bytes(5000), "is not a DICOM file"),
        (b"\x08\0\x05\0\xff\xff\xff\x7f" + bytes(100), "is not a DICOM file"),
        (part10(b"", syntax=EXPLICIT, sop_class=CT, instance="1.2"), "ends before its data set"),
        (part10(b"", syntax=EXPLICIT)[:-4], "ends before its data set"),
        (part10(b"", syntax=EXPLICIT)[:134], "ends or goes astray"),
        (part10(bytes(99), sop_class=CT), "states no transfer syntax"),
        (part10(bytes(99), syntax="1.2é"), "other characters than ASCII"),
    ],
)
def test_no_dicom_file(data: bytes, what: str) -> None:
    with pytest.raises(UnreadableFile, match=what) as caught:
        header_of(data)
    assert caught.value.path == Path("a.dcm")
    assert caught.value.check


@pytest.mark.parametrize("size", [1, 8, 40, 100])
def test_garbage_after_a_good_start_is_an_error_we_know(size: int) -> None:
    good = part10(uids_explicit(), syntax=EXPLICIT)
    for cut in range(len(good) - 5):
        with pytest.raises((UnreadableFile, DataSetError)):
            header_of(good[:cut] + b"\xa5" * size)


def test_missing_directory_and_forbidden(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="cannot be opened: No such file"):
        read_header(tmp_path / "none")
    with pytest.raises(UnreadableFile, match="is a directory"):
        read_header(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo") or os.name == "nt", reason="needs POSIX")
def test_not_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(UnreadableFile, match="is not a regular file"):
            read_header(path)


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.dcm"

    def refuse(*_: object) -> int:  # root, as whom CI may run, may read everything
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UnreadableFile, match="cannot be opened: Permission denied"):
        read_header(path)


META = (CT, "1.2.3.44", EXPLICIT, "1.2.826.0.1.3680043.1", "DICOMWIRE_01")


def test_encoded_file_meta_is_what_pydicom_writes() -> None:
    ours = encode_file_meta(*META)
    ds = dcmread(io.BytesIO(ours))
    out = DicomBytesIO()
    write_file_meta_info(out, ds.file_meta, enforce_standard=True)
    assert ours == bytes(128) + b"DICM" + out.getvalue()
    assert ds.file_meta.MediaStorageSOPClassUID == CT
    assert ds.file_meta.MediaStorageSOPInstanceUID == "1.2.3.44"
    assert ds.file_meta.TransferSyntaxUID == EXPLICIT
    assert ds.file_meta.ImplementationClassUID == "1.2.826.0.1.3680043.1"
    assert ds.file_meta.ImplementationVersionName == "DICOMWIRE_01"
    assert ds.file_meta.FileMetaInformationVersion == b"\0\1"


def test_encoded_file_meta_without_or_with_odd_version_name() -> None:
    assert "ImplementationVersionName" not in dcmread(io.BytesIO(encode_file_meta(*META[:4], "")))
    odd = encode_file_meta(*META[:4], "ODD")
    assert odd.endswith(b"SH\x04\x00ODD ")


def test_file_meta_round_trip() -> None:
    header = header_of(encode_file_meta(*META) + explicit(0x00080060, "CS", b"CT"))
    assert (header.sop_class_uid, header.sop_instance_uid) == META[:2]
    assert header.transfer_syntax_uid == EXPLICIT


@pytest.mark.parametrize("uid", ["1.2.é", "1" * 70_000])
def test_file_meta_that_cannot_be_encoded(uid: str) -> None:
    with pytest.raises(DataSetError, match="cannot be encoded"):
        encode_file_meta(CT, uid, EXPLICIT, "1.2", "X")

"""Data sets through encode, decode, split and the lines that are printed of them."""

from __future__ import annotations

import logging
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file

from dicomwire.compat import dsutils

HOWS = [(True, True, False), (False, True, False), (False, True, True), (False, False, False)]


@pytest.mark.parametrize("how", HOWS)
def test_what_was_encoded_is_decoded(how: tuple[bool, bool, bool]) -> None:
    ds = dcmread(get_testdata_file("CT_small.dcm"))
    encoded = dsutils.encode(ds, *how)
    assert encoded is not None
    again = dsutils.decode(BytesIO(encoded), *how)
    assert (again.PatientName, again.Rows) == (ds.PatientName, ds.Rows)
    assert again.PixelData[:2] == (ds.PixelData[1::-1] if not how[1] else ds.PixelData[:2])


def test_compressed_pixel_data_stay_as_they_are() -> None:
    ds = dcmread(get_testdata_file("JPEG2000.dcm"))
    encoded = dsutils.encode(ds, False, True)
    assert encoded is not None
    assert dsutils.decode(BytesIO(encoded), False, True).PixelData == ds.PixelData


def test_what_cannot_be_encoded_is_none_and_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    ds = Dataset()
    ds.add_new(0x00080018, "UI", "1.2")
    ds["SOPInstanceUID"].VR = "US"
    with caplog.at_level(logging.ERROR, "dicomwire.dsutils"):
        assert dsutils.encode(ds, True, True) is None
    assert [record.name for record in caplog.records] == ["dicomwire.dsutils"]


def test_decoding_says_how_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "dicomwire.dsutils"):
        dsutils.decode(BytesIO(), True, True)
    assert caplog.messages == ['pydicom.read_dataset() TransferSyntax="Implicit VR Little Endian"']


def test_file_meta_information_is_made_and_encoded() -> None:
    meta = dsutils.create_file_meta(
        sop_class_uid="1.2", sop_instance_uid="1.3", transfer_syntax="1.2.840.10008.1.2"
    )
    assert (meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID) == ("1.2", "1.3")
    encoded = dsutils.encode_file_meta(meta)
    assert encoded[:8] == b"\x02\x00\x00\x00UL\x04\x00"
    assert int.from_bytes(encoded[8:12], "little") == len(encoded) - 12


def test_a_file_is_split_into_meta_and_offset() -> None:
    path = get_testdata_file("CT_small.dcm")
    meta, offset = dsutils.split_dataset(path)
    assert meta.MediaStorageSOPClassUID.name == "CT Image Storage"
    with Path(path).open("rb") as file:
        file.seek(offset)
        rest = dsutils.decode(BytesIO(file.read()), False, True)
    assert rest.PatientID == dcmread(path).PatientID


def test_elements_are_lines() -> None:
    ds = Dataset()
    ds.ImageType = ["A", "B"]
    ds.PatientName = "A^B"
    ds.PatientID = ""
    ds.Rows = 12
    ds.FrameIncrementPointer = [0x00080008]
    ds.SOPClassUID = "1.2.840.10008.1.1"
    ds.add_new(0x00091001, "OB", b"0" * 14)
    ds.add_new(0x00091002, "OB", b"\x01\xff")
    assert dsutils.pretty_dataset(ds) == [
        r"(0008,0008) CS [A\B]                                    # 2 ImageType",
        "(0008,0016) UI [1.2.840.10008.1.1]                      # 1 SOPClassUID",
        "(0009,1001) OB (14 bytes of binary data)                # 1 ",
        "(0009,1002) OB [01 FF]                                  # 1 ",
        "(0010,0010) PN [A^B]                                    # 1 PatientName",
        "(0010,0020) LO (no value available)                     # 0 PatientID",
        "(0028,0009) AT [(0008,0008)]                            # 1 FrameIncrementPointer",
        "(0028,0010) US [12]                                     # 1 Rows",
    ]


def test_items_of_sequences_are_indented() -> None:
    deep, item, ds = Dataset(), Dataset(), Dataset()
    deep.StudyID = "3"
    item.OtherPatientIDsSequence = [deep]
    ds.ReferencedStudySequence = [item]
    ds.ReferencedSeriesSequence = []
    starts = [line.split("  ")[0].rstrip() for line in dsutils.pretty_dataset(ds, 1, "..")]
    assert starts == [
        "..(0008,1110) SQ (Sequence with 1 item)",
        "....(Sequence item #1)",
        "......(0010,1002) SQ (Sequence with 1 item)",
        "........(Sequence item #1)",
        "..........(0020,0010) SH [3]",
        "..(0008,1115) SQ (Sequence with 0 items)",
    ]

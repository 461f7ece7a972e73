"""Every spelling of a key, what is none, and query files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset

from dicomwire.apps.keys import identifiers, read
from dicomwire.apps.options import WrongUse
from dicomwire.dataset.codec import encode
from tests.dataset.samples import EXPLICIT, IMPLICIT

pytestmark = [pytest.mark.no_socket, pytest.mark.filterwarnings("ignore:Invalid value")]

FILE = "1.2.840.10008.5.1.4.1.2.2.1"


def made(*keys: str) -> Dataset:
    (identifier,) = identifiers([], keys)
    return identifier


@pytest.mark.box("16.9")
@pytest.mark.parametrize(
    ("text", "keyword", "value"),
    [
        ("PatientID=X", "PatientID", "X"),
        ("0010,0020=X", "PatientID", "X"),
        ("(0010,0020)=X", "PatientID", "X"),
        ("00100020=X", "PatientID", "X"),
        ("10,20=X", "PatientID", "X"),
        ('0008,0052="PATIENT"', "QueryRetrieveLevel", "PATIENT"),
        ("PatientName=A*", "PatientName", "A*"),
        ("PatientName=A=B.C", "PatientName", "A=B.C"),
        ("PatientID", "PatientID", ""),
        ("PatientID=", "PatientID", ""),
        ('PatientID=""', "PatientID", ""),
        ('PatientID="', "PatientID", '"'),
        ("StudyDate=20260101-", "StudyDate", "20260101-"),
        ("StudyInstanceUID=1.2\\1.3", "StudyInstanceUID", ["1.2", "1.3"]),
        ("Rows=12", "Rows", 12),
        ("Rows=", "Rows", None),
        ("AcquisitionIndex=1\\2", "AcquisitionIndex", [1, 2]),
        ("SmallestImagePixelValue=3", "SmallestImagePixelValue", 3),
        ("FrameIncrementPointer=(0018,1063)", "FrameIncrementPointer", 0x00181063),
        ("BeamSequence=", "BeamSequence", []),
    ],
)
@pytest.mark.box("16.9")
def test_spellings(text: str, keyword: str, value: Any) -> None:
    identifier = made(text)
    assert [element.keyword for element in identifier] == [keyword]
    assert identifier[keyword].value == value


@pytest.mark.box("16.9")
@pytest.mark.parametrize("first", ["(0040,0100)[0]", "ScheduledProcedureStepSequence[0]"])
@pytest.mark.box("16.9")
def test_items_of_a_sequence(first: str) -> None:
    identifier = made(f"{first}.Modality=CT", f"{first}.(0040,0002)=20260131")
    (item,) = identifier.ScheduledProcedureStepSequence
    assert (item.Modality, item.ScheduledProcedureStepStartDate) == ("CT", "20260131")


def test_items_before_one_are_made() -> None:
    sequence = made("BeamSequence[1].BeamLimitingDeviceSequence[2]=").BeamSequence
    assert [len(item) for item in sequence] == [0, 1]
    assert len(sequence[1].BeamLimitingDeviceSequence) == 3


@pytest.mark.box("16.9")
def test_a_private_element_is_given_in_bytes() -> None:
    identifier = made("0011,0010=US", "0011,1001=0aFF")
    assert identifier[0x00110010].value == "US"
    assert identifier[0x00111001].value == b"\x0a\xff"


def test_a_text_beyond_ascii_goes_out_as_utf8() -> None:
    assert made("PatientName=Müller").SpecificCharacterSet == "ISO_IR 192"
    chosen = made("PatientName=Müller", "SpecificCharacterSet=ISO_IR 100")
    assert chosen.SpecificCharacterSet == "ISO_IR 100"
    assert "SpecificCharacterSet" not in made("PatientName=Muller")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PatentName=X", "PatentName is no keyword of DICOM's; is it PatientName?"),
        ("Xyzzyq=X", "Xyzzyq is no keyword of DICOM's"),
        ("0010=X", "'0010' is no tag and no keyword; give PatientID=X, 0010,0020=X or"),
        ("0010,00200=X", "is no tag and no keyword"),
        ("=X", "'' is no tag and no keyword"),
        ("BeamSequence[x]=", "is no tag and no keyword"),
        ("BeamSequence[1000]=", "items are counted from 0 to 999"),
        ("BeamSequence=X", "BeamSequence is a sequence and has no value"),
        ("BeamSequence.BeamName=X", "which item of BeamSequence? Give BeamSequence[0]"),
        ("PatientID[0]=X", "PatientID[0] is no sequence"),
        ("0002,0010=1.2", "group 0002 does not belong into a query"),
        ("0000,0002=1.2", "group 0000 does not belong into a query"),
        ("FFFE,E000=", "group FFFE does not belong into a query"),
        ("Rows=many", "Rows is of VR US: 'many' is no value of it"),
        ("NumberOfFrames=many", "NumberOfFrames is of VR IS: 'many' is no value of it"),
        ("0011,1001=xy", "0011,1001 is of VR UN: 'xy' is no value of it"),
    ],
)
def test_what_is_no_key_is_said_in_one_line(text: str, said: str) -> None:
    with pytest.raises(WrongUse) as caught:
        made(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("StudyDate=2026-01-31", True),
        ("StudyDate=20260131", False),
        ("StudyDate=2026.01.31", False),
        ("StudyDate=-20260131", False),
        ("StudyTime=1 pm", True),
        ("StudyTime=1330-143000.5", False),
        ("StudyInstanceUID=1.2.*", True),
        ("StudyInstanceUID=1.2\\1.3", False),
        ("Modality=C?", False),
    ],
)
def test_an_unusual_value_is_sent_with_a_warning(
    text: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(made(text)) == 1
    ours = [each.message for each in caplog.records if each.name == "dicomwire.apps"]
    assert len(ours) == warned


def query_file(path: Path, syntax: str | None, **values: str) -> str:
    identifier = Dataset()
    for keyword, value in values.items():
        setattr(identifier, keyword, value)
    if syntax is None:
        path.write_bytes(encode(identifier, IMPLICIT))
        return str(path)
    identifier.file_meta = FileMetaDataset()
    identifier.file_meta.TransferSyntaxUID = syntax
    identifier.file_meta.MediaStorageSOPClassUID = FILE
    identifier.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dcmwrite(path, identifier, enforce_file_format=True)
    return str(path)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, None])
def test_a_query_file_is_overridden_by_keys(tmp_path: Path, syntax: str | None) -> None:
    path = query_file(tmp_path / "q", syntax, QueryRetrieveLevel="STUDY", PatientID="X")
    (identifier,) = identifiers([path], ["PatientID=Y", "StudyDate"])
    assert {element.keyword: element.value for element in identifier} == {
        "QueryRetrieveLevel": "STUDY",
        "PatientID": "Y",
        "StudyDate": "",
    }


def test_a_query_file_without_meta_in_explicit_vr(tmp_path: Path) -> None:
    path = tmp_path / "q"
    identifier = Dataset()
    identifier.PatientID = "X"
    path.write_bytes(encode(identifier, EXPLICIT))
    assert read(str(path)) == identifier


def test_each_query_file_is_a_question(tmp_path: Path) -> None:
    paths = [query_file(tmp_path / name, EXPLICIT, PatientID=name) for name in "AB"]
    assert [each.PatientID for each in identifiers(paths, ["StudyDate"])] == ["A", "B"]


@pytest.mark.parametrize("content", [b"PatientID=X\n" * 20, bytes(range(256)), b"\x7fELF" * 99])
def test_a_file_that_is_no_query(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "q"
    path.write_bytes(content)
    with pytest.raises(
        WrongUse, match="is no DICOM file that can be read; dicomwire make makes one"
    ):
        read(str(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="cannot be read: No such file"):
        read(str(tmp_path / "q"))


def test_nothing_asked_for() -> None:
    with pytest.raises(WrongUse, match="nothing is asked for: give -k PatientID=X"):
        identifiers([], [])

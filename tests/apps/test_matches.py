"""Matches as lines, as JSON, as a table and as files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from dicomwire.apps.matches import Files, cell, columns, json_line, lines, plain, show_table
from dicomwire.dataset.codec import decode, encode
from tests.dataset.samples import EXPLICIT, explicit

pytestmark = pytest.mark.no_socket

FIND = "1.2.840.10008.5.1.4.1.2.2.1"


def match(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def worklist() -> Dataset:
    step = match(Modality="CT", ScheduledProcedureStepStartDate="20260131")
    return match(PatientID="X", ScheduledProcedureStepSequence=[step], QueryRetrieveLevel="STUDY")


def test_lines() -> None:
    assert lines(match(PatientID="X")) == [
        "(0010,0020) LO [X]                                      # 1 PatientID"
    ]


def bad_number() -> Dataset:
    data = explicit(0x00100020, "LO", b"X ") + explicit(0x00280010, "US", b"abc")
    return decode(data, EXPLICIT)


def test_a_bad_value_is_neither_an_end_of_lines_nor_of_json() -> None:
    assert lines(bad_number())[1:] == ["(0028,0010) (cannot be read)"]
    assert json.loads(json_line(bad_number()))["00100020"]["Value"] == ["X"]
    assert cell(bad_number(), (0x00280010,)) == ""
    assert cell(bad_number(), (0x00100020,)) == "X"


def test_json_is_ascii_in_one_line_and_says_that_it_is_unicode() -> None:
    sent = match(SpecificCharacterSet="ISO_IR 100", PatientName="Müller\nX")
    text = json_line(decode(encode(sent, EXPLICIT), EXPLICIT))
    assert text.isascii()
    assert "\n" not in text
    made = json.loads(text)
    assert made["00080005"] == {"vr": "CS", "Value": ["ISO_IR 192"]}
    assert made["00100010"]["Value"] == [{"Alphabetic": "Müller\nX"}]


def test_columns_are_the_keys_of_the_query() -> None:
    shown = columns(worklist())
    assert list(shown.values()) == ["PatientID", "Modality", "ScheduledProcedureStepStartDate"]
    assert [cell(worklist(), path) for path in shown] == ["X", "CT", "20260131"]
    assert [cell(match(), path) for path in shown] == ["", "", ""]


def test_a_cell_is_safe_to_print() -> None:
    one = match(PatientName="A\x1b[31m\nB", ModalitiesInStudy=["CT", "MR"], BeamSequence=[])
    assert cell(one, (0x00100010,)) == "A\\x1b[31m\\nB"
    assert cell(one, (0x00080061,)) == "CT\\MR"
    assert cell(one, (0x300A00B0,)) == "0 items"


def test_a_plain_table() -> None:
    assert plain(["ID", "Name"], [["1", "Long"], ["1234", ""]]) == [
        "ID    Name",
        "1     Long",
        "1234",
    ]


def test_a_table_that_is_no_terminals_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(match(PatientID=""), [match(PatientID="X" * 60)])
    assert capsys.readouterr().out == f"PatientID\n{'X' * 60}\n"


def test_files_are_numbered_and_can_be_read(tmp_path: Path) -> None:
    files = Files(tmp_path, FIND, 2)
    sent = match(SpecificCharacterSet="ISO_IR 100", PatientName="Müller")
    paths = [files.write(decode(encode(sent, EXPLICIT), EXPLICIT)) for _ in range(3)]
    assert paths == [tmp_path / "rsp0001.dcm", tmp_path / "rsp0002.dcm", None]
    assert sorted(tmp_path.iterdir()) == paths[:2]
    read = [dcmread(path) for path in paths[:2] if path]
    assert [each.PatientName for each in read] == ["Müller"] * 2
    assert read[0].file_meta.MediaStorageSOPClassUID == FIND
    uids = {each.file_meta.MediaStorageSOPInstanceUID for each in read}
    assert len(uids) == 2

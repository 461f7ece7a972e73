"""dump: lines, cuts, single elements, JSON, and what it says of files that are none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset

from dicomwire.apps.dumping import Dumper, text_of
from dicomwire.protocol.errors import LocalError
from tests.apps.conftest import Tool
from tests.dataset.samples import TEST_FILES
from tests.examples import SHARE

pytestmark = pytest.mark.no_socket

CT = TEST_FILES / "CT_small.dcm"


def file(path: Path, syntax: str = "1.2.840.10008.1.2.1", **elements: Any) -> Path:
    ds = Dataset()
    for name, value in elements.items():
        setattr(ds, name, value)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.save_as(path, enforce_file_format=False, implicit_vr=None, little_endian=None)
    return path


def lines(run: Any) -> list[str]:
    return [line for line in run.out.splitlines() if not line.startswith("#")]


def test_lines_like_dcmdumps(tool: Tool, tmp_path: Path) -> None:
    inner = Dataset()
    inner.Modality = "CT"
    path = file(
        tmp_path / "a",
        SOPClassUID="1.2.840.10008.5.1.4.1.1.2",
        PatientName="A^B",
        PatientID="",
        OtherPatientIDsSequence=[inner],
        Rows=3,
    )
    run = tool("dump", path)
    assert (run.code, run.lines) == (0, [])
    assert "# File meta information\n" in run.out
    assert "# Data set, Explicit VR Little Endian\n" in run.out
    assert lines(run)[1:] == [
        "(0008,0016) UI [1.2.840.10008.5.1.4.1.1.2]              #  26, 1"
        " SOPClassUID = CT Image Storage",
        "(0010,0010) PN [A^B]                                    #   4, 1 PatientName",
        "(0010,0020) LO (no value available)                     #   0, 0 PatientID",
        "(0010,1002) SQ (Sequence with explicit length)          #  18, 1 OtherPatientIDsSequence",
        "  (fffe,e000) na (Item with explicit length)              #  10, 1 Item",
        "    (0008,0060) CS [CT]                                     #   2, 1 Modality",
        "  (fffe,e00d) na (ItemDelimitationItem)                   #   0, 0 ItemDelimitationItem",
        "(fffe,e0dd) na (SequenceDelimitationItem)               #   0, 0 SequenceDelimitationItem",
        "(0028,0010) US 3                                        #   2, 1 Rows",
    ]


def test_names_are_decoded_and_controls_are_seen(tool: Tool, tmp_path: Path) -> None:
    path = file(
        tmp_path / "a",
        SpecificCharacterSet="ISO_IR 100",
        PatientName="Ä^Ö",
        PatientComments="one\r\ntwo \x1b[31m",
    )
    run = tool("dump", path)
    assert "PN [Ä^Ö] " in run.out
    assert "LT [one␍␊two ␛[31m] " in run.out


def test_an_item_may_have_a_character_set_of_its_own(tool: Tool, tmp_path: Path) -> None:
    inner = Dataset()
    inner.SpecificCharacterSet, inner.PatientName = "ISO_IR 144", "Люк"
    path = file(
        tmp_path / "a",
        SpecificCharacterSet="ISO_IR 100",
        OtherPatientIDsSequence=[inner],
        PatientComments="Ä",
    )
    run = tool("dump", path)
    assert "PN [Люк] " in run.out
    assert "LT [Ä] " in run.out


def test_a_length_that_is_a_lie_takes_no_memory(tool: Tool, tmp_path: Path) -> None:
    path = tmp_path / "a"
    element = b"\x10\0\0\x40UT\0\0" + 0xFFFFFFF0.to_bytes(4, "little")
    path.write_bytes(
        bytes(128) + b"DICM" + b"\x02\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0" + element
    )
    tracemalloc.start()
    try:
        run = tool("dump", "+L", path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 28
    finally:
        tracemalloc.stop()
    assert run.code == 3
    assert "ends early" in run.lines[0]


def test_long_values_are_cut_unless_asked_for(tool: Tool, tmp_path: Path) -> None:
    path = file(
        tmp_path / "a", PatientComments="x" * 100, BitsAllocated=16, PixelData=bytes(range(100))
    )
    short, whole = lines(tool("dump", path)), lines(tool("dump", "+L", path))
    assert [f"LT [{'x' * 60}..." in line for line in short].count(True) == 1
    assert any(line.endswith("... # 100, 1 PixelData") for line in short)
    assert any(f"LT [{'x' * 100}] # 100, 1" in line for line in whole)
    words = "\\".join(f"{n + 1:02x}{n:02x}" for n in range(0, 100, 2))
    assert whole[-1] == f"(7fe0,0010) OW {words} # 100, 1 PixelData"


def test_large_values_are_whole(tool: Tool, tmp_path: Path) -> None:
    data = bytes(range(256)) * 600
    path = file(tmp_path / "a", BitsAllocated=16, PixelData=data)
    (line,) = (each for each in lines(tool("dump", "+L", path)) if "PixelData" in each)
    words = line.split()[2].split("\\")
    assert b"".join(bytes.fromhex(each)[::-1] for each in words) == data


def test_pixel_data_that_is_not_shown_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    file(path, PatientID="X", BitsAllocated=16, PixelData=bytes(1 << 22))
    count = 0

    class Counting(BytesIO):
        def fileno(self) -> int:
            return os.open(path, os.O_RDONLY)

        def read(self, size: int | None = -1) -> bytes:
            nonlocal count
            data = super().read(size)
            count += len(data)
            return data

    monkeypatch.setattr(
        "dicomwire.apps.dumping.open_for_reading", lambda path: Counting(path.read_bytes())
    )
    shown: list[str] = []
    Dumper(shown.append).file(path)
    assert "PixelData" in shown[-1]
    assert count < 10_000


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (["PatientID"], ["0010,0020", "0010,0020", "0010,0020"]),  # wherever it is
        (["0010,0010", "0008,0060"], ["0008,0060", "0010,0010"]),
        (["OtherPatientIDsSequence[1].PatientID"], ["0010,0020"]),
        (["OtherPatientIDsSequence.TypeOfPatientID"], ["0010,0022", "0010,0022"]),
        (["TransferSyntaxUID"], ["0002,0010"]),
        (["AcquisitionNumber"], ["0020,0012"]),
        (["EchoTime"], []),
    ],
)
def test_single_elements(tool: Tool, wanted: list[str], shown: list[str]) -> None:
    run = tool("dump", *(part for each in wanted for part in ("+P", each)), CT)
    assert run.code == 0
    assert [line[1:10] for line in run.out.splitlines()] == shown


def test_a_sequence_that_is_wanted_is_shown_whole(tool: Tool) -> None:
    run = tool("dump", "+P", "OtherPatientIDsSequence", CT)
    assert [line.split()[0] for line in run.out.splitlines()].count("(0010,0020)") == 2
    assert run.out.splitlines()[-1].startswith("(fffe,e0dd)")


def test_a_folder_has_headlines_and_skips_what_is_no_dicom(tool: Tool, tmp_path: Path) -> None:
    shutil.copy(CT, tmp_path / "a.dcm")
    (tmp_path / "b.txt").write_text("no DICOM")
    run = tool("dump", "-v", tmp_path)
    assert run.code == 0
    assert run.out.startswith(f"# {tmp_path / 'a.dcm'}\n# File meta")
    assert len(run.lines) == 1
    assert "Skipped" in run.lines[0]


def test_bad_files_have_a_line_each_and_the_others_are_shown(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(CT.read_bytes()[:2000])
    (tmp_path / "b.dcm").write_bytes(b"nothing")
    (tmp_path / "c.dcm").write_bytes(b"")
    shutil.copy(CT, tmp_path / "d.dcm")
    run = tool("dump", *sorted(tmp_path.iterdir()))
    assert run.code == 3
    assert [line.partition(": ")[2].partition(": ")[0] for line in run.lines] == [
        str(tmp_path / name) for name in ("a.dcm", "b.dcm", "c.dcm")
    ]
    assert "ends early" in run.lines[0]
    assert "is not a DICOM file" in run.lines[1]
    assert "is empty" in run.lines[2]
    assert run.out.count("PatientName") == 2


@pytest.mark.parametrize("name", ["CT_small", "JPEG2000", "image_dfl", "rtplan", "priv_SQ"])
def test_a_damaged_file_is_an_error_or_is_shown(tmp_path: Path, name: str) -> None:
    whole = (TEST_FILES / f"{name}.dcm").read_bytes()
    path = tmp_path / "a"
    for number in range(0, min(len(whole), 3000), 2300 // SHARE):
        path.write_bytes(whole[:number])
        _shown(path)
        path.write_bytes(whole[:number] + bytes([whole[number] ^ 0xFF]) + whole[number + 1 :])
        _shown(path)


def _shown(path: Path) -> None:
    try:
        Dumper(len).file(path)
    except LocalError:
        return


def test_json_is_the_data_set(tool: Tool) -> None:
    run = tool("dump", "--json", "+L", CT)
    assert (run.code, run.lines) == (0, [])
    again = Dataset.from_json(run.out)
    theirs = dcmread(CT)
    assert again.PixelData == theirs.PixelData
    assert again.PatientName == theirs.PatientName
    assert again.OtherPatientIDsSequence == theirs.OtherPatientIDsSequence
    assert again.SpecificCharacterSet == "ISO_IR 192"


def test_json_says_where_long_values_are(tool: Tool) -> None:
    made = json.loads(tool("dump", "--json", CT).out)
    pixels = made["7FE00010"]
    assert pixels["vr"] == "OW"
    uri, _, place = pixels["BulkDataURI"].partition("?")
    offset, length = (int(each.partition("=")[2]) for each in place.split("&"))
    assert uri == CT.resolve().as_uri()
    assert CT.read_bytes()[offset : offset + length] == dcmread(CT).PixelData


def test_json_of_single_elements(tool: Tool) -> None:
    run = tool("dump", "--json", "+P", "PatientID", CT)
    assert json.loads(run.out) == {"00100020": {"vr": "LO", "Value": ["1CT1"]}}


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "the following arguments are required: path"),
        (["/no/such"], "there is no file or folder /no/such"),
        (["+P", "PatentName", str(CT)], "+P PatentName: PatentName is no keyword"),
        (["+T", str(CT)], "+T cannot be honoured"),
    ],
)
def test_wrong_use(tool: Tool, argv: list[str], said: str) -> None:
    run = tool("dump", *argv)
    assert (run.code, run.out) == (2, "")
    assert len(run.lines) == 1
    assert said in run.lines[0]


@pytest.mark.parametrize(
    ("value", "vr", "text"),
    [
        (b"\1\0\2\0", "US", ("1\\2", 2)),
        (b"\x18\0\x63\x10", "AT", ("(0018,1063)", 1)),
        (b"\0\0\xc0?", "FL", ("1.5", 1)),
        (b"\1", "US", ("(1 bytes are no US: 01)", 1)),
        (b"A \\B ", "LO", ("[A \\B ]", 2)),
        (b"A\\B ", "LO", ("[A\\B]", 2)),
        (b"1.2\0", "UI", ("[1.2]", 1)),
        (b"A\\B ", "ST", ("[A\\B]", 1)),
        (b"\1\2\3\4", "OL", ("04030201", 1)),
    ],
)
def test_values(value: bytes, vr: str, text: tuple[str, int]) -> None:
    assert text_of(value, vr, ("iso8859",), True) == text


def test_who_reads_may_have_had_enough(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dicomwire", "dump", "+L", str(CT), str(TEST_FILES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        read: Callable[[], bytes] = process.stdout.readline  # type: ignore[union-attr]
        assert read().startswith(b"# ")
        process.stdout.close()  # type: ignore[union-attr]
        errors = process.stderr.read()  # type: ignore[union-attr]
    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert b"Broken pipe" not in errors

"""make: text into files, back into text, and what it says of text that is wrong."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread

from dicomwire.apps.dump_text import DumpError, read_dump
from dicomwire.dataset.codec import decode
from dicomwire.network import events as evt
from tests.apps.conftest import Peer, Tool
from tests.dataset.samples import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, TEST_FILES, plain

pytestmark = pytest.mark.no_socket

PADDING = 0xFFFCFFFC  # Data Set Trailing Padding means nothing, PS3.10 7.2
QUERY = """
# keys as people write them
(0008,0005) CS [ISO_IR 100]
(0008,0052) CS [STUDY]     # 6, 1 QueryRetrieveLevel
(0010,0010) PN [Ä*]
(0010,0020)
(0028,0010) US 3\\4
(0008,1115) SQ
(fffe,e000) na
  (0008,0060) CS CT
(fffe,e00d) na
(fffe,e0dd) na
"""


def read(text: str | bytes, **settings: Any) -> Dataset:
    data = text.encode() if isinstance(text, str) else text
    return decode(read_dump(data, **settings).data, EXPLICIT)


def contents(path: Path) -> list[object]:
    ds = dcmread(path, force=True)
    for tag in list(ds.keys()):
        if not tag.element or tag == PADDING:
            del ds[tag]
    return plain(ds, ds.original_encoding[1] is not False)


WHOLE = [
    path.name
    for path in sorted(TEST_FILES.glob("*.dcm"))
    if path.name
    not in (
        "MR_truncated.dcm",
        "SC_rgb_jpeg.dcm",
        "meta_missing_tsyntax.dcm",
        "nested_priv_SQ.dcm",
        "no_meta.dcm",
        "rtplan_truncated.dcm",
    )
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WHOLE)
def test_what_dump_shows_makes_the_same_data_set(tool: Tool, tmp_path: Path, name: str) -> None:
    shown = tool("dump", "+L", TEST_FILES / name)
    assert shown.code == 0
    text = tmp_path / "x.txt"
    text.write_text(shown.out)
    run = tool("make", text, tmp_path / "x.dcm")
    assert run == (0, "", [])
    assert contents(tmp_path / "x.dcm") == contents(TEST_FILES / name)
    before = dcmread(TEST_FILES / name, force=True, specific_tags=[]).file_meta
    after = dcmread(tmp_path / "x.dcm", specific_tags=[]).file_meta
    if "TransferSyntaxUID" in before:
        assert after.TransferSyntaxUID == before.TransferSyntaxUID.strip()


def test_a_query_file(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text(QUERY)
    assert tool("make", tmp_path / "q.txt", tmp_path / "q.dcm") == (0, "", [])
    ds = dcmread(tmp_path / "q.dcm")
    assert ds.file_meta.TransferSyntaxUID == EXPLICIT
    assert ds.file_meta.MediaStorageSOPClassUID == "1.2.840.10008.5.1.4.1.2.2.1"
    assert (ds.PatientName, ds.PatientID, ds.Rows) == ("Ä*", "", [3, 4])
    assert ds["PatientName"].value.original_string == "Ä*".encode("latin-1")
    assert ds.ReferencedSeriesSequence[0].Modality == "CT"
    assert ds.SpecificCharacterSet == "ISO_IR 100"


@pytest.mark.parametrize(
    ("option", "syntax"),
    [
        ("+te", EXPLICIT),
        ("+ti", IMPLICIT),
        ("+tb", BIG_ENDIAN),
        ("+td", DEFLATED),
        ("--write-xfer-implicit", IMPLICIT),
    ],
)
def test_transfer_syntaxes(tool: Tool, tmp_path: Path, option: str, syntax: str) -> None:
    (tmp_path / "q.txt").write_text(QUERY + "(7fe0,0010) OW 0102\\0304\n")
    assert tool("make", option, tmp_path / "q.txt", tmp_path / "q.dcm").code == 0
    ds = dcmread(tmp_path / "q.dcm")
    assert ds.file_meta.TransferSyntaxUID == syntax
    assert ds.Rows == [3, 4]
    assert ds.PixelData == (b"\1\2\3\4" if syntax == BIG_ENDIAN else b"\2\1\4\3")


def test_without_file_meta_information(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text("PatientID=X\n")
    assert tool("make", "-F", tmp_path / "q.txt", tmp_path / "q.dcm").code == 0
    assert (tmp_path / "q.dcm").read_bytes() == b"\x10\0\x20\0LO\2\0X "


def test_from_standard_input(tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"PatientID=X\n")))
    assert tool("make", "-", tmp_path / "q.dcm").code == 0
    assert dcmread(tmp_path / "q.dcm").PatientID == "X"


def test_uids_are_generated(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text("StudyInstanceUID=1.2.3\nSOPInstanceUID=\n")
    arguments = tmp_path / "q.txt", tmp_path / "q.dcm"
    assert tool("make", "+Ug", *arguments).code == 0
    first = dcmread(arguments[1])
    assert first.StudyInstanceUID == "1.2.3"
    assert first.SOPInstanceUID.startswith("2.25.")
    assert first.SeriesInstanceUID.startswith("2.25.")
    assert first.file_meta.MediaStorageSOPInstanceUID == first.SOPInstanceUID
    assert tool("make", "+Ug", "+Uo", *arguments).code == 0
    assert dcmread(arguments[1]).StudyInstanceUID.startswith("2.25.")


@pytest.mark.parametrize(
    ("text", "keyword", "value"),
    [
        ("(0010,0010) PN [a] b]   # 5, 1 PatientName", "PatientName", "a] b"),
        ("(0010,0010) PN [a] # [b]", "PatientName", "a"),
        ("(0010,0010) PN [a]  \r", "PatientName", "a"),
        ("(0010,0010) [a]", "PatientName", "a"),
        ("(10,10) PN a b # c", "PatientName", "a b"),
        ("(0008,0016) UI =CTImageStorage", "SOPClassUID", "1.2.840.10008.5.1.4.1.1.2"),
        ("(0008,0016) UI =RETIRED_DetachedStudyManagementSOPClass", "SOPClassUID",
         "1.2.840.10008.3.1.2.3.1"),
        ("(0008,0016) UI =JPEGLSLossy", "SOPClassUID", "1.2.840.10008.1.2.4.81"),
        ("(0010,4000) LT [one\r\ntwo] # 9, 1 x", "PatientComments", "one\r\ntwo"),
        ("(0010,4000) LT [one␊two]", "PatientComments", "one\ntwo"),
        ("(0018,9087) FD 1.5\\-2e3", "DiffusionBValue", [1.5, -2000.0]),
        ("(0020,9165) AT (0018,1063)", "DimensionIndexPointer", 0x00181063),
        ("(0028,0106) xs 7", "SmallestImagePixelValue", 7),
        ("PatientName=Ä", "PatientName", "Ä"),
    ],
)  # fmt: skip
def test_values(text: str, keyword: str, value: object) -> None:
    ds = read(text)
    assert ds[keyword].value == value


def test_text_that_needs_one_gets_a_character_set() -> None:
    assert read("(0010,0010) PN [Ä]").SpecificCharacterSet == "ISO_IR 192"
    assert "SpecificCharacterSet" not in read("(0010,0010) PN [A]")


def test_text_that_is_no_utf8_is_as_in_the_file() -> None:
    ds = read(b"(0008,0005) CS [ISO_IR 100]\n(0010,0010) PN [\xc4]\n")
    assert ds.PatientName == "Ä"


def test_keys_with_paths_make_items() -> None:
    ds = read("ScheduledProcedureStepSequence[0].Modality=CT\nPatientID=X\nRows=3\n")
    assert ds.ScheduledProcedureStepSequence[0].Modality == "CT"
    assert (ds.PatientID, ds.Rows) == ("X", 3)


def test_words_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "pixels.raw").write_bytes(b"\1\2\3\4")
    assert read("(7fe0,0010) OW =pixels.raw", folder=tmp_path).PixelData == b"\1\2\3\4"


@pytest.mark.parametrize(("option", "length"), [("-e", 0xFFFFFFFF), ("+e", 18), (None, 18)])
def test_lengths_of_sequences(tool: Tool, tmp_path: Path, option: str | None, length: int) -> None:
    (tmp_path / "q.txt").write_text("ReferencedStudySequence[0].Modality=CT\n")
    options = [option] if option else []
    assert tool("make", "-F", *options, tmp_path / "q.txt", tmp_path / "q.dcm").code == 0
    data = (tmp_path / "q.dcm").read_bytes()
    assert int.from_bytes(data[8:12], "little") == length


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("(0010,0010) PN [A]\nnonsense", 2, 1, "here is no element"),
        ("(0010,0010) PN [A", 1, 16, "] is missing"),
        ("(0010,0010) PN [AAA...   # 100, 1 PatientName", 1, 16, "dump it with +L"),
        ("(7fe0,0010) OW 00\\11... # 100, 1 x", 1, 16, "dump it with +L"),
        ("(0028,0010) US x", 1, 16, "'x' is no number of VR US"),
        ("(0028,0010) US 70000", 1, 16, "'70000' is no number of VR US"),
        ("(0010,0010) XX [A]", 1, 13, "XX is no VR"),
        ("(0010,0010) PN [A]\n(0010,0010) PN [B]", 2, 1, "stands here twice"),
        ("(fffe,e000) na", 1, 1, "no sequence is open"),
        ("(0008,1140) SQ\n(0008,1150) UI [1]", 2, 1, "(fffe,e000) na is missing"),
        ("(0008,1140) SQ\n(fffe,e000) na", 2, 1, "(FFFE,E00D) na is missing"),
        ("(0008,0016) UI =Nothing", 1, 16, "write the UID, as in [1.2.3]"),
        ("(7fe0,0010) OW =/no/such", 1, 16, "cannot be read: No such file"),
        ("(7fe0,0010) OW =no\0such", 1, 16, "is no name of a file"),
        ("(7fe0,0010) OW 0102\\03", 1, 16, "OW has 4 digits between backslashes"),
        ("(0000,0002) UI [1]", 1, 1, "group 0000 does not belong"),
        ("PatentName=X", 1, 1, "is it PatientName?"),
        ("Rows=x", 1, 6, "'x' is no number of VR US"),
        ("(0008,0005) CS [ISO_IR 100]\n(0010,0010) PN [山]", 2, 16, "lacks"),
        ("(0008,0060) CS [" + "x" * 70000 + "]", 1, 16, "CS takes 65534 bytes"),
        ("\n".join(["(0008,1140) SQ\n(fffe,e000) na"] * 70), 129, 1, "more than 64 deep"),
    ],
)
def test_errors_say_where_and_what_to_type(text: str, line: int, column: int, said: str) -> None:
    with pytest.raises(DumpError, match=re.escape(said)) as raised:
        read(text)
    assert (raised.value.line, raised.value.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "argv", "said"),
    [
        ("x", [], "line 1, column 1: here is no element"),
        ("(7fe0,0010) OB (PixelSequence)\n(fffe,e0dd) na", [], "has compressed pixel data, but"),
        ("(7fe0,0010) OW 0000\n(0002,0010) UI =RLELossless", [], "give +te"),
        ("PatientID=X", ["+Uo"], "add +Ug"),
        ("PatientID=X", ["+ti", "+te"], "give only one of them"),
    ],
)
def test_wrong_use(tool: Tool, tmp_path: Path, text: str, argv: list[str], said: str) -> None:
    (tmp_path / "q.txt").write_text(text)
    run = tool("make", *argv, tmp_path / "q.txt", tmp_path / "q.dcm")
    assert run.code == 2
    assert len(run.lines) == 1
    assert said in run.lines[0]
    assert not (tmp_path / "q.dcm").exists()


@pytest.mark.socket
def test_a_query_file_is_what_findscu_asks_with(
    tool: Tool, tmp_path: Path, peer: Callable[..., Peer]
) -> None:
    asked: list[Dataset] = []

    def find(event: Any) -> Iterator[tuple[int, None]]:
        asked.append(event.identifier)
        yield 0, None

    (tmp_path / "q.txt").write_text(QUERY)
    tool("make", tmp_path / "q.txt", tmp_path / "q.dcm")
    standing = peer(classes=("1.2.840.10008.5.1.4.1.2.2.1",), handlers=((evt.EVT_C_FIND, find),))
    assert tool("findscu", "-S", *standing.address, tmp_path / "q.dcm").code == 0
    assert plain(asked[0]) == plain(read(QUERY))


def test_files_that_cannot_be(tool: Tool, tmp_path: Path) -> None:
    run = tool("make", "/no/such", tmp_path / "q.dcm")
    assert (run.code, len(run.lines)) == (2, 1)
    (tmp_path / "q.txt").write_text("PatientID=X")
    run = tool("make", tmp_path / "q.txt", "/no/such/folder/q.dcm")
    assert run.code == 5
    assert run.lines == ["E: /no/such/folder/q.dcm cannot be written: No such file or directory"]


def test_garbage_is_an_error_or_is_read() -> None:
    text = (TEST_FILES / "rtplan.dump").read_bytes()
    for number in range(0, min(len(text), 4000), 13):
        for changed in (text[:number], text[:number] + b"]\\(" + text[number:]):
            with suppress(DumpError):
                read_dump(changed)

"""The demonstration: that everything arrives, and that it would notice if it did not."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import dcmread

from dicomwire.apps import demo, demo_nodes
from dicomwire.apps.demo import IDENTICAL, PADDED, compare, difference
from dicomwire.dataset.part10 import FileHeader, read_header
from tests.apps.conftest import Tool, dicom_file

SOME = """CT_small.dcm JPEG2000.dcm MR_small_RLE.dcm rtplan.dcm test-SR.dcm MR_small_bigendian.dcm
    image_dfl.dcm rtdose.dcm rtstruct.dcm examples_ybr_color.dcm SC_rgb_jpeg.dcm""".split()


@pytest.mark.timeout(300)
def test_every_shipped_file_makes_the_tour(tool: Tool, tmp_path: Path) -> None:
    picture = tmp_path / "new" / "timeline.svg"
    run = tool("demo", "--picture", picture)
    assert run.code == 0, run.out
    assert run.lines == []
    for part in SOME:
        assert f"test_files/{part}" in run.out
    last = run.out.splitlines()[-1]
    good, _, total = last.split()[:3]
    refused = last.partition("; ")[2].split()[0]
    assert int(good) > 150
    assert int(good) + int(refused) == int(total)
    assert "refused: palettes/pet.dcm: it is about no patient" in run.out
    assert "left out: test_files/no_meta.dcm: is not a DICOM file" in run.out
    assert f"what happened when: {picture}" in run.out
    for lane in ("C-STORE to NEAR", "C-FIND at NEAR", "C-GET from NEAR", "C-MOVE to FAR"):
        assert lane in picture.read_text()


def two(root: Path) -> tuple[list[FileHeader], list[tuple[Path, str]]]:
    """Return two samples that an archive takes."""
    names = ("CT_small.dcm", "MR_small.dcm")
    return [read_header(root / "test_files" / name) for name in names], []


def test_a_difference_is_exit_3(
    tool: Tool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(demo, "samples", two)
    monkeypatch.setattr(demo, "difference", lambda sent, received: "differs")
    run = tool("demo", "--picture", tmp_path / "x.svg")
    assert run.code == 3
    assert "C-GET: differs" in run.out
    assert "0 of 2 objects" in run.out


@pytest.mark.parametrize(
    ("phase", "said"),
    [("_get", "C-GET: it did not arrive"), ("_fetch_moved", "C-MOVE: it did not arrive")],
)
def test_what_does_not_come_is_exit_3(
    tool: Tool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, phase: str, said: str
) -> None:
    def nothing(self: demo.Tour, *_: object) -> None:
        for path in self._inbox.iterdir():
            path.unlink()

    monkeypatch.setattr(demo, "samples", two)
    monkeypatch.setattr(demo.Tour, phase, nothing)
    run = tool("demo", "--picture", tmp_path / "x.svg")
    assert run.code == 3
    assert run.out.count(said) == 2


def test_what_is_not_found_is_exit_3(
    tool: Tool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(demo, "samples", two)
    monkeypatch.setattr(demo, "_answers", lambda *_: set())
    run = tool("demo", "--picture", tmp_path / "x.svg")
    assert (run.code, run.out.count("not found by wild card")) == (3, 2)


def test_an_archive_that_does_not_start(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_nodes.sys, "executable", "/bin/false")
    run = tool("demo")
    assert run.code == 5
    assert run.lines == ["E: qrscp did not start: see above"]


def test_orthanc_that_is_not_installed(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_nodes.shutil, "which", lambda *_, **__: None)
    run = tool("demo", "--peer", "orthanc")
    assert run.code == 5
    assert run.lines == [
        "E: Orthanc is not installed. On Debian and Ubuntu: apt-get install orthanc"
    ]


def test_a_picture_that_cannot_be_written(
    tool: Tool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(demo, "samples", two)
    run = tool("demo", "--picture", tmp_path / "file" / "x.svg")
    assert run.code == 0
    assert "cannot be written" in run.lines[0]


@pytest.mark.no_socket
def test_rounds_have_a_uid_once(tmp_path: Path) -> None:
    uids = ("1.2.1", "1.2.2", "1.2.1", "1.2.1", "1.2.3")
    headers = [read_header(dicom_file(tmp_path / str(n), uid)) for n, uid in enumerate(uids)]
    found = [[each.path.name for each in part] for part in demo.rounds(headers)]
    assert found == [["0", "1", "4"], ["2"], ["3"]]


def header(folder: Path, name: str, data: bytes = b"") -> FileHeader:
    path = dicom_file(folder / name)
    with path.open("ab") as file:
        file.write(data)
    return read_header(path)


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("sent", "received", "said"),
    [
        (b"", b"", ""),
        (b"\1", b"\1\0", ""),
        (b"\1", b"\1\1", "ends in another byte"),
        (b"\1\2", b"\1\3", "differs in the"),
        (b"\1\2", b"\1\2\0\0", "bytes instead of"),
        (b"\1\2", b"\1", "bytes instead of"),
    ],
)
def test_what_differs(tmp_path: Path, sent: bytes, received: bytes, said: str) -> None:
    assert header(tmp_path, "a").length % 2 == 0
    found = difference(header(tmp_path, "a", sent), header(tmp_path, "b", received))
    assert (said in found) if said else found == ""


@pytest.mark.no_socket
@pytest.mark.parametrize("name", ["sop_class_uid", "sop_instance_uid", "transfer_syntax_uid"])
def test_uids_count_too(tmp_path: Path, name: str) -> None:
    sent = header(tmp_path, "a")
    other = sent._replace(**{name: "1.2.9"})
    assert difference(sent, other) == f"another {name.replace('_', ' ')}: 1.2.9"


@pytest.mark.no_socket
def test_padding_is_told_apart_and_absence(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    sent = header(tmp_path, "sent", b"\1")
    name = f"{sent.sop_instance_uid}.dcm"
    assert compare(sent, folder) == "it did not arrive"
    header(folder, name, b"\1\0")
    assert compare(sent, folder) == PADDED
    header(folder, name)
    assert compare(header(tmp_path, "sent"), folder) == IDENTICAL


@pytest.mark.no_socket
def test_elements_may_be_encoded_anew(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    folder.mkdir()
    sent = read_header(demo.sample_folder() / "test_files" / "test-SR.dcm")
    copy = folder / f"{sent.sop_instance_uid}.dcm"
    ds = dcmread(sent.path)
    for name in ("ContentSequence", "ReferencedPerformedProcedureStepSequence"):
        if name in ds:
            ds[name].is_undefined_length = not ds[name].is_undefined_length
    ds.save_as(copy)
    assert compare(sent, folder, by_element=True) == demo.SAME_ELEMENTS
    assert compare(sent, folder) not in demo.GOOD
    ds.PatientName = "Somebody^Else"
    ds.save_as(copy)
    assert compare(sent, folder, by_element=True) not in demo.GOOD


@pytest.mark.no_socket
def test_what_is_left_out_has_a_reason(tmp_path: Path) -> None:
    dicom_file(tmp_path / "good")
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / "bad.dcm").write_text("hello")
    dicom_file(tmp_path / "DICOMDIR", sop_class="1.2.840.10008.1.3.10")
    headers, left_out = demo.samples(tmp_path)
    assert [each.path.name for each in headers] == ["good"]
    assert [(path.name, why) for path, why in left_out] == [
        ("DICOMDIR", "a DICOMDIR belongs to a medium, it is not sent"),
        ("bad.dcm", "is not a DICOM file"),
    ]

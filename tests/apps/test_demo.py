"""The demonstration: that everything arrives, and that it would notice if it did not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from dicomwire.apps import demo
from dicomwire.apps.demo import IDENTICAL, PADDED, compare, difference
from dicomwire.dataset.part10 import FileHeader, read_header
from tests.apps.conftest import Tool, dicom_file

SOME = """CT_small.dcm JPEG2000.dcm MR_small_RLE.dcm rtplan.dcm test-SR.dcm MR_small_bigendian.dcm
    image_dfl.dcm rtdose.dcm rtstruct.dcm examples_ybr_color.dcm SC_rgb_jpeg.dcm""".split()


def test_every_shipped_file_arrives(tool: Tool) -> None:
    run = tool("demo")
    assert run.code == 0
    assert run.lines == []
    for part in SOME:
        assert f"test_files/{part}" in run.out
    last = run.out.splitlines()[-1]
    good, _, total = last.split()[:3]
    assert (int(good) > 150, good) == (True, total)
    assert "left out: test_files/no_meta.dcm: is not a DICOM file" in run.out


def test_a_difference_is_exit_3(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    one = demo.samples(demo.sample_folder())[0][:2]
    monkeypatch.setattr(demo, "samples", lambda root: (one, []))
    monkeypatch.setattr(demo, "difference", lambda sent, received: "differs")
    run = tool("demo")
    assert run.code == 3
    assert "0 of 2 objects" in run.out


def test_a_server_that_does_not_start(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo.sys, "executable", "/bin/false")
    run = tool("demo")
    assert run.code == 5
    assert run.lines == ["E: storescp did not start: see above"]


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
    other = dataclasses.replace(sent, **{name: "1.2.9"})
    assert difference(sent, other) == f"another {name.replace('_', ' ')}: 1.2.9"


@pytest.mark.no_socket
def test_one_file_has_to_be_there_and_is_gone_then(tmp_path: Path) -> None:
    sent, folder = header(tmp_path, "sent"), tmp_path / "received"
    folder.mkdir()
    assert compare(sent, folder) == "0 files arrived"
    header(folder, "one")
    assert compare(sent, folder) == IDENTICAL
    assert list(folder.iterdir()) == []
    header(folder, "one")
    header(folder, "two")
    assert compare(sent, folder) == "2 files arrived"
    assert list(folder.iterdir()) == []


@pytest.mark.no_socket
def test_padding_is_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    sent = header(tmp_path, "sent", b"\1")
    header(folder, "one", b"\1\0")
    assert compare(sent, folder) == PADDED


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

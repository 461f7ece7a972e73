"""wlmscp: files of a folder into answers, titles, callers, and files that change."""

from __future__ import annotations

import argparse
import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from dicomwire.apps import serving, wlmscp
from dicomwire.apps.requesting import entity
from dicomwire.apps.wlmscp import granted
from dicomwire.apps.worklists import Worklists
from tests.apps.conftest import Tool

Start = Callable[..., tuple[str, int]]
TEXT = """
(0008,0005) CS [ISO_IR 100]
(0010,0010) PN [{name}]
(0010,0020) LO [{number}]
(0040,0100) SQ
(fffe,e000) na
(0008,0060) CS [CT]
(fffe,e00d) na
(fffe,e0dd) na
"""


def write(path: Path, name: str, number: str = "1") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TEXT.format(name=name, number=number))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "wl" / "a.dump", "Ärmel^Ada", "P0")
    write(tmp_path / "wl" / "b.dump", "Beta^Bert", "P1")
    return tmp_path / "wl"


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """`start("--by-title")` starts a wlmscp over `folder` in this process."""
    with ExitStack() as ends:

        def go(*argv: str) -> tuple[str, int]:
            options = ["-ba", "127.0.0.1", "-dfp", str(folder), *argv, "0"]
            args: argparse.Namespace = wlmscp.make_parser().read(options)
            ae = entity(args.ae_title, args)
            ae.require_calling_aet = args.callers
            server = serving.start(ae, args, wlmscp.contexts(args), wlmscp.handlers(args))
            assert server is not None
            ends.callback(serving.finish, ae, server, 0.0)
            return "127.0.0.1", server.server_address[1]

        yield go


def names(tool: Tool, *arguments: object) -> list[str]:
    """The names that findscu finds."""
    run = tool("findscu", "-W", "--json", "-k", "PatientID", *arguments)
    assert run.code == 0, run.lines
    found = (json.loads(line)["00100010"]["Value"][0] for line in run.out.splitlines())
    return [each["Alphabetic"] for each in found]


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (["PatientName"], ["Ärmel^Ada", "Beta^Bert"]),
        (["PatientName=b*"], ["Beta^Bert"]),
        (["PatientName=ärm*"], ["Ärmel^Ada"]),
        (["PatientName", "PatientID=P0"], ["Ärmel^Ada"]),
        (["PatientName", "ScheduledProcedureStepSequence[0].Modality=MR"], []),
    ],
)
def test_answers(tool: Tool, start: Start, keys: list[str], found: list[str]) -> None:
    arguments = [part for each in keys for part in ("-k", each)]
    assert names(tool, *start(), *arguments) == found


def test_fuzzy_names_when_negotiated(tool: Tool, start: Start) -> None:
    assert names(tool, *start(), "-k", "PatientName=Arm*") == []
    assert names(tool, "--fuzzy-names", *start(), "-k", "PatientName=Arm*") == ["Ärmel^Ada"]


def test_files_that_change_are_read_again(tool: Tool, start: Start, folder: Path) -> None:
    address = start()
    assert len(names(tool, *address, "-k", "PatientName")) == 2
    write(folder / "c.dump", "New")
    write(folder / "b.dump", "Beta^Bart")
    (folder / "a.dump").unlink()
    assert names(tool, *address, "-k", "PatientName") == ["Beta^Bart", "New"]
    tool("make", folder / "b.dump", folder / "d.wl")
    assert names(tool, *address, "-k", "PatientName=B*") == ["Beta^Bart"] * 2


def test_a_file_that_cannot_be_read_is_left_out_and_said_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "bad.wl").write_bytes(b"nothing")
    (folder / "other.xml").write_bytes(b"nothing")
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    worklists = Worklists(folder)
    with caplog.at_level(logging.ERROR, "dicomwire.apps"):
        found = [worklists.items("X"), worklists.items("X")]
    assert [len(items) for items in found] == [2, 2]
    assert found[0][0] is found[1][0]
    assert len(caplog.messages) == 1
    assert "bad.wl is no DICOM file that can be read" in caplog.messages[0]


def test_a_folder_for_each_title(tool: Tool, start: Start, folder: Path) -> None:
    write(folder / "CT1" / "x.dump", "One")
    write(folder / "CT2" / "x.dump", "Two")
    address = start("--by-title")
    assert names(tool, "-aec", "CT2", *address, "-k", "PatientName") == ["Two"]
    for title in ("CT3", "a.dump", "..", "../wl"):
        run = tool("findscu", "-W", "-k", "PatientName", "-aec", title, *address)
        assert run.code == 1
        assert "called AE title" in run.lines[0]


def test_only_those_who_may_ask_are_answered(tool: Tool, start: Start) -> None:
    address = start("--caller", "CT1", "--caller", "CT2")
    assert len(names(tool, "-aet", "CT2", *address, "-k", "PatientName")) == 2
    run = tool("findscu", "-W", "-k", "PatientName", "-aet", "CT3", *address)
    assert run.code == 1
    assert "calling AE title" in run.lines[0]


def test_echo(tool: Tool, start: Start) -> None:
    assert tool("echoscu", *start()).code == 0
    assert tool("echoscu", *start("--no-echo")).code == 1


def test_a_folder_that_goes_away(tool: Tool, start: Start, folder: Path) -> None:
    address = start()
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    run = tool("findscu", "-W", "-k", "PatientName", *address)
    assert run.code == 3
    assert "0xA700" in run.lines[-1]


@pytest.mark.no_socket
def test_an_identifier_that_cannot_be_read(folder: Path) -> None:
    keys = Dataset()
    keys[0x00280010] = RawDataElement(Tag(0x00280010), "US", 3, b"\1\2\3", 0, True, True)
    peer = SimpleNamespace(requestor=SimpleNamespace(sop_class_extended={}))
    event = SimpleNamespace(identifier=keys, message_id=1, assoc=peer)
    assert [*wlmscp.Server(Worklists(folder)).find(event)] == [(0xC000, None)]


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("proposed", "agreed"),
    [(b"", b""), (b"\1\1\1\1", b"\1\1\1\0"), (b"\1\1\0\1", b"\1\1\0\0"), (b"\1\1", b"\1\1")],
)
def test_what_is_granted(proposed: bytes, agreed: bytes) -> None:
    assert granted(proposed) == agreed


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["-dfp", "/no/such", "11112"], "there is no folder /no/such: give -dfp FOLDER"),
        ([], "the following arguments are required: port"),
        (["-cs0", "1"], "-cs0 cannot be honoured"),
        (["--caller", "", "1"], "'' is no AE title"),
    ],
)
def test_wrong_use(tool: Tool, argv: list[str], said: str) -> None:
    run = tool("wlmscp", *argv)
    assert run.code == 2
    assert len(run.lines) == 1
    assert said in run.lines[0]

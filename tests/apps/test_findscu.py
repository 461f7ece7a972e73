"""findscu against a server that finds: what it shows, writes and says, and its exit codes."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread

from dicomwire.network import events as evt
from tests.apps.conftest import Peer, Tool

MakePeer = Callable[..., Peer]

ROOT = "1.2.840.10008.5.1.4.1.2"
PATIENT, STUDY = f"{ROOT}.1.1", f"{ROOT}.2.1"
WORKLIST = "1.2.840.10008.5.1.4.31"
MODELS = (PATIENT, STUDY, WORKLIST)
LEVEL = ("-k", "QueryRetrieveLevel=PATIENT")
WAIT = 20.0


def found(*names: str) -> list[Dataset]:
    matches = []
    for name in names:
        match = Dataset()
        match.QueryRetrieveLevel = "PATIENT"
        match.PatientName = name
        matches.append(match)
    return matches


class Finder:
    """Finds the same whatever is asked for, and keeps what was."""

    def __init__(self, *names: str, last: int | Dataset = 0) -> None:
        self.asked: list[Dataset] = []
        self._names = names
        self._last = last

    def __call__(self, event: Any) -> Iterator[tuple[Any, Dataset | None]]:
        self.asked.append(event.identifier)
        for match in found(*self._names):
            if event.is_cancelled:
                yield 0xFE00, None
                return
            yield 0xFF00, match
        yield self._last, None


@pytest.fixture
def finding(peer: MakePeer) -> Callable[[Any], Peer]:
    return lambda finder: peer(classes=MODELS, handlers=((evt.EVT_C_FIND, finder),))


Finding = Callable[[Any], Peer]


@pytest.mark.box("16.6")
def test_matches_in_dcmtks_lines(tool: Tool, finding: Finding) -> None:
    standing = finding(Finder("A", "B"))
    run = tool("findscu", "-v", "-P", "-k", '(0008,0052)="PATIENT"', "-k", "PatientName=*",
               *standing.address)  # fmt: skip
    assert (run.code, run.out) == (0, "")
    assert run.lines == [
        "I: Requesting Association",
        "I: Association Accepted (Max Send PDV: 16370)",
        "I: Sending Find Request (MsgID 1)",
        "I: Request Identifiers:",
        "I: (0008,0052) CS [PATIENT]                                # 1 QueryRetrieveLevel",
        "I: (0010,0010) PN [*]                                      # 1 PatientName",
        "I: ---------------------------",
        "I: Find Response: 1 (Pending)",
        "I: (0008,0052) CS [PATIENT]                                # 1 QueryRetrieveLevel",
        "I: (0010,0010) PN [A]                                      # 1 PatientName",
        "I: ---------------------------",
        "I: Find Response: 2 (Pending)",
        "I: (0008,0052) CS [PATIENT]                                # 1 QueryRetrieveLevel",
        "I: (0010,0010) PN [B]                                      # 1 PatientName",
        "I: Received Final Find Response (Success)",
        "I: Releasing Association",
    ]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], True),
        (["-sr"], False),
        (["-q"], False),
        (["--json"], False),
        (["--table"], False),
        (["--json", "+sr"], True),
        (["--json", "-v"], True),
        (["--json", "-v", "-sr"], False),
    ],
)
def test_when_matches_are_shown_as_lines(
    tool: Tool, finding: Finding, options: list[str], shown: bool
) -> None:
    run = tool("findscu", *options, *LEVEL, *finding(Finder("A")).address)
    assert run.code == 0
    assert ("I: Find Response: 1 (Pending)" in run.lines) == shown


def test_json_is_all_that_is_on_standard_output(tool: Tool, finding: Finding) -> None:
    run = tool("findscu", "-v", "--json", *LEVEL, *finding(Finder("A^B", "C")).address)
    names = [json.loads(line)["00100010"]["Value"] for line in run.out.splitlines()]
    assert names == [[{"Alphabetic": "A^B"}], [{"Alphabetic": "C"}]]


def test_a_table_of_the_keys_asked_for(tool: Tool, finding: Finding) -> None:
    standing = finding(Finder("A^B", "C"))
    keys = ["-k", "PatientID", "-k", "PatientName"]
    run = tool("findscu", "--table", *LEVEL, *keys, *standing.address)
    assert (run.code, run.lines) == (0, [])
    assert run.out == "PatientName  PatientID\nA^B\nC\n"


@pytest.mark.parametrize("option", ["-w", "-X"])
@pytest.mark.box("16.6")
def test_matches_go_to_files(tool: Tool, finding: Finding, tmp_path: Path, option: str) -> None:
    standing = finding(Finder("A", "B", "C"))
    folder = tmp_path / "new"
    run = tool("findscu", option, "-od", folder, "-Xlo", 2, *LEVEL, *standing.address)
    assert run == (0, "", [])
    paths = sorted(folder.iterdir())
    assert [path.name for path in paths] == ["rsp0001.dcm", "rsp0002.dcm"]
    assert [dcmread(path).PatientName for path in paths] == ["A", "B"]


def test_a_folder_that_cannot_be(tool: Tool, finding: Finding, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = tool("findscu", "-w", "-od", tmp_path / "file" / "x", *LEVEL, "127.0.0.1", 1)
    assert run.code == 5
    assert len(run.lines) == 1
    assert "cannot be written to" in run.lines[0]


def test_files_are_asked_one_after_the_other(tool: Tool, finding: Finding, tmp_path: Path) -> None:
    paths = []
    for name in "AB":
        query = Dataset()
        query.QueryRetrieveLevel, query.PatientID = "PATIENT", name
        query.save_as(tmp_path / name, implicit_vr=True, little_endian=True)
        paths.append(tmp_path / name)
    finder = Finder()
    standing = finding(finder)
    run = tool("findscu", *standing.address, *paths, "-f", paths[0], "-k", "PatientName=X")
    assert run.code == 0
    assert [each.PatientID for each in finder.asked] == ["A", "B", "A"]
    assert {str(each.PatientName) for each in finder.asked} == {"X"}
    assert len(standing.proposals) == 1


@pytest.mark.box("16.6")
def test_a_worklist_query(tool: Tool, finding: Finding) -> None:
    finder = Finder()
    key = "ScheduledProcedureStepSequence[0].Modality=CT"
    run = tool("findscu", "-W", "-k", key, "-k", "PatientName", *finding(finder).address)
    assert run == (0, "", [])
    assert finder.asked[0].ScheduledProcedureStepSequence[0].Modality == "CT"


def test_cancel_after_some(tool: Tool, finding: Finding) -> None:
    cancelled = threading.Event()

    def find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        yield from ((0xFF00, match) for match in found("A", "B"))
        while not event.is_cancelled:  # it comes, or the test's time-out does
            cancelled.wait(0.01)
        yield 0xFE00, None

    run = tool("findscu", "-v", "--cancel", 2, "--json", *LEVEL, *finding(find).address)
    assert run.code == 0
    assert len(run.out.splitlines()) == 2
    assert "I: Sending Cancel Request (MsgID 1)" in run.lines
    assert any(line.startswith("I: Received Final Find Response (Cancel") for line in run.lines)


def test_ctrl_c_cancels_and_releases(tool: Tool, finding: Finding) -> None:
    ended: list[str] = []

    def find(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        yield 0xFF00, found("A")[0]
        os.kill(os.getpid(), signal.SIGINT)
        idle = threading.Event()
        while not event.is_cancelled:
            idle.wait(0.01)
        ended.append("cancelled")
        yield 0xFE00, None

    standing = finding(find)
    run = tool("findscu", "-v", *LEVEL, *standing.address)
    assert run.code == 130
    assert ended == ["cancelled"]
    assert "W: Interrupted: the peer is asked to stop; once more to stop at once" in run.lines
    assert run.lines[-1] == "I: Releasing Association"


def test_a_failure_says_what_the_peer_says(tool: Tool, finding: Finding) -> None:
    status = Dataset()
    status.Status, status.ErrorComment, status.OffendingElement = 0xA900, "no level", 0x00080052
    run = tool("findscu", *LEVEL, *finding(Finder(last=status)).address)
    assert run.code == 3
    assert len(run.lines) == 1
    for part in ("0xA900: Failure", "no level", "(0008,0052)"):
        assert part in run.lines[0]


def test_a_peer_that_aborts(tool: Tool, finding: Finding) -> None:
    def find(event: Any) -> Iterator[tuple[int, None]]:
        event.assoc.abort()
        yield 0, None

    run = tool("findscu", "-v", *LEVEL, *finding(find).address)
    assert run.code == 4
    assert "E: Association Aborted by the peer" in run.lines[-1]
    assert any("Does it know our AE title (-aet)?" in line for line in run.lines)


def test_a_peer_without_the_model(tool: Tool, peer: MakePeer) -> None:
    run = tool("findscu", "-W", "-k", "PatientID", *peer().address)
    assert run.code == 1
    assert "No accepted presentation contexts" in run.lines[0]


def test_no_connection(tool: Tool) -> None:
    assert tool("findscu", "-q", *LEVEL, "127.0.0.1", 1) == (1, "", [])


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["-k", "PatentName=X"], "is it PatientName?"),
        (["-k", "Rows=x"], "'x' is no value of it"),
        (["/no/such/file"], "/no/such/file cannot be read: No such file"),
        ([], "nothing is asked for"),
        (["-k", "PatientID", "-Xx"], "-Xx cannot be honoured: responses go to DICOM files"),
        (["-k", "PatientID", "--cancel", "0"], "'0' is not a whole number of 1 or more"),
    ],
)
def test_wrong_use(tool: Tool, argv: list[str], said: str) -> None:
    run = tool("findscu", "127.0.0.1", 104, *argv)
    assert run.code == 2
    assert len(run.lines) == 1
    assert said in run.lines[0]


def test_who_reads_may_have_had_enough(finding: Finding) -> None:
    standing = finding(Finder(*["A"] * 2000))
    command = [sys.executable, "-m", "dicomwire", "findscu", "--json", *LEVEL, *standing.address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert isinstance(process.stdout, io.BufferedReader)
        assert isinstance(process.stderr, io.BufferedReader)
        assert process.stdout.readline().startswith(b'{"00080052"')
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0

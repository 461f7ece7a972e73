"""getscu against a server with some objects: the files, the lines, the exit codes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire.apps import getscu
from dicomwire.apps.receiving import storage_contexts
from dicomwire.apps.syntaxes import UNCOMPRESSED, to_get
from dicomwire.network import events as evt
from dicomwire.standard.context_lists import CONTEXT_LISTS
from tests.apps.conftest import Tool, dicom_file
from tests.dataset.samples import EXPLICIT, IMPLICIT
from tests.peers import LOOPBACK
from tests.peers.objects import Object, contents, read
from tests.peers.queries import NM_STUDY, archive, six, study_of

MR = "1.2.840.10008.5.1.4.1.1.4"
ENCAPSULATED_STL = "1.2.840.10008.5.1.4.1.1.104.3"
STUDY = ("-S", "-k", "QueryRetrieveLevel=STUDY")


@pytest.fixture
def some(tmp_path: Path) -> list[Object]:
    return six(tmp_path / "objects")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the tool writes to."""
    return tmp_path / "received"


@pytest.fixture(autouse=True)
def _make_objects_folder(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()


def to(port: int) -> tuple[str, str]:
    return LOOPBACK, str(port)


@pytest.mark.box("16.7")
def test_a_study_in_dcmtks_lines(tool: Tool, some: list[Object], folder: Path) -> None:
    one = some[-2]
    with archive(some) as peer:
        key = f"StudyInstanceUID={study_of(one)}"
        run = tool("getscu", "-v", "-od", folder, *STUDY, "-k", key, *to(peer.port))
    assert (run.code, run.out) == (0, "")
    assert contents([read(path) for path in folder.iterdir()]) == contents([one])
    assert [path.name for path in folder.iterdir()] == [f"CT.{one.instance}"]
    assert [line for line in run.lines if "Max Send" not in line and "(00" not in line] == [
        "I: Requesting Association",
        "I: Sending Get Request (MsgID 1)",
        "I: Request Identifiers:",
        "I: Received Store Request (MsgID 2, CT)",
        f"I: Storing DICOM file: {folder}{os.sep}CT.{one.instance}",
        "I: Received Get Response 1 (Pending): "
        "0 remaining, 1 completed, 0 with a warning, 0 failed",
        "I: Received Final Get Response (Success)",
        "I: Releasing Association",
        "I: 1 received",
    ]


def test_all_with_a_name_of_their_own(tool: Tool, some: list[Object], folder: Path) -> None:
    with archive(some) as peer:
        run = tool("getscu", "-od", folder, "-fe", ".dcm", "+uf", *STUDY, *to(peer.port))
    assert (run.code, run.lines) == (0, ["I: 6 received"])
    paths = list(folder.iterdir())
    assert {path.suffix for path in paths} == {".dcm"}
    assert contents([read(path) for path in paths]) == contents(some)


@pytest.mark.box("16.7")
def test_ignore(tool: Tool, some: list[Object], folder: Path) -> None:
    with archive(some) as peer:
        run = tool("getscu", "--ignore", "-od", folder, *STUDY, *to(peer.port))
    assert (run.code, run.lines) == (0, ["I: 6 received"])
    assert not folder.exists()


def test_nothing_that_matches(tool: Tool, some: list[Object], folder: Path) -> None:
    with archive(some) as peer:
        run = tool("getscu", "-od", folder, *STUDY, "-k", "PatientID=No", *to(peer.port))
    assert run.code == 0
    assert run.lines == ["I: 0 received: the peer found nothing that matches"]


def test_questions_one_after_the_other(tool: Tool, some: list[Object], folder: Path) -> None:
    with archive(some) as peer:
        key = f"StudyInstanceUID={NM_STUDY}"
        run = tool("getscu", "--repeat", 2, "-od", folder, *STUDY, "-k", key, *to(peer.port))
    assert (run.code, run.lines) == (0, ["I: 8 received"])
    assert len(list(folder.iterdir())) == 4


def test_what_fails_is_named_and_tried_over_another_association(
    tool: Tool, some: list[Object], folder: Path, tmp_path: Path
) -> None:
    good = dicom_file(tmp_path / "good.dcm", "1.2.1", some[-2].sop_class)
    bad = dicom_file(tmp_path / "bad.dcm", "1.2.2", ENCAPSULATED_STL)
    asked: list[list[str]] = []

    def get(event: Any) -> Iterator[Any]:
        proposal = event.assoc.requestor.primitive.presentation_context_definition_list
        asked.append([str(each.abstract_syntax) for each in proposal])
        yield 2
        yield 0xFF00, good
        yield 0xFF00, bad

    with archive(some, handlers=[(evt.EVT_C_GET, get)]) as peer:
        run = tool("getscu", "-od", folder, *STUDY, *to(peer.port))
    assert run.code == 3
    assert run.lines == [
        "E: Failed: instance 1.2.2",
        "E: 1 received, 1 failed",
        f"E: {getscu.COMPRESSED}",
    ]
    assert [path.name for path in folder.iterdir()] == ["CT.1.2.1"]
    first, second = asked
    assert max(len(first), len(second)) <= 128
    assert not set(first[1:]) & set(second[1:])


def test_ctrl_c_cancels_and_releases(tool: Tool, some: list[Object], folder: Path) -> None:
    ended: list[str] = []

    def get(event: Any) -> Iterator[Any]:
        yield 2
        yield 0xFF00, some[0].path
        os.kill(os.getpid(), signal.SIGINT)
        idle = threading.Event()
        while not event.is_cancelled:
            idle.wait(0.01)
        ended.append("cancelled")
        yield 0xFE00, None

    with archive(some, handlers=[(evt.EVT_C_GET, get)]) as peer:
        run = tool("getscu", "-v", "-od", folder, *STUDY, *to(peer.port))
    assert run.code == 130
    assert ended == ["cancelled"]
    assert run.lines[-2] == "I: Releasing Association"
    assert len(list(folder.iterdir())) == 1


def test_a_peer_that_aborts(tool: Tool, some: list[Object], folder: Path) -> None:
    def get(event: Any) -> Iterator[Any]:
        yield 2
        yield 0xFF00, some[0].path
        event.assoc.abort()
        yield 0xFF00, some[1].path

    with archive(some, handlers=[(evt.EVT_C_GET, get)]) as peer:
        run = tool("getscu", "-od", folder, *STUDY, *to(peer.port))
    assert run.code == 4
    assert "Association Aborted by the peer" in run.lines[0]
    assert run.lines[-1] == "E: 1 received, 1 not tried"


def test_a_peer_without_the_model(tool: Tool, some: list[Object], folder: Path) -> None:
    with archive(some) as peer:  # which has the Study Root only
        run = tool("getscu", "-P", "-od", folder, "-k", "QueryRetrieveLevel=STUDY", *to(peer.port))
    assert run.code == 1
    assert "No presentation context for" in run.lines[0]


def test_a_failure(tool: Tool, some: list[Object], folder: Path) -> None:
    def get(event: Any) -> Iterator[Any]:
        status = Dataset()
        status.Status, status.ErrorComment = 0xA900, "no"
        yield 1
        yield status, None

    with archive(some, handlers=[(evt.EVT_C_GET, get)]) as peer:
        run = tool("getscu", "-od", folder, *STUDY, *to(peer.port))
    assert run.code == 3
    assert "0xA900: Failure" in run.lines[0]


@pytest.mark.no_socket
def test_a_folder_that_cannot_be(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = tool("getscu", "-od", tmp_path / "file" / "x", *STUDY, LOOPBACK, 1)
    assert run.code == 5
    assert "cannot be written to" in run.lines[0]


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("options", "groups"),
    [
        ([], (UNCOMPRESSED,)),
        (["+xi"], ((IMPLICIT,),)),
        (["+xb"], (("1.2.840.10008.1.2.2", EXPLICIT, IMPLICIT, "1.2.840.10008.1.2.1.99"),)),
        (["+xs"], (("1.2.840.10008.1.2.4.70",), UNCOMPRESSED)),
    ],
)
def test_transfer_syntaxes_of_the_objects(options: list[str], groups: Any) -> None:
    args = getscu.make_parser().read(["host", "104", *options])
    assert to_get(args) == groups


@pytest.mark.no_socket
@pytest.mark.box("16.7")
def test_all_storage_classes_are_proposed_the_common_ones_first() -> None:
    uids = [str(each.abstract_syntax) for each in storage_contexts(UNCOMPRESSED)]
    assert len(uids) == len(set(uids))
    assert {*CONTEXT_LISTS["AllStoragePresentationContexts"]} <= {*uids}
    assert MR in uids[:20]
    assert ENCAPSULATED_STL not in uids[:127]

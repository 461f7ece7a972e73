"""Our wlmscp, as a process, asked by every peer, and beside DCMTK's wlmscpfs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from dicomwire.sop_class import ModalityWorklistInformationFind as WORKLIST
from tests.peers import LOOPBACK, Serving, run_well, serving
from tests.peers.conftest import script
from tests.peers.orthanc import Orthanc
from tests.peers.queries import PENDING, SUCCESS, worklist_item
from tests.peers.scripts.managed import item
from tests.peers.test_tools import SOURCE, tool

Run = Callable[..., str]
TITLE = "WORKLIST"
NAMES = [
    "Alpha^Anna",
    "Beta^Bert",
    "Alpha^Adam",
    "Gamma^Gus",
    "Delta^Zoe",
]  # wlmscpfs minds their case, we do not
STEP = "(0040,0100)[0]"
SHOWN = f"-k PatientID -k {STEP}.(0040,0009) -k {STEP}.(0008,0060)"

REQUESTS = [
    f"-k PatientName {SHOWN}",
    f"-k PatientName=Alpha* {SHOWN}",
    f"-k PatientName=?eta^B* {SHOWN}",
    f"-k PatientName=Nobody {SHOWN}",
    f"-k PatientName -k PatientID=P3 -k {STEP}.(0008,0060)",
    f"-k PatientName {SHOWN.replace('(0008,0060)', '(0008,0060)=CT')}",
    f"-k PatientName {SHOWN} -k {STEP}.(0040,0001)=STATION",
    f"-k PatientName {SHOWN} -k {STEP}.(0040,0001)=OTHER",
    f"-k PatientName {SHOWN} -k {STEP}.(0040,0002)=20260102",
    f"-k PatientName {SHOWN} -k {STEP}.(0040,0002)=20260102-20260103",
    f"-k PatientName {SHOWN} -k {STEP}.(0040,0002)=20260103-",
    f"-k PatientName {SHOWN} -k {STEP}.(0040,0002)=-20260102",
    f"-k PatientName {SHOWN} -k {STEP}.(0040,0002)=20260101-20260103 -k "
    f"{STEP}.(0040,0003)=0900-0800",
]


def items(folder: Path) -> Path:
    """Write worklist files as wlmscpfs wants them: a folder for the title, with a lock file."""
    own = folder / TITLE
    own.mkdir(parents=True)
    (own / "lockfile").touch()
    for number, name in enumerate(NAMES):
        made = worklist_item(number, name)
        step = made.ScheduledProcedureStepSequence[0]
        step.Modality = "CT" if number % 2 else "MR"
        step.ScheduledProcedureStepStartDate = f"2026010{number + 1}"
        step.ScheduledProcedureStepStartTime = f"{number + 6:02}3000"
        step.ScheduledPerformingPhysicianName = ""
        made.save_as(own / f"{number}.wl", enforce_file_format=True)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the worklist."""
    return items(tmp_path / "worklist")


@contextmanager
def wlmscp(folder: Path, log: Path) -> Iterator[Serving]:
    """Run ours, until the block is left."""
    options = ["-v", "--by-title", "-dfp", folder]
    command = [*tool("wlmscp"), *options]
    with serving(lambda port: [*command, str(port)], log, **SOURCE) as server:
        yield server


def found(dcmtk: Run, folder: Path, port: int, request: str) -> list[str]:
    """Ask with DCMTK's findscu; the matches as text."""
    folder.mkdir()
    arguments = ["-W", "-X", "-od", folder, "-aec", TITLE, *request.split()]
    dcmtk("findscu", *arguments, LOOPBACK, str(port))
    return sorted(_text(path) for path in folder.iterdir())


def _text(path: Path) -> str:
    """A match without what says how it is encoded: wlmscpfs leaves the character set out."""
    return str(Dataset({each.tag: each for each in dcmread(path) if each.tag != 0x00080005}))


@pytest.mark.conformance("Modality worklist", "SCP", "DCMTK")
@pytest.mark.conformance("C-FIND", "SCP", "DCMTK")
def test_our_wlmscp_beside_wlmscpfs(
    peer_program: Callable[[str], str], dcmtk: Run, folder: Path, tmp_path: Path
) -> None:
    command = [peer_program("wlmscpfs"), "-dfr", "-dfp", folder]
    counts = []
    with (
        wlmscp(folder, tmp_path / "ours.log") as ours,
        serving(lambda port: [*command, str(port)], tmp_path / "theirs.log") as theirs,
    ):
        for number, request in enumerate(REQUESTS):
            mine = found(dcmtk, tmp_path / f"ours{number}", ours.port, request)
            other = found(dcmtk, tmp_path / f"theirs{number}", theirs.port, request)
            assert mine == other, request
            counts.append(len(mine))
    assert counts[0] == len(NAMES)
    assert 0 in counts


@pytest.mark.conformance("Modality worklist", "SCP", "pynetdicom")
@pytest.mark.conformance("C-FIND", "SCP", "pynetdicom")
def test_pynetdicom_asks_our_wlmscp(pynetdicom_here: None, folder: Path, tmp_path: Path) -> None:
    step = item(Modality="MR", ScheduledProcedureStepID="")
    keys = item(PatientName="al*", PatientID="", ScheduledProcedureStepSequence=[step])
    asked = {"ask": "find", "class": WORKLIST, "data": keys.to_json_dict()}
    wanted = json.dumps({"contexts": [WORKLIST], "private": [], "steps": [asked]})
    command = [*tool("wlmscp"), "-dfp", folder / TITLE]
    with serving(lambda port: [*command, str(port)], tmp_path / "ours.log", **SOURCE) as ours:
        asking = [*script("pynetdicom_managed_scu.py"), str(ours.port), "", wanted]
        said = json.loads(run_well(asking).splitlines()[-1])
    (answers,) = said["answers"]
    assert answers["statuses"] == [PENDING, PENDING, SUCCESS]
    matches = [Dataset.from_json(each) for each in answers["matches"]]
    assert [each.PatientID for each in matches] == ["P0", "P2"]
    assert [each.ScheduledProcedureStepSequence[0].Modality for each in matches] == ["MR", "MR"]


@pytest.mark.conformance("Modality worklist", "SCP", "Orthanc")
@pytest.mark.conformance("C-FIND", "SCP", "Orthanc")
def test_orthanc_asks_our_wlmscp(their_orthanc: Orthanc, folder: Path, tmp_path: Path) -> None:
    with wlmscp(folder, tmp_path / "ours.log") as ours:
        their_orthanc.knows("ours", ours.port, title=TITLE)
        wanted = {"PatientName": "Alpha*", "ScheduledProcedureStepSequence": [{"Modality": "MR"}]}
        matches = their_orthanc.call("POST", "/modalities/ours/find-worklist", wanted)
    assert sorted(each["PatientName"] for each in matches) == ["Alpha^Adam", "Alpha^Anna"]

"""mppsscu against a server that keeps steps: what it sends, and what it does not send."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire.apps.mppsscu import MPPS
from dicomwire.network import events as evt
from tests.apps.conftest import Peer, Tool
from tests.dataset.samples import TEST_FILES

MakePeer = Callable[..., Peer]
SCHEDULED = "ScheduledStepAttributesSequence[0].StudyInstanceUID=1.2.3"
NEW = ("-k", "Modality=CT", "-k", SCHEDULED)
SERIES = "PerformedSeriesSequence[0]"
DONE = ("-k", f"{SERIES}.SeriesInstanceUID=1.2.3.4", "-k", f"{SERIES}.ProtocolName=Head")

ITEM = """
(0008,0005) CS [ISO_IR 100]
(0008,0050) SH [A1]
(0010,0010) PN [Ärmel^Ada]
(0010,0020) LO [P1]
(0010,0030) DA [19700101]
(0020,000d) UI [1.2.3]
(0040,0100) SQ
(fffe,e000) na
(0008,0060) CS [MR]
(0040,0007) LO [Knee]
(0040,0009) SH [S1]
(fffe,e00d) na
(fffe,e0dd) na
(0040,1001) SH [R1]
"""


class Steps:
    """Keeps what is created and changed."""

    def __init__(self, status: Any = 0x0000) -> None:
        self.created: dict[str, Dataset] = {}
        self.changed: dict[str, Dataset] = {}
        self._status = status

    def create(self, event: Any) -> tuple[Any, Dataset | None]:
        self.created[str(event.request.AffectedSOPInstanceUID)] = event.attribute_list
        return self._status, None

    def set(self, event: Any) -> tuple[Any, Dataset | None]:
        self.changed[str(event.request.RequestedSOPInstanceUID)] = event.modification_list
        return self._status, None


def keeping(peer: MakePeer, steps: Steps) -> Peer:
    handlers = ((evt.EVT_N_CREATE, steps.create), (evt.EVT_N_SET, steps.set))
    return peer(classes=(MPPS,), handlers=handlers)


def test_a_new_step_is_complete_and_its_uid_is_printed(tool: Tool, peer: MakePeer) -> None:
    steps = Steps()
    run = tool("mppsscu", *NEW, "-aet", "CT1", *keeping(peer, steps).address)
    assert (run.code, run.lines) == (0, [])
    ((uid, ds),) = steps.created.items()
    assert run.out == f"{uid}\n"
    assert ds.PerformedProcedureStepStatus == "IN PROGRESS"
    assert ds.PerformedStationAETitle == "CT1"
    assert len(ds.PerformedProcedureStepStartDate) == 8
    assert ds.PerformedProcedureStepID
    assert (ds.PatientName, ds.PerformedSeriesSequence) == ("", [])
    step = ds.ScheduledStepAttributesSequence[0]
    assert (step.StudyInstanceUID, step.AccessionNumber) == ("1.2.3", "")


def test_a_worklist_item_gives_what_it_knows(tool: Tool, peer: MakePeer, tmp_path: Path) -> None:
    (tmp_path / "item.dump").write_text(ITEM)
    tool("make", tmp_path / "item.dump", tmp_path / "item.wl")
    for name in ("item.dump", "item.wl"):
        steps = Steps()
        arguments = ["-w", tmp_path / name, "--uid", "1.9", "-k", "PatientID=P2"]
        run = tool("mppsscu", *arguments, *keeping(peer, steps).address)
        assert (run.code, run.out, run.lines) == (0, "1.9\n", [])
        ds = steps.created["1.9"]
        assert (ds.PatientName, ds.PatientID, ds.Modality) == ("Ärmel^Ada", "P2", "MR")
        step = ds.ScheduledStepAttributesSequence[0]
        assert (step.StudyInstanceUID, step.AccessionNumber) == ("1.2.3", "A1")
        assert (step.RequestedProcedureID, step.ScheduledProcedureStepID) == ("R1", "S1")
        assert "ScheduledProcedureStepSequence" not in ds


def test_a_step_is_completed(tool: Tool, peer: MakePeer) -> None:
    steps = Steps()
    arguments = ["--complete", "--uid", "1.9", *DONE, "--json"]
    run = tool("mppsscu", *arguments, *keeping(peer, steps).address)
    assert (run.code, run.lines) == (0, [])
    ds = steps.changed["1.9"]
    assert ds.PerformedProcedureStepStatus == "COMPLETED"
    assert len(ds.PerformedProcedureStepEndTime) == 6
    series = ds.PerformedSeriesSequence[0]
    assert (series.ProtocolName, series.RetrieveAETitle) == ("Head", "")
    assert json.loads(run.out)["00400252"]["Value"] == ["COMPLETED"]


def test_the_series_may_come_from_its_objects(tool: Tool, peer: MakePeer) -> None:
    steps = Steps()
    objects = [part for name in ("CT_small", "rtplan")
               for part in ("--object", TEST_FILES / f"{name}.dcm")]  # fmt: skip
    more = [part for number in (0, 1)
            for part in ("-k", f"PerformedSeriesSequence[{number}].ProtocolName=X")]  # fmt: skip
    arguments = ["--complete", "--uid", "1.9", *objects, *more]
    assert tool("mppsscu", *arguments, *keeping(peer, steps).address).code == 0
    ct, plan = steps.changed["1.9"].PerformedSeriesSequence
    assert len(ct.ReferencedImageSequence) == 1
    assert len(plan.ReferencedNonImageCompositeSOPInstanceSequence) == 1
    assert ct.SeriesInstanceUID == "1.3.6.1.4.1.5962.1.3.1.1.20040119072730.12322"


def test_a_step_is_discontinued_without_a_series(tool: Tool, peer: MakePeer) -> None:
    steps = Steps()
    run = tool("mppsscu", "--discontinue", "--uid", "1.9", *keeping(peer, steps).address)
    assert (run.code, run.lines) == (0, [])
    assert steps.changed["1.9"].PerformedProcedureStepStatus == "DISCONTINUED"


def test_a_step_that_goes_on_is_changed(tool: Tool, peer: MakePeer) -> None:
    steps = Steps()
    arguments = ["--set", "--uid", "1.9", "-k", "PerformedProcedureStepDescription=X"]
    assert tool("mppsscu", *arguments, *keeping(peer, steps).address).code == 0
    assert [each.keyword for each in steps.changed["1.9"]] == ["PerformedProcedureStepDescription"]


def test_a_peer_that_refuses(tool: Tool, peer: MakePeer) -> None:
    status = Dataset()
    status.Status, status.ErrorComment = 0x0110, "is completed already"
    run = tool("mppsscu", *NEW, *keeping(peer, Steps(status)).address)
    assert (run.code, run.out) == (3, "")
    assert len(run.lines) == 1
    assert "0x0110" in run.lines[0]
    assert run.lines[0].endswith("is completed already")


def test_a_peer_without_the_service(tool: Tool, peer: MakePeer) -> None:
    assert tool("mppsscu", *NEW, *peer().address).code == 1


def test_unchecked(tool: Tool, peer: MakePeer) -> None:
    steps = Steps()
    run = tool("mppsscu", "--no-check", "-k", "PatientID=X", *keeping(peer, steps).address)
    assert run.code == 0
    assert len(steps.created) == 1


@pytest.mark.no_socket
@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "Modality is missing: give -k Modality=X"),
        (["-k", "Modality=CT"], "give -k ScheduledStepAttributesSequence[0].Study"),
        (["-k", "Modality=CT", "-k", "ScheduledStepAttributesSequence[0].StudyID=1"],
         "ScheduledStepAttributesSequence[0].StudyInstanceUID is missing"),
        ([*NEW, "-k", "PerformedProcedureStepStatus=COMPLETED"], "is IN PROGRESS here"),
        (["--complete"], "which step? Give its --uid"),
        (["--complete", "--uid", "x"], "--uid x is no UID"),
        (["--complete", "--uid", "1.2"], "give --object FOLDER"),
        (["--complete", "--uid", "1.2", "-k", f"{SERIES}.ProtocolName=X"],
         "PerformedSeriesSequence[0].SeriesInstanceUID is missing"),
        (["--discontinue", "--uid", "1.2", "-k", "PatientID=X"], "PatientID cannot be changed"),
        (["--discontinue", "--complete"], "give only one of them"),
        (["--discontinue", "--uid", "1.2", "-w", "x"], "-w is for --create"),
        (["-w", "/no/such"], "/no/such cannot be read"),
        (["--complete", "--uid", "1.2", "--object", __file__], "not all are DICOM objects"),
    ],
)  # fmt: skip
def test_wrong_use(tool: Tool, argv: list[str], said: str) -> None:
    run = tool("mppsscu", "127.0.0.1", 104, *argv)
    assert run.code == 2
    assert said in run.lines[-1]

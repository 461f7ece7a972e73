"""Query and retrieval with Orthanc: as archive that we ask, and as client through its REST API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dicomwire.protocol.errors import Released
from tests.peers import serving
from tests.peers.conftest import Start
from tests.peers.objects import Object, contents, read
from tests.peers.orthanc import SECOND_TITLE, TITLE, Orthanc
from tests.peers.ours import receiving
from tests.peers.queries import (
    NM_STUDY,
    SUCCESS,
    Counts,
    archive,
    find,
    get,
    keys,
    move,
    six,
    study_of,
)
from tests.peers.test_tools import SOURCE, tool

# One process for all of them, on one worker

NOBODY = 1  # a port that is not used: it asks for a modality to be known before it answers one


@pytest.fixture
def some(tmp_path: Path) -> list[Object]:
    """What there is to be found."""
    return six(tmp_path)


@pytest.fixture
def full(their_orthanc: Orthanc, some: list[Object]) -> Orthanc:
    """Orthanc with those objects, which lets OURS ask."""
    for each in some:
        their_orthanc.upload(each.path)
    their_orthanc.knows("ours", NOBODY)
    return their_orthanc


@pytest.mark.conformance("C-FIND", "SCU", "Orthanc")
def test_find_there(full: Orthanc, some: list[Object]) -> None:
    def ask(level: str, **wanted: str) -> list[Any]:
        return find(full.port, keys(level, **wanted), ae_title=TITLE)

    studies = ask("STUDY", StudyInstanceUID="", PatientName="")
    images = ask("IMAGE", StudyInstanceUID=NM_STUDY, SeriesInstanceUID="2.25.72", SOPInstanceUID="")
    one = ask("STUDY", StudyInstanceUID="", PatientName="*CT1")
    assert {each.StudyInstanceUID for each in studies} == {study_of(each) for each in some}
    assert {each.SOPInstanceUID for each in images} == {each.instance for each in some[:4]}
    assert [each.PatientName for each in one] == ["CompressedSamples^CT1"]
    assert ask("STUDY", StudyInstanceUID="", PatientName="NOBODY") == []


@pytest.mark.conformance("C-GET", "SCU", "Orthanc")
def test_get_there(full: Orthanc, some: list[Object]) -> None:
    identifier = keys("STUDY", StudyInstanceUID=NM_STUDY)
    outcome, came = get(full.port, identifier, some, ae_title=TITLE)
    assert outcome == Counts(SUCCESS, 4, 0, 0)
    assert came.contents == contents(some[:4])


@pytest.mark.conformance("C-MOVE", "SCU", "Orthanc")
def test_move_from_there_to_us(full: Orthanc, some: list[Object]) -> None:
    with receiving() as ours:
        full.knows("ours", ours.port)
        outcome = move(full.port, keys("STUDY", StudyInstanceUID=NM_STUDY), "OURS", ae_title=TITLE)
    assert outcome == Counts(SUCCESS, 4, 0, 0)
    assert ours.contents == contents(some[:4])


@pytest.mark.conformance("C-MOVE", "SCU", "Orthanc")
def test_move_from_there_to_dcmtk(
    full: Orthanc,
    dcmtk_scp: Start,
    some: list[Object],
    received_objects: Callable[[], list[Object]],
) -> None:
    with dcmtk_scp("storescp") as third:
        full.knows("third", third.port, title="THIRD")
        identifier = keys("STUDY", StudyInstanceUID=NM_STUDY)
        assert move(full.port, identifier, "THIRD", ae_title=TITLE) == Counts(SUCCESS, 4, 0, 0)
    assert contents(received_objects()) == contents(some[:4])


@pytest.mark.conformance("C-FIND", "SCP", "Orthanc")
@pytest.mark.parametrize(
    ("level", "wanted", "found"),
    [
        ("Study", {"PatientName": "Wire*"}, {NM_STUDY}),
        ("Study", {"PatientName": "NOBODY"}, set()),
    ],
)
def test_find_here(
    their_orthanc: Orthanc, some: list[Object], level: str, wanted: Any, found: set[str]
) -> None:
    with archive(some) as ours:
        their_orthanc.knows("ours", ours.port)
        query = {"Level": level, "Query": wanted}
        path = their_orthanc.call("POST", "/modalities/ours/query", query)["Path"]
        answers = their_orthanc.call("GET", f"{path}/answers?expand&simplify")
        assert isinstance(ours.next_end().ended, Released)
    assert {each["StudyInstanceUID"] for each in answers} == found


@pytest.mark.conformance("C-FIND", "SCP", "Orthanc")
@pytest.mark.conformance("C-MOVE", "SCP", "Orthanc")
def test_find_here_and_move_there(their_orthanc: Orthanc, some: list[Object]) -> None:
    with archive(some, {TITLE: their_orthanc.port}) as ours:
        their_orthanc.knows("ours", ours.port)
        query = {"Level": "Study", "Query": {"PatientName": "Wire*"}}
        path = their_orthanc.call("POST", "/modalities/ours/query", query)["Path"]
        wanted = {"TargetAet": TITLE, "Synchronous": True}
        their_orthanc.call("POST", f"{path}/retrieve", wanted)
    assert their_orthanc.stored() == {each.instance: each.data for each in some[:4]}


@pytest.mark.conformance("C-MOVE", "SCP", "Orthanc")
def test_move_from_here_to_dcmtk(
    their_orthanc: Orthanc,
    dcmtk_scp: Start,
    some: list[Object],
    received_objects: Callable[[], list[Object]],
) -> None:
    with dcmtk_scp("storescp") as third, archive(some, {"THIRD": third.port}) as ours:
        their_orthanc.knows("ours", ours.port)
        wanted = {
            "Level": "Study",
            "Resources": [{"StudyInstanceUID": NM_STUDY}],
            "TargetAet": "THIRD",
            "Synchronous": True,
        }
        their_orthanc.call("POST", "/modalities/ours/move", wanted)
    assert contents(received_objects()) == contents(some[:4])


# -- three parties --------------------------------------------------------------------------------


@pytest.mark.conformance("C-FIND", "SCU", "Orthanc")
@pytest.mark.conformance("C-MOVE", "SCU", "Orthanc")
def test_find_there_and_move_to_another(
    full: Orthanc, their_second_orthanc: Orthanc, some: list[Object]
) -> None:
    full.knows("second", their_second_orthanc.port, title=SECOND_TITLE)
    studies = find(full.port, keys("STUDY", StudyInstanceUID="", PatientID=""), ae_title=TITLE)
    assert len(studies) == 3
    for study in studies:
        identifier = keys("STUDY", StudyInstanceUID=study.StudyInstanceUID)
        outcome = move(full.port, identifier, SECOND_TITLE, ae_title=TITLE)
        assert (outcome.status, outcome.failed, outcome.warning) == (SUCCESS, 0, 0)
    there, moved = full.stored(), their_second_orthanc.stored()
    assert there.keys() == moved.keys() == {each.instance for each in some}
    for each in some[:4]:  # of the others it writes the sequences anew when it sends them
        assert moved[each.instance] == there[each.instance] == each.data
    copies = [each._replace(data=moved[each.instance]) for each in some]
    assert contents(copies) == contents(some)


@pytest.mark.conformance("C-MOVE", "SCU", "Orthanc")
def test_move_from_there_to_our_storescp(full: Orthanc, some: list[Object], tmp_path: Path) -> None:
    folder = tmp_path / "received"
    with serving(
        lambda port: [*tool("storescp"), "-od", folder, str(port)], tmp_path / "tool.log", **SOURCE
    ) as third:
        full.knows("third", third.port, title="THIRD")
        identifier = keys("STUDY", StudyInstanceUID=NM_STUDY)
        assert move(full.port, identifier, "THIRD", ae_title=TITLE) == Counts(SUCCESS, 4, 0, 0)
    received = [read(path) for path in folder.iterdir()]
    assert {each.instance: each.data for each in received} == {
        each.instance: each.data for each in some[:4]
    }

"""Our asyncio API with Orthanc: as archive that we ask, and as client through its REST API."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.network.aio.loops import asynchronous
from tests.peers import test_query_orthanc as orthanc_queries
from tests.peers.loops import archive, echo_and_send, find, get, move, receiving
from tests.peers.objects import Object, contents
from tests.peers.orthanc import TITLE, Orthanc
from tests.peers.queries import NM_STUDY, SUCCESS, Counts, keys, study_of

# One process for all of them, on one worker

some, full = orthanc_queries.some, orthanc_queries.full


def shows(service: str, role: str) -> pytest.MarkDecorator:
    return pytest.mark.conformance(service, role, "Orthanc", api="asyncio")


@shows("C-FIND", "SCU")
@shows("C-GET", "SCU")
@shows("C-MOVE", "SCU")
@asynchronous
async def test_an_archive_of_its(full: Orthanc, some: list[Object]) -> None:
    study = keys("STUDY", StudyInstanceUID=NM_STUDY)
    async with receiving() as ours:
        full.knows("ours", ours.port)
        studies = await find(full.port, keys("STUDY", StudyInstanceUID=""), ae_title=TITLE)
        outcome, came = await get(full.port, study, some, ae_title=TITLE)
        moved = await move(full.port, study, "OURS", ae_title=TITLE)
    assert {each.StudyInstanceUID for each in studies} == {study_of(each) for each in some}
    assert outcome == moved == Counts(SUCCESS, 4, 0, 0)
    assert came.contents == ours.contents == contents(some[:4])


@shows("C-ECHO", "SCU")
@shows("C-STORE", "SCU")
@asynchronous
async def test_send_there(their_orthanc: Orthanc, some: list[Object]) -> None:
    await echo_and_send(their_orthanc.port, some, ae_title=TITLE)
    assert their_orthanc.stored() == {each.instance: each.data for each in some}


@shows("C-ECHO", "SCP")
@shows("C-STORE", "SCP")
@pytest.mark.parametrize("kept_in", ["memory", "files"])
@asynchronous
async def test_it_sends(
    their_orthanc: Orthanc, some: list[Object], tmp_path: Path, kept_in: str
) -> None:
    async with receiving(tmp_path if kept_in == "files" else None) as ours:
        their_orthanc.knows("ours", ours.port)
        identifiers = [their_orthanc.upload(each.path) for each in some]
        for path, body in (("echo", {}), ("store", identifiers)):
            await asyncio.to_thread(their_orthanc.call, "POST", f"/modalities/ours/{path}", body)
    assert ours.contents == contents(some)


@shows("C-FIND", "SCP")
@shows("C-MOVE", "SCP")
@asynchronous
async def test_it_finds_here_and_has_moved(their_orthanc: Orthanc, some: list[Object]) -> None:
    async with archive(some, {TITLE: their_orthanc.port}) as ours:
        their_orthanc.knows("ours", ours.port)
        query = {"Level": "Study", "Query": {"PatientName": "Wire*"}}
        asked = await asyncio.to_thread(their_orthanc.call, "POST", "/modalities/ours/query", query)
        wanted = {"TargetAet": TITLE, "Synchronous": True}
        await asyncio.to_thread(their_orthanc.call, "POST", f"{asked['Path']}/retrieve", wanted)
    assert their_orthanc.stored() == {each.instance: each.data for each in some[:4]}

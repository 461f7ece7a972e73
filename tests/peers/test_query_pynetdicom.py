"""Query and retrieval with pynetdicom in a process of its own, as archive and as client."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire import evt
from dicomwire.protocol.errors import Released
from tests.peers import Serving, run_well, serving
from tests.peers.conftest import Start, script
from tests.peers.objects import Object, contents
from tests.peers.ours import receiving
from tests.peers.queries import (
    CANCELLED,
    FIND,
    NM_STUDY,
    PENDING,
    SUCCESS,
    UNKNOWN_DESTINATION,
    Counts,
    archive,
    client,
    find,
    get,
    keys,
    move,
    pairs,
    six,
    study_of,
)

Ask = Callable[..., dict[str, Any]]
Scp = Callable[..., Any]


@pytest.fixture
def some(tmp_path: Path) -> list[Object]:
    """What there is to be found."""
    return six(tmp_path)


@pytest.fixture
def scu(pynetdicom_here: None, tmp_path: Path) -> Ask:
    """Run `scripts/pynetdicom_query_scu.py`, which writes into `received`; what it says."""
    folder = tmp_path / "received"
    folder.mkdir()

    def go(port: int, what: str, wanted: str, argument: str = "") -> dict[str, Any]:
        command = script("pynetdicom_query_scu.py")
        printed = run_well([*command, str(port), what, wanted, argument or folder])
        said: dict[str, Any] = json.loads(printed.splitlines()[-1])
        return said

    return go


@pytest.fixture
def scp(pynetdicom_here: None, tmp_path: Path, some: list[Object]) -> Scp:
    """Run `scripts/pynetdicom_query_scp.py` with the objects, and a destination OURS."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    for number, each in enumerate(some):
        (folder / f"{number}.dcm").write_bytes(each.path.read_bytes())

    @contextmanager
    def start(destination: int = 1) -> Iterator[Serving]:
        command = script("pynetdicom_query_scp.py")
        with serving(
            lambda port: [*command, str(port), folder, str(destination)], tmp_path / "scp.log"
        ) as server:
            yield server

    return start


@pytest.mark.conformance("C-FIND", "SCU", "pynetdicom")
def test_find_there(scp: Scp, some: list[Object]) -> None:
    with scp() as peer:
        found = find(peer.port, keys("IMAGE", StudyInstanceUID=NM_STUDY))
        everything = find(peer.port, keys("IMAGE", StudyInstanceUID=""))
    assert {each.SOPInstanceUID for each in found} == {each.instance for each in some[:4]}
    assert {each.SOPInstanceUID for each in everything} == {each.instance for each in some}


@pytest.mark.conformance("C-FIND", "SCU", "pynetdicom")
def test_find_there_is_given_up(scp: Scp) -> None:
    endless = keys("STUDY", StudyInstanceUID="", PatientID="ENDLESS")
    with scp() as peer:
        with client(peer.port, FIND) as assoc:
            responses = assoc.send_c_find(endless, FIND, msg_id=7)
            assert next(responses)[0].Status == PENDING
            assoc.send_c_cancel(7, query_model=FIND)
            assert pairs(responses)[-1] == (CANCELLED, None)
        assert assoc.is_released, assoc.ended


@pytest.mark.conformance("C-GET", "SCU", "pynetdicom")
def test_get_there(scp: Scp, some: list[Object]) -> None:
    with scp() as peer:
        outcome, came = get(peer.port, keys("STUDY", StudyInstanceUID=NM_STUDY), some)
    assert outcome == Counts(SUCCESS, 4, 0, 0)
    assert came.contents == contents(some[:4])


@pytest.mark.conformance("C-MOVE", "SCU", "pynetdicom")
def test_move_from_there_to_us(scp: Scp, some: list[Object]) -> None:
    identifier = keys("STUDY", StudyInstanceUID=NM_STUDY)
    with receiving() as ours, scp(ours.port) as peer:
        assert move(peer.port, identifier, "OURS") == Counts(SUCCESS, 4, 0, 0)
        assert move(peer.port, identifier, "NOWHERE").status == UNKNOWN_DESTINATION
    assert ours.contents == contents(some[:4])


@pytest.mark.conformance("C-FIND", "SCP", "pynetdicom")
def test_find_here(scu: Ask, some: list[Object]) -> None:
    with archive(some) as ours:
        said = scu(ours.port, "find", "*")
        assert isinstance(ours.next_end().ended, Released)
    assert set(said["found"]) == {study_of(each) for each in some}
    assert (said["status"], said["released"]) == (SUCCESS, True)


@pytest.mark.conformance("C-FIND", "SCP", "pynetdicom")
def test_find_here_is_given_up(scu: Ask) -> None:
    def endless(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        while not event.is_cancelled:
            yield PENDING, keys("STUDY", StudyInstanceUID="1.2.3")
        yield CANCELLED, None

    with archive([], handlers=[(evt.EVT_C_FIND, endless)]) as ours:
        said = scu(ours.port, "give-up", "")
        assert isinstance(ours.next_end().ended, Released)
    assert (said["status"], said["released"]) == (CANCELLED, True)
    assert len(said["found"]) >= 3


@pytest.mark.conformance("C-GET", "SCP", "pynetdicom")
def test_get_here(
    scu: Ask, some: list[Object], received_objects: Callable[[], list[Object]]
) -> None:
    with archive(some) as ours:
        said = scu(ours.port, "get", NM_STUDY)
    assert (said["status"], said["completed"], said["released"]) == (SUCCESS, 4, True)
    assert contents(received_objects()) == contents(some[:4])


@pytest.mark.conformance("C-MOVE", "SCP", "pynetdicom")
def test_move_from_here(
    scu: Ask,
    pynetdicom_scp: Start,
    some: list[Object],
    received_objects: Callable[[], list[Object]],
) -> None:
    with pynetdicom_scp() as third, archive(some, {"THIRD": third.port}) as ours:
        said = scu(ours.port, "move", NM_STUDY, "THIRD")
        unknown = scu(ours.port, "move", NM_STUDY, "NOWHERE")
    assert (said["status"], said["completed"], said["released"]) == (SUCCESS, 4, True)
    assert unknown["status"] == UNKNOWN_DESTINATION
    assert contents(received_objects()) == contents(some[:4])

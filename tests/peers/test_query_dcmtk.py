"""Query and retrieval with DCMTK: dcmqrscp and wlmscpfs; findscu, getscu and movescu."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread

from dicomwire import evt
from dicomwire.protocol.errors import Released
from dicomwire.sop_class import ModalityWorklistInformationFind as WORKLIST
from tests.peers import LOOPBACK, Serving, free_port, run, serving
from tests.peers.conftest import Start
from tests.peers.objects import Object, contents
from tests.peers.ours import receiving, send
from tests.peers.queries import (
    CANCELLED,
    FIND,
    GET,
    NM_STUDY,
    PENDING,
    SUCCESS,
    UNKNOWN_DESTINATION,
    WITH_FAILURES,
    Counts,
    archive,
    client,
    counts,
    find,
    get,
    keys,
    move,
    pairs,
    six,
    study_of,
    worklist_item,
)

TITLE = "ANY-SCP"  # what `associate` calls the peer when nothing else is said
Tool = Callable[..., str]
Qrscp = Callable[..., Any]
QRSCP = """\
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
ours = (OURS, 127.0.0.1, {port})
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
{title} {folder} RW (100, 1024mb) ANY
AETable END
"""


@pytest.fixture
def some(tmp_path: Path) -> list[Object]:
    """What there is to be found."""
    return six(tmp_path)


@pytest.fixture
def qrscp(peer_program: Callable[[str], str], tmp_path: Path, some: list[Object]) -> Qrscp:
    """`qrscp(port)`: dcmqrscp with those objects, which knows a destination OURS."""

    @contextmanager
    def start(port: int = 1) -> Iterator[Serving]:
        folder, configuration = tmp_path / "database", tmp_path / "dcmqrscp.cfg"
        folder.mkdir()
        configuration.write_text(QRSCP.format(port=port, title=TITLE, folder=folder))
        command = [peer_program("dcmqrscp"), "-v", "-c", configuration]
        log = tmp_path / "dcmqrscp.log"
        with serving(lambda port: [*command, str(port)], log) as server:
            send(server.port, some, ae_title=TITLE)
            yield server

    return start


# -- our requests ---------------------------------------------------------------------------------


@pytest.mark.conformance("C-FIND", "SCU", "DCMTK")
def test_find_there(qrscp: Qrscp, some: list[Object]) -> None:
    with qrscp() as peer:
        studies = find(peer.port, keys("STUDY", StudyInstanceUID="", PatientName=""))
        images = find(
            peer.port,
            keys(
                "IMAGE", StudyInstanceUID=NM_STUDY, SeriesInstanceUID="2.25.72", SOPInstanceUID=""
            ),
        )
        one = find(peer.port, keys("STUDY", StudyInstanceUID="", PatientName="*CT1"))
        none = find(peer.port, keys("STUDY", StudyInstanceUID="", PatientName="NOBODY"))
    assert {each.StudyInstanceUID for each in studies} == {study_of(each) for each in some}
    assert {each.SOPInstanceUID for each in images} == {each.instance for each in some[:4]}
    assert [each.PatientName for each in one] == ["CompressedSamples^CT1"]
    assert none == []


@pytest.mark.conformance("C-FIND", "SCU", "DCMTK")
def test_find_there_is_given_up(qrscp: Qrscp, some: list[Object]) -> None:
    identifier = keys("STUDY", StudyInstanceUID="")
    with qrscp() as peer:
        with client(peer.port, FIND) as assoc:
            responses = assoc.send_c_find(identifier, FIND, msg_id=7)
            assert next(responses)[0].Status == PENDING
            assoc.send_c_cancel(7, query_model=FIND)
            # it may have sent all of them before the C-CANCEL came
            assert pairs(responses)[-1][0] in (SUCCESS, CANCELLED)
            next(assoc.send_c_find(identifier, FIND, msg_id=8))  # and drop the rest
            assert len(pairs(assoc.send_c_find(identifier, FIND, msg_id=9))) == 4
        assert assoc.is_released, assoc.ended


@pytest.mark.conformance("C-GET", "SCU", "DCMTK")
def test_get_there(qrscp: Qrscp, some: list[Object]) -> None:
    with qrscp() as peer:
        one, images = get(peer.port, keys("STUDY", StudyInstanceUID=NM_STUDY), some)
        all_of_them = [study_of(some[0]), study_of(some[4]), study_of(some[5])]
        three, everything = get(peer.port, keys("STUDY", StudyInstanceUID=all_of_them), some)
    assert one == Counts(SUCCESS, 4, 0, 0)
    assert images.contents == contents(some[:4])
    assert three == Counts(SUCCESS, 6, 0, 0)
    assert everything.contents == contents(some)


@pytest.mark.conformance("C-GET", "SCU", "DCMTK")
def test_get_there_what_we_refuse(qrscp: Qrscp, some: list[Object]) -> None:
    refused = some[1].instance

    def store(event: Any) -> int:
        return 0xA700 if event.request.AffectedSOPInstanceUID == refused else 0

    handlers = [(evt.EVT_C_STORE, store)]
    with qrscp() as peer, client(peer.port, GET, objects=some, evt_handlers=handlers) as assoc:
        identifier = keys("STUDY", StudyInstanceUID=NM_STUDY)
        responses = [*assoc.send_c_get(identifier, GET)]
    last, failed = responses[-1]
    assert counts(responses) == Counts(WITH_FAILURES, 3, 1, 0)
    assert last.Status == WITH_FAILURES
    assert failed.FailedSOPInstanceUIDList == refused
    assert assoc.is_released, assoc.ended


@pytest.mark.conformance("C-MOVE", "SCU", "DCMTK")
def test_move_from_there_to_us(qrscp: Qrscp, some: list[Object]) -> None:
    with receiving() as ours, qrscp(ours.port) as peer:
        outcome = move(peer.port, keys("STUDY", StudyInstanceUID=NM_STUDY), "OURS")
        assert isinstance(ours.next_end().ended, Released)
        unknown = move(peer.port, keys("STUDY", StudyInstanceUID=NM_STUDY), "NOWHERE")
    assert outcome == Counts(SUCCESS, 4, 0, 0)
    assert ours.contents == contents(some[:4])
    assert unknown.status == UNKNOWN_DESTINATION


@pytest.mark.conformance("Modality worklist", "SCU", "DCMTK")
@pytest.mark.conformance("C-FIND", "SCU", "DCMTK")
def test_worklist_there(peer_program: Callable[[str], str], tmp_path: Path) -> None:
    folder = tmp_path / "worklist" / TITLE
    folder.mkdir(parents=True)
    (folder / "lockfile").touch()
    for number, name in enumerate(["Alpha^Anna", "Beta^Bert", "Alpha^Adam"]):
        worklist_item(number, name).save_as(folder / f"{number}.wl", enforce_file_format=True)
    command = [peer_program("wlmscpfs"), "-v", "-dfr", "-dfp", folder.parent]
    with serving(lambda port: [*command, str(port)], tmp_path / "wlmscpfs.log") as peer:
        step = Dataset()
        step.Modality, step.ScheduledStationAETitle = "MR", ""
        identifier = Dataset()
        identifier.PatientName, identifier.PatientID = "Alpha*", ""
        identifier.ScheduledProcedureStepSequence = [step]
        with client(peer.port, WORKLIST, ae_title=TITLE) as assoc:
            *found, last = pairs(assoc.send_c_find(identifier, WORKLIST))
    assert last == (SUCCESS, None), peer.output
    matches = [match for _, match in found if match is not None]
    assert sorted(each.PatientID for each in matches) == ["P0", "P2"]
    assert {each.ScheduledProcedureStepSequence[0].ScheduledStationAETitle for each in matches} == {
        "STATION"
    }


# -- their requests -------------------------------------------------------------------------------


@pytest.mark.conformance("C-FIND", "SCP", "DCMTK")
@pytest.mark.parametrize("encoding", ["-x=", "-xi", "-xb"])
def test_findscu(dcmtk: Tool, some: list[Object], tmp_path: Path, encoding: str) -> None:
    (tmp_path / "found").mkdir()
    query = ["-k", "QueryRetrieveLevel=IMAGE", "-k", "SOPInstanceUID", "-k", "PatientName=Wire*"]
    with archive(some) as ours:
        arguments = [encoding, "-S", "-X", "-od", tmp_path / "found", *query]
        dcmtk("findscu", *arguments, LOOPBACK, str(ours.port))
        assert isinstance(ours.next_end().ended, Released)
    found = [dcmread(path, force=True) for path in (tmp_path / "found").iterdir()]
    assert {each.SOPInstanceUID for each in found} == {each.instance for each in some[:4]}
    assert {str(each.PatientName) for each in found} == {"Wire^Noise"}


@pytest.mark.conformance("C-FIND", "SCP", "DCMTK")
def test_findscu_gives_up(dcmtk: Tool) -> None:
    seen: list[bool] = []

    def endless(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        while not event.is_cancelled:
            yield PENDING, keys("STUDY", StudyInstanceUID="1.2.3")
        seen.append(True)
        yield CANCELLED, None

    query = ["-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID"]
    with archive([], handlers=[(evt.EVT_C_FIND, endless)]) as ours:
        printed = dcmtk("findscu", "-v", "-S", "--cancel", "3", *query, LOOPBACK, str(ours.port))
        assert isinstance(ours.next_end().ended, Released)
    assert seen == [True]
    assert "Cancel" in printed


@pytest.mark.conformance("C-FIND", "SCP", "DCMTK")
def test_findscu_is_told_that_it_failed(peer_program: Callable[[str], str]) -> None:
    def fail(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        yield 0xA700, None

    query = ["-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID"]
    with archive([], handlers=[(evt.EVT_C_FIND, fail)]) as ours:
        done = run([peer_program("findscu"), "-v", "-S", *query, LOOPBACK, str(ours.port)])
        assert isinstance(ours.next_end().ended, Released)
    assert "Refused: OutOfResources" in done.stdout


@pytest.mark.conformance("Modality worklist", "SCP", "DCMTK")
@pytest.mark.conformance("C-FIND", "SCP", "DCMTK")
def test_findscu_asks_for_a_worklist(dcmtk: Tool, tmp_path: Path) -> None:
    asked: list[Dataset] = []
    (tmp_path / "found").mkdir()

    def worklist(event: Any) -> Iterator[tuple[int, Dataset]]:
        asked.append(event.identifier)
        for number, name in enumerate(["Alpha^Anna", "Beta^Bert"]):
            yield PENDING, worklist_item(number, name)

    query = ["-k", "PatientName", "-k", "ScheduledProcedureStepSequence[0].Modality=MR"]
    with archive([], models=[WORKLIST], handlers=[(evt.EVT_C_FIND, worklist)]) as ours:
        folder = ["-X", "-od", tmp_path / "found"]
        dcmtk("findscu", "-W", *folder, *query, LOOPBACK, str(ours.port))
    assert asked[0].ScheduledProcedureStepSequence[0].Modality == "MR"
    found = [dcmread(path, force=True) for path in (tmp_path / "found").iterdir()]
    assert sorted(each.PatientID for each in found) == ["P0", "P1"]
    assert {each.ScheduledProcedureStepSequence[0].Modality for each in found} == {"MR"}


@pytest.mark.conformance("C-GET", "SCP", "DCMTK")
@pytest.mark.parametrize("write", ["-B", "+B"])
def test_getscu(
    dcmtk: Tool,
    some: list[Object],
    received_objects: Callable[[], list[Object]],
    tmp_path: Path,
    write: str,
) -> None:
    (tmp_path / "received").mkdir()
    query = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={NM_STUDY}"]
    with archive(some) as ours:
        arguments = [write, "-S", "-od", tmp_path / "received", *query]
        dcmtk("getscu", *arguments, LOOPBACK, str(ours.port))
        assert isinstance(ours.next_end().ended, Released)
    assert contents(received_objects()) == contents(some[:4])


@pytest.mark.conformance("C-GET", "SCP", "DCMTK")
def test_getscu_finds_nothing(dcmtk: Tool, some: list[Object]) -> None:
    query = ["-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.3"]
    with archive(some) as ours:
        dcmtk("getscu", "-S", *query, LOOPBACK, str(ours.port))
        assert isinstance(ours.next_end().ended, Released)


@pytest.mark.conformance("C-MOVE", "SCP", "DCMTK")
def test_movescu_to_storescp(
    dcmtk: Tool,
    dcmtk_scp: Start,
    some: list[Object],
    received_objects: Callable[[], list[Object]],
) -> None:
    query = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={NM_STUDY}"]
    with dcmtk_scp("storescp") as third, archive(some, {"THIRD": third.port}) as ours:
        dcmtk("movescu", "-S", "-aem", "THIRD", *query, LOOPBACK, str(ours.port))
        assert isinstance(ours.next_end().ended, Released)
    assert contents(received_objects()) == contents(some[:4])


@pytest.mark.conformance("C-MOVE", "SCP", "DCMTK")
def test_movescu_receives_by_itself(
    dcmtk: Tool,
    some: list[Object],
    received_objects: Callable[[], list[Object]],
    tmp_path: Path,
) -> None:
    (tmp_path / "received").mkdir()
    port = free_port()
    query = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study_of(some[4])}"]
    with archive(some, {"MOVESCU": port}) as ours:
        arguments = ["+P", str(port), "-S", "-od", tmp_path / "received", *query]
        dcmtk("movescu", *arguments, LOOPBACK, str(ours.port))
        assert isinstance(ours.next_end().ended, Released)
    assert contents(received_objects()) == contents([some[4]])


@pytest.mark.conformance("C-MOVE", "SCP", "DCMTK")
def test_movescu_is_told_that_we_do_not_know_whereto(
    peer_program: Callable[[str], str], some: list[Object]
) -> None:
    query = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={NM_STUDY}"]
    with archive(some) as ours:
        arguments = ["-v", "-S", "-aem", "NOWHERE", *query, LOOPBACK, str(ours.port)]
        done = run([peer_program("movescu"), *arguments])
        assert isinstance(ours.next_end().ended, Released)
    assert "MoveDestinationUnknown" in done.stdout


@pytest.mark.conformance("C-MOVE", "SCP", "DCMTK")
def test_movescu_gives_up(
    peer_program: Callable[[str], str], dcmtk_scp: Start, some: list[Object]
) -> None:
    seen: list[bool] = []

    with dcmtk_scp("storescp") as third:

        def endless(event: Any) -> Iterator[Any]:
            yield LOOPBACK, third.port
            yield 0xFFFF
            while not event.is_cancelled:
                yield PENDING, some[0].path
            seen.append(True)
            yield CANCELLED, None

        query = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={NM_STUDY}"]
        with archive(some, handlers=[(evt.EVT_C_MOVE, endless)]) as ours:
            arguments = ["-v", "-S", "--cancel", "2", *query, LOOPBACK, str(ours.port)]
            done = run([peer_program("movescu"), *arguments])
            assert isinstance(ours.next_end().ended, Released)
    assert seen == [True]
    assert "Cancel" in done.stdout

"""Storage commitment and the modality worklist with Orthanc, both ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire import AE, build_context, build_role, evt
from tests.peers import LOOPBACK
from tests.peers.exchanges import THE_COMMITMENT
from tests.peers.objects import Object, shipped
from tests.peers.orthanc import SECOND_TITLE, TITLE, Orthanc
from tests.peers.queries import PENDING, SUCCESS, WORKLIST, client, pairs, worklist_item
from tests.peers.scripts.managed import COMMITMENT, NO_SUCH_INSTANCE, Reports, item

# Its processes serve all of them, on one worker

ALL_KEPT, NOT_ALL_KEPT = 1, 2  # Event Type IDs, PS3.4 J.3.3
CLASS_CONFLICT = 0x0119  # Failure Reason, PS3.3 C.14
CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"


@pytest.fixture
def kept(their_orthanc: Orthanc) -> Object:
    """An object that Orthanc has."""
    (ct,) = shipped(["CT_small"])
    their_orthanc.upload(ct.path)
    return ct


@contextmanager
def listening(uid: str, handlers: Sequence[Any], **roles: bool) -> Iterator[int]:
    """Serve one SOP class until the block is left; the port."""
    ae = AE("OURS")
    ae.add_supported_context(uid, **roles)
    server = ae.start_server((LOOPBACK, 0), block=False, evt_handlers=[*handlers])
    try:
        yield server.server_address[1]
    finally:
        ae.shutdown()


def named(sop_class: str, instance: str, **more: Any) -> Dataset:
    """Make an item of a Referenced or Failed SOP Sequence."""
    return item(ReferencedSOPClassUID=sop_class, ReferencedSOPInstanceUID=instance, **more)


def commit(peer: Orthanc, *asked: Dataset) -> dict[str, Any]:
    """Ask Orthanc to keep instances; what it reports, over an association of its own."""
    reports = Reports()
    handlers = [(evt.EVT_N_EVENT_REPORT, reports.n_event_report)]
    with listening(COMMITMENT, handlers, scu_role=False, scp_role=True) as port:
        peer.knows("ours", port)
        info = item(TransactionUID="2.25.51", ReferencedSOPSequence=[*asked])
        with client(peer.port, COMMITMENT, ae_title=TITLE) as assoc:
            answer = assoc.send_n_action(info, 1, COMMITMENT, THE_COMMITMENT)
        assert assoc.is_released, assoc.ended
        assert answer == (item(Status=SUCCESS), Dataset())
        came = reports.next()
    assert (came["class"], came["instance"]) == (COMMITMENT, THE_COMMITMENT)
    return came


@pytest.mark.conformance("Storage commitment", "SCU", "Orthanc")
@pytest.mark.conformance("N-ACTION", "SCU", "Orthanc")
@pytest.mark.conformance("N-EVENT-REPORT", "SCU", "Orthanc")
def test_it_has_what_it_shall_keep(their_orthanc: Orthanc, kept: Object) -> None:
    came = commit(their_orthanc, named(kept.sop_class, kept.instance))
    said = item(TransactionUID="2.25.51")
    said.ReferencedSOPSequence = [named(kept.sop_class, kept.instance)]
    assert (came["type"], came["data"]) == (ALL_KEPT, said.to_json_dict())


@pytest.mark.conformance("Storage commitment", "SCU", "Orthanc")
@pytest.mark.conformance("N-ACTION", "SCU", "Orthanc")
@pytest.mark.conformance("N-EVENT-REPORT", "SCU", "Orthanc")
def test_it_has_not_all_that_it_shall_keep(their_orthanc: Orthanc, kept: Object) -> None:
    there = named(kept.sop_class, kept.instance)
    came = commit(their_orthanc, there, named(CT, "1.2.3"), named(MR, kept.instance))
    said = item(TransactionUID="2.25.51", ReferencedSOPSequence=[there])
    said.FailedSOPSequence = [
        named(CT, "1.2.3", FailureReason=NO_SUCH_INSTANCE),
        named(MR, kept.instance, FailureReason=CLASS_CONFLICT),
    ]
    assert (came["type"], came["data"]) == (NOT_ALL_KEPT, said.to_json_dict())


def report(peer: Orthanc, kind: int, said: Dataset) -> None:
    """Report to Orthanc what we keep, over a new association."""
    roles = [build_role(COMMITMENT, scp_role=True)]
    contexts = [build_context(COMMITMENT)]
    ae = AE("OURS")
    with ae.associate(LOOPBACK, peer.port, contexts, TITLE, ext_neg=roles) as assoc:
        assert assoc.is_established, assoc.ended
        assert [(each.as_scu, each.as_scp) for each in assoc.accepted_contexts] == [(False, True)]
        status, reply = assoc.send_n_event_report(said, kind, COMMITMENT, THE_COMMITMENT)
    assert (status.Status, reply) == (SUCCESS, Dataset())
    assert assoc.is_released, assoc.ended


@pytest.mark.conformance("Storage commitment", "SCP", "Orthanc")
@pytest.mark.conformance("N-ACTION", "SCP", "Orthanc")
@pytest.mark.conformance("N-EVENT-REPORT", "SCP", "Orthanc")
@pytest.mark.parametrize("missing", [[], ["1.2.3"]], ids=["all kept", "not all kept"])
def test_it_asks_us_and_reads_our_report(their_orthanc: Orthanc, missing: list[str]) -> None:
    asked: list[Any] = []

    def act(event: Any) -> tuple[int, None]:
        asked.append((event.action_type, event.action_information))
        return SUCCESS, None

    wanted = [[CT, "1.2.840.1"], *([CT, uid] for uid in missing)]
    with listening(COMMITMENT, [(evt.EVT_N_ACTION, act)]) as port:
        their_orthanc.knows("ours", port)
        path = their_orthanc.call(
            "POST", "/modalities/ours/storage-commitment", {"DicomInstances": wanted}
        )["Path"]
    ((kind, info),) = asked
    assert kind == 1
    names = [
        [each.ReferencedSOPClassUID, each.ReferencedSOPInstanceUID]
        for each in info.ReferencedSOPSequence
    ]
    assert names == wanted
    assert their_orthanc.call("GET", path)["Status"] == "Pending"

    said = item(TransactionUID=info.TransactionUID)
    said.ReferencedSOPSequence = [named(CT, "1.2.840.1")]
    if missing:
        failed = [named(CT, uid, FailureReason=NO_SUCH_INSTANCE) for uid in missing]
        said.FailedSOPSequence = failed
    report(their_orthanc, NOT_ALL_KEPT if missing else ALL_KEPT, said)
    read = their_orthanc.call("GET", path)
    assert read["Status"] == ("Failure" if missing else "Success")
    assert [each["SOPInstanceUID"] for each in read["Success"]] == ["1.2.840.1"]
    reasons = [(each["SOPInstanceUID"], each["FailureReason"]) for each in read["Failures"]]
    assert reasons == [(uid, NO_SUCH_INSTANCE) for uid in missing]


# -- the modality worklist ---------------------------------------------------------------------


def worklist_keys(name: str) -> Dataset:
    """Make an identifier for a worklist."""
    step = item(Modality="MR", ScheduledStationAETitle="")
    return item(PatientName=name, PatientID="", ScheduledProcedureStepSequence=[step])


@pytest.mark.conformance("Modality worklist", "SCU", "Orthanc")
@pytest.mark.conformance("C-FIND", "SCU", "Orthanc")
def test_worklist_there(their_worklist: Orthanc) -> None:
    folder: Path = their_worklist.folder / "worklists"
    for number, name in enumerate(["Alpha^Anna", "Beta^Bert", "Alpha^Adam"]):
        worklist_item(number, name).save_as(folder / f"{number}.wl", enforce_file_format=True)
    their_worklist.knows("ours", 1)
    with client(their_worklist.port, WORKLIST, ae_title=SECOND_TITLE) as assoc:
        *found, last = pairs(assoc.send_c_find(worklist_keys("Alpha*"), WORKLIST))
    assert last == (SUCCESS, None), their_worklist.output
    matches = [match for _, match in found if match is not None]
    assert sorted(each.PatientID for each in matches) == ["P0", "P2"]
    steps = [each.ScheduledProcedureStepSequence[0] for each in matches]
    assert {step.ScheduledStationAETitle for step in steps} == {"STATION"}


@pytest.mark.conformance("Modality worklist", "SCP", "Orthanc")
@pytest.mark.conformance("C-FIND", "SCP", "Orthanc")
def test_worklist_here(their_orthanc: Orthanc) -> None:
    asked: list[Dataset] = []

    def worklist(event: Any) -> Iterator[tuple[int, Dataset]]:
        asked.append(event.identifier)
        for number, name in enumerate(["Alpha^Änne", "Alpha^Adam"]):
            match = worklist_item(number, name)
            match.SpecificCharacterSet = "ISO_IR 192"
            yield PENDING, match

    with listening(WORKLIST, [(evt.EVT_C_FIND, worklist)]) as port:
        their_orthanc.knows("ours", port)
        wanted = {"PatientName": "A*", "ScheduledProcedureStepSequence": [{"Modality": "MR"}]}
        found = their_orthanc.call("POST", "/modalities/ours/find-worklist", wanted)
    assert asked[0].PatientName == "A*"
    assert asked[0].ScheduledProcedureStepSequence[0].Modality == "MR"
    assert [each["PatientName"] for each in found] == ["Alpha^Änne", "Alpha^Adam"]
    steps = [each["ScheduledProcedureStepSequence"][0] for each in found]
    assert [step["ScheduledProcedureStepID"] for step in steps] == ["S0", "S1"]

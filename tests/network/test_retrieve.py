"""Sub-operations over sockets: what the peer can only take uncompressed, what nobody asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from dicomwire import AE, build_role, evt
from dicomwire.sop_class import MRImageStorage
from dicomwire.sop_class import StudyRootQueryRetrieveInformationModelGet as Get
from dicomwire.sop_class import StudyRootQueryRetrieveInformationModelMove as Move

COMPRESSED = str(get_testdata_file("MR_small_RLE.dcm", download=False))
PLAIN = dcmread(str(get_testdata_file("MR_small.dcm", download=False)))


class Archive:
    """An SCP of C-GET and C-MOVE that has one compressed instance, and what it sent away."""

    def __init__(self) -> None:
        self.received: list[Dataset] = []
        self.destination = AE("DEST")
        self.destination.add_supported_context(MRImageStorage, ExplicitVRLittleEndian)
        self.ae = AE("ARCHIVE")
        for model in (Get, Move):
            self.ae.add_supported_context(model)
        self.ae.add_supported_context(
            MRImageStorage, [ExplicitVRLittleEndian], scu_role=True, scp_role=True
        )
        self.ae.requested_contexts = self.destination.supported_contexts

    def store(self, event: Any) -> int:
        """Keep what comes."""
        self.received.append(event.dataset)
        return 0x0000

    def get(self, event: Any) -> Iterator[Any]:
        """Answer a C-GET with the instance, as a file."""
        yield 1
        yield 0xFF00, COMPRESSED

    def move(self, event: Any, port: int) -> Iterator[Any]:
        """Answer a C-MOVE with the instance, as a Dataset."""
        yield "127.0.0.1", port
        yield 1
        yield 0xFF00, dcmread(COMPRESSED)


@pytest.fixture
def archive() -> Iterator[tuple[Archive, int]]:
    """An archive that serves, and its port."""
    it = Archive()
    bound = [(evt.EVT_C_STORE, it.store)]
    there = it.destination.start_server(("127.0.0.1", 0), block=False, evt_handlers=bound)
    here = it.ae.start_server(
        ("127.0.0.1", 0),
        block=False,
        evt_handlers=[
            (evt.EVT_C_GET, it.get),
            (evt.EVT_C_MOVE, it.move, [there.server_address[1]]),
        ],
    )
    yield it, here.server_address[1]
    it.ae.shutdown()
    it.destination.shutdown()


@pytest.mark.parametrize("model", [Get, Move])
def test_an_instance_is_decompressed_when_only_that_was_accepted(
    archive: tuple[Archive, int], model: str
) -> None:
    it, port = archive
    ae, identifier = AE("SCU"), Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    ae.add_requested_context(model)
    ae.add_requested_context(MRImageStorage, ExplicitVRLittleEndian)
    roles = [build_role(MRImageStorage, scp_role=True)]
    bound = [(evt.EVT_C_STORE, it.store)]
    with ae.associate("127.0.0.1", port, ext_neg=roles, evt_handlers=bound) as assoc:
        if model == Get:
            answers = assoc.send_c_get(identifier, model)
        else:
            answers = assoc.send_c_move(identifier, "DEST", model)
        statuses = [status.Status for status, _ in answers]
    assert statuses == [0xFF00, 0x0000]
    [received] = it.received
    assert received.PixelData == PLAIN.PixelData
    assert received.SOPInstanceUID == dcmread(COMPRESSED).SOPInstanceUID
    assert dcmread(COMPRESSED).file_meta.TransferSyntaxUID == RLELossless


def test_an_instance_that_nobody_asked_for_is_refused_and_the_rest_go_on(
    archive: tuple[Archive, int],
) -> None:
    it, port = archive
    identifier = Dataset()
    identifier.QueryRetrieveLevel, identifier.StudyInstanceUID = "STUDY", "1.2.3.4"
    scu = AE()
    scu.add_requested_context(Get)
    scu.add_requested_context(MRImageStorage, ExplicitVRLittleEndian)
    assoc = scu.associate(
        "127.0.0.1",
        port,
        ext_neg=[build_role(MRImageStorage, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, it.store)],
    )
    *_, (status, failed) = assoc.send_c_get(identifier, Get)
    assert (status.Status, status.NumberOfFailedSuboperations) == (0xA702, 1)
    assert failed is not None
    assert failed.FailedSOPInstanceUIDList == PLAIN.SOPInstanceUID
    assert it.received == []
    identifier.StudyInstanceUID = PLAIN.StudyInstanceUID
    *_, (status, _) = assoc.send_c_get(identifier, Get)
    assoc.release()
    assert (status.Status, status.NumberOfCompletedSuboperations) == (0, 1)
    assert len(it.received) == 1

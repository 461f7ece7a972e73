"""Turns the programs that people learn the field with into programs that run here."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import ExplicitVRLittleEndian

from dicomwire import (
    AE,
    ALL_TRANSFER_SYNTAXES,
    DEFAULT_TRANSFER_SYNTAXES,
    AllStoragePresentationContexts,
    StoragePresentationContexts,
    VerificationPresentationContexts,
    build_context,
    build_role,
    debug_logger,
    evt,
)
from dicomwire.sop_class import CTImageStorage, MRImageStorage, Verification, VerificationSOPClass
from tests.network.ends import CT_FILE, LOCAL, image

pytestmark = pytest.mark.box("17.2", "17.3")


def test_a_first_scu() -> None:
    scp = AE(ae_title="ECHOSCP")
    scp.add_supported_context(Verification)
    server = scp.start_server((LOCAL, 0), block=False)
    port = server.socket.getsockname()[1]

    ae = AE(ae_title="MY_ECHO_SCU")
    ae.add_requested_context(VerificationSOPClass)
    assoc = ae.associate(LOCAL, port)
    if assoc.is_established:
        status = assoc.send_c_echo()
        if status:
            answer = f"C-ECHO request status: 0x{status.Status:04x}"
        else:
            answer = "Connection timed out, was aborted or received invalid response"
        assoc.release()
    else:
        answer = "Association rejected, aborted or never connected"
    server.shutdown()
    assert answer == "C-ECHO request status: 0x0000"
    assert assoc.is_released


def test_a_first_scu_that_nobody_answers() -> None:
    ae = AE()
    ae.add_requested_context("1.2.840.10008.1.1")
    assoc = ae.associate(LOCAL, 1)
    assert not assoc.is_established
    with pytest.raises(RuntimeError, match="must be established"):
        assoc.send_c_echo()


def test_what_went_wrong_can_be_followed(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("dicomwire")
    before = list(logger.handlers), logger.level
    try:
        debug_logger()
        debug_logger()
        scp = AE()
        scp.supported_contexts = VerificationPresentationContexts
        server = scp.start_server((LOCAL, 0), block=False)
        ae = AE()
        ae.requested_contexts = VerificationPresentationContexts
        with ae.associate(LOCAL, server.server_address[1]) as assoc:
            assoc.send_c_echo()
        server.shutdown()
    finally:
        logger.handlers, logger.level = before[0], before[1]
        logger.setLevel(before[1])
    said = capsys.readouterr().err.splitlines()
    assert said.count("I: Requesting Association") == 1  # not twice
    assert "I: Association Accepted" in said
    assert any("OUTGOING A-ASSOCIATE-RQ PDU" in line for line in said)
    assert any("INCOMING A-ASSOCIATE-AC PDU" in line for line in said)
    assert "I: Received Echo Response (Status: 0x0000 - Success)" in said


@pytest.fixture
def store() -> Any:
    """Start a storage SCP with a handler, as the tutorial does, and send it a CT."""
    servers = []

    def run(handlers: list[Any], *things: Any) -> list[int]:
        ae = AE()
        for context in AllStoragePresentationContexts:
            ae.add_supported_context(context.abstract_syntax, ALL_TRANSFER_SYNTAXES)
        server = ae.start_server((LOCAL, 0), block=False, evt_handlers=handlers)
        servers.append(server)
        scu = AE()
        scu.requested_contexts = StoragePresentationContexts
        assoc = scu.associate(LOCAL, server.server_address[1])
        assert assoc.is_established
        statuses = [assoc.send_c_store(thing).Status for thing in things]
        assoc.release()
        return statuses

    yield run
    for server in servers:
        server.shutdown()


def test_a_first_scp_that_saves_with_file_meta(store: Any, tmp_path: Path) -> None:
    def handle_store(event: Any, folder: Path) -> int:
        ds = event.dataset
        ds.file_meta = event.file_meta
        ds.save_as(folder / ds.SOPInstanceUID, enforce_file_format=True)
        return 0x0000

    handlers = [(evt.EVT_C_STORE, handle_store, [tmp_path])]
    assert store(handlers, dcmread(CT_FILE), CT_FILE, str(CT_FILE)) == [0, 0, 0]
    (path,) = tmp_path.iterdir()
    original = dcmread(CT_FILE)
    found = dcmread(path)
    assert path.name == original.SOPInstanceUID
    assert found.PixelData == original.PixelData
    assert found.file_meta.MediaStorageSOPClassUID == original.SOPClassUID


def test_an_scp_that_writes_what_it_got_without_decoding(store: Any, tmp_path: Path) -> None:
    def handle_store(event: Any) -> int:
        name = tmp_path / event.request.AffectedSOPInstanceUID
        name.write_bytes(event.encoded_dataset())
        return 0x0000

    assert store([(evt.EVT_C_STORE, handle_store)], CT_FILE) == [0]
    (path,) = tmp_path.iterdir()
    assert dcmread(path).PixelData == dcmread(CT_FILE).PixelData


def test_an_scp_that_writes_preamble_meta_and_raw_data_itself(store: Any, tmp_path: Path) -> None:
    def handle_store(event: Any) -> int:
        with (tmp_path / event.request.AffectedSOPInstanceUID).open("wb") as f:
            f.write(b"\x00" * 128)
            f.write(b"DICM")
            write_file_meta_info(f, event.file_meta)
            f.write(event.request.DataSet.getvalue())
        return 0x0000

    assert store([(evt.EVT_C_STORE, handle_store)], CT_FILE) == [0]
    (path,) = tmp_path.iterdir()
    assert dcmread(path).PatientID == dcmread(CT_FILE).PatientID


def test_an_scp_that_returns_a_status_with_an_explanation(store: Any) -> None:
    def handle_store(event: Any) -> Dataset:
        status = Dataset()
        try:
            raise OSError("the disk is full")
        except OSError as error:
            status.Status = 0xA700
            status.ErrorComment = str(error)
        return status

    assert store([(evt.EVT_C_STORE, handle_store)], CT_FILE) == [0xA700]


def test_an_scp_that_watches_the_connections(store: Any) -> None:
    said: list[str] = []

    def handle_open(event: Any) -> None:
        said.append(f"Connected with remote at {event.address[0]}")

    def handle_accepted(event: Any, what: str) -> None:
        said.append(f"{what} {event.assoc.requestor.ae_title} on {event.timestamp.year}")

    handlers = [
        (evt.EVT_CONN_OPEN, handle_open),
        (evt.EVT_ACCEPTED, handle_accepted, ["Accepted"]),
        (evt.EVT_C_STORE, lambda event: 0),
    ]
    assert store(handlers, CT_FILE) == [0]
    assert said[0] == f"Connected with remote at {LOCAL}"
    assert said[1].startswith("Accepted DICOMWIRE on 20")


def test_an_scu_for_what_it_has(store: Any) -> None:
    """Contexts for just the object at hand, and a data set made from nothing."""
    seen: list[Any] = []

    def handle_store(event: Any) -> int:
        seen.append((event.context.abstract_syntax, event.dataset.PatientName))
        return 0x0000

    assert store([(evt.EVT_C_STORE, handle_store)], image(sop_class=MRImageStorage)) == [0]
    assert seen == [(MRImageStorage, "Doe^Jane")]


def test_an_scu_with_roles_and_contexts_of_its_own() -> None:
    scp = AE()
    scp.add_supported_context(CTImageStorage, scu_role=True, scp_role=True)
    server = scp.start_server((LOCAL, 0), block=False)
    ae = AE()
    contexts = [build_context(CTImageStorage, ExplicitVRLittleEndian)]
    role = build_role(CTImageStorage, scp_role=True)
    assoc = ae.associate(LOCAL, server.server_address[1], contexts=contexts, ext_neg=[role])
    assert assoc.is_established
    (context,) = assoc.accepted_contexts
    assert (context.as_scu, context.as_scp) == (False, True)
    assert context.transfer_syntax == [ExplicitVRLittleEndian]
    with pytest.raises(ValueError, match="for the SCU role"):
        assoc.send_c_store(CT_FILE)
    assoc.release()
    server.shutdown()


def test_a_verification_scp_that_is_bound_to_and_stopped() -> None:
    asked: list[str] = []

    def handle_echo(event: Any) -> int:
        asked.append(event.assoc.requestor.ae_title)
        return 0x0000

    ae = AE()
    ae.add_supported_context(Verification)
    server = ae.start_server((LOCAL, 0), block=False)
    server.bind(evt.EVT_C_ECHO, handle_echo)
    scu = AE("ASKER")
    scu.add_requested_context(Verification)
    assoc = scu.associate(LOCAL, server.server_address[1])
    assert assoc.send_c_echo().Status == 0x0000
    server.unbind(evt.EVT_C_ECHO, handle_echo)
    assert assoc.send_c_echo().Status == 0x0000
    assoc.release()
    ae.shutdown()
    assert asked == ["ASKER"]


def test_the_lists_that_programs_go_through() -> None:
    assert len(DEFAULT_TRANSFER_SYNTAXES) == 4
    assert len(ALL_TRANSFER_SYNTAXES) == 45
    assert len(StoragePresentationContexts) == 120
    assert len(AllStoragePresentationContexts) == 170
    assert isinstance(io.BytesIO(b""), io.BytesIO)

"""An archive: the files of a folder into answers to C-FIND, C-GET and C-MOVE, by pynetdicom."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)


def hold_reactor_here(event: evt.Event) -> None:
    """Stop a requestor's second thread, which is the present one, before it takes any response.

    See `pynetdicom_scu.hold_reactor`: a fast response is lost otherwise.
    """
    checkpoint = event.assoc._reactor_checkpoint
    checkpoint.clear()
    checkpoint.set = lambda: None


def main(port: str, folder: str, destination: str) -> None:
    """Serve until the process is ended; the only move destination is OURS at a port."""
    files = [dcmread(path) for path in sorted(Path(folder).glob("*.dcm"))]
    ae = AE("PYNETDICOM")
    ae.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
    ae.add_supported_context(StudyRootQueryRetrieveInformationModelGet)
    ae.add_supported_context(StudyRootQueryRetrieveInformationModelMove)
    for uid in {ds.SOPClassUID for ds in files}:
        ae.add_supported_context(uid, "1.2.840.10008.1.2.1", scu_role=True, scp_role=True)
        ae.add_requested_context(uid, "1.2.840.10008.1.2.1")

    def matches(event: evt.Event) -> list[Dataset]:
        wanted = event.identifier.StudyInstanceUID
        return [ds for ds in files if not wanted or ds.StudyInstanceUID == wanted]

    def find(event: evt.Event) -> Iterator[Any]:
        endless = event.identifier.get("PatientID") == "ENDLESS"
        while True:
            for ds in matches(event):
                if event.is_cancelled:
                    yield 0xFE00, None
                    return
                answer = Dataset()
                answer.QueryRetrieveLevel = event.identifier.QueryRetrieveLevel
                answer.StudyInstanceUID = ds.StudyInstanceUID
                answer.SOPInstanceUID = ds.SOPInstanceUID
                yield 0xFF00, answer
            if not endless:
                return

    def get(event: evt.Event) -> Iterator[Any]:
        found = matches(event)
        yield len(found)
        for ds in found:
            yield 0xFF00, ds

    def move(event: evt.Event) -> Iterator[Any]:
        known = event.move_destination == "OURS"
        held = {"evt_handlers": [(evt.EVT_ESTABLISHED, hold_reactor_here)]}
        yield ("127.0.0.1", int(destination), held) if known else (None, None)
        yield from get(event)

    handlers = [(evt.EVT_C_FIND, find), (evt.EVT_C_GET, get), (evt.EVT_C_MOVE, move)]
    ae.start_server(("127.0.0.1", int(port)), evt_handlers=handlers)


if __name__ == "__main__":
    main(*sys.argv[1:])

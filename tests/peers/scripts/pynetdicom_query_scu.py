"""A client: a study or a name into C-FIND, C-GET or C-MOVE requests, by pynetdicom.

Prints a line of JSON: what was found or received, and the last response.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import (
    CTImageStorage,
    MRImageStorage,
    NuclearMedicineImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)
from pynetdicom_scu import hold_reactor

FIND = StudyRootQueryRetrieveInformationModelFind
GET = StudyRootQueryRetrieveInformationModelGet
MOVE = StudyRootQueryRetrieveInformationModelMove
SYNTAX = "1.2.840.10008.1.2.1"


def main(port: str, what: str, wanted: str, argument: str) -> None:
    """Ask, and say how it went.

    Parameters
    ----------
    port : str
        Where the peer listens.
    what : str
        find, give-up, get or move.
    wanted : str
        A Patient's Name for find, else a Study Instance UID.
    argument : str
        The folder for what get receives, the destination of move.
    """
    ae, received = AE("PYNETDICOM"), []
    for model in (FIND, GET, MOVE):
        ae.add_requested_context(model)
    classes = (CTImageStorage, MRImageStorage, NuclearMedicineImageStorage)
    for uid in classes:
        ae.add_requested_context(uid, SYNTAX)

    def store(event: evt.Event) -> int:
        received.append(str(event.request.AffectedSOPInstanceUID))
        (Path(argument) / f"{received[-1]}.dcm").write_bytes(event.encoded_dataset())
        return 0x0000

    roles = [build_role(uid, scp_role=True) for uid in classes]
    handlers = [(evt.EVT_C_STORE, store)]
    assoc = ae.associate("127.0.0.1", int(port), ext_neg=roles, evt_handlers=handlers)
    hold_reactor(assoc)
    query = Dataset()
    query.QueryRetrieveLevel = "STUDY"
    query.StudyInstanceUID = "" if what == "find" else wanted
    if what == "find":
        query.PatientName = wanted
    responses: Any
    if what in ("find", "give-up"):
        responses = assoc.send_c_find(query, FIND, msg_id=7)
    elif what == "get":
        responses = assoc.send_c_get(query, GET, msg_id=7)
    else:
        responses = assoc.send_c_move(query, argument, MOVE, msg_id=7)
    found, last = [], Dataset()
    for status, identifier in responses:
        last = status
        if identifier is not None and "StudyInstanceUID" in identifier:
            found.append(identifier.StudyInstanceUID)
        if what == "give-up" and len(found) == 3:
            assoc.send_c_cancel(7, query_model=FIND)
    assoc.release()
    said = {
        "found": found,
        "received": received,
        "status": last.get("Status"),
        "completed": last.get("NumberOfCompletedSuboperations"),
        "released": assoc.is_released,
    }
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A query or a retrieval, by dicomwire or by pynetdicom, into the seconds that it took.

Prints a line of JSON: seconds from the request for an association to its release, seconds until
the first response, the number of responses.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.archive import FIND, GET, MOVE
from bench.objects import CT, EXPLICIT

KEYS = "StudyDate StudyTime AccessionNumber PatientName PatientID StudyInstanceUID StudyID".split()


def main(library: str, port: str, title: str, what: str, folder: str, own_port: str) -> None:
    """Ask, and say how long it took.

    Parameters
    ----------
    library : str
        dicomwire or pynetdicom.
    port, title : str
        Where the archive listens, and its title.
    what : str
        find (the answers stay encoded if the library can do that), find-datasets, get, move.
    folder : str
        For what is received.
    own_port : str
        The port of the move destination BENCH, which is this process too.
    """
    from pydicom import Dataset

    lib: Any = import_module(library)
    keys = Dataset()
    keys.QueryRetrieveLevel = "STUDY"
    for keyword in KEYS if what.startswith("find") else ["StudyInstanceUID"]:
        setattr(keys, keyword, "2.25.2" if what in ("get", "move") else "")
    into = Path(folder)

    def store(event: Any) -> int:
        path = into / str(event.request.AffectedSOPInstanceUID)
        if library == "dicomwire":
            event.save_as(path)
        else:
            path.write_bytes(event.encoded_dataset())
        return 0x0000

    settings = {"options": lib.Options(store_directory=into)} if library == "dicomwire" else {}
    ae = lib.AE("BENCH", **settings)
    handlers = [(lib.evt.EVT_C_STORE, store)]
    roles = []
    if what == "get":
        ae.add_requested_context(CT, EXPLICIT)
        roles = [lib.build_role(CT, scp_role=True)]
    if what == "move":
        ae.add_supported_context(CT, EXPLICIT)
        ae.start_server(("127.0.0.1", int(own_port)), block=False, evt_handlers=handlers)
    model = {"get": GET, "move": MOVE}.get(what, FIND)
    ae.add_requested_context(model)

    begin = time.perf_counter()
    assoc = ae.associate(
        "127.0.0.1", int(port), ae_title=title, ext_neg=roles or None, evt_handlers=handlers
    )
    if what == "get":
        responses = assoc.send_c_get(keys, model)
    elif what == "move":
        responses = assoc.send_c_move(keys, "BENCH", model)
    elif what == "find" and library == "dicomwire":
        responses = assoc.c_find(keys, model)
    else:
        responses = assoc.send_c_find(keys, model)
    last: Any = next(responses)
    count, first = 1, time.perf_counter()
    for last in responses:  # noqa: B007 - the last one is looked at
        count += 1
    assoc.release()
    end = time.perf_counter()
    status = last.status if hasattr(last, "status") else last[0].Status
    if status != 0x0000:
        raise SystemExit(f"{what}: 0x{status:04X} after {count} responses")
    print(json.dumps({"seconds": end - begin, "first": first - begin, "count": count}))
    ae.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""`managed.Managed` served by pynetdicom."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from managed import ON_A_NEW_ASSOCIATION, Managed, Report
from pydicom import Dataset
from pynetdicom import AE, build_context, build_role, evt, register_uid
from pynetdicom.service_class_n import RTMachineVerificationServiceClass
from pynetdicom_managed_scu import held


def send_report(assoc: Any, report: Report) -> None:
    """Send a report over this association or, to who listens for it, over a new one."""
    title = str(assoc.requestor.ae_title).strip()
    if not title.startswith(ON_A_NEW_ASSOCIATION):
        with held(assoc):  # which is when the response to the action is out
            assoc.send_n_event_report(*report)
        return
    port = int(title.removeprefix(ON_A_NEW_ASSOCIATION))
    over = report[5] or report[2]
    contexts, roles = [build_context(over)], [build_role(over, scp_role=True)]
    new = AE("PYNETDICOM").associate("127.0.0.1", port, contexts, title, ext_neg=roles)
    with held(new):
        new.send_n_event_report(*report)
    with held(new):
        new.release()


def main(port: str, configuration: str) -> None:
    """Serve until the process is ended.

    Parameters
    ----------
    port : str
        Where.
    configuration : str
        JSON: `contexts`, `private` ones of them, and `instances` that are there.
    """
    wanted = json.loads(configuration)
    instances = {uid: Dataset.from_json(ds) for uid, ds in wanted["instances"].items()}

    def later(assoc: Any, report: Report) -> None:
        threading.Thread(target=send_report, args=(assoc, report)).start()

    ae = AE("PYNETDICOM")
    for uid in wanted["private"]:
        register_uid(uid, "Private", RTMachineVerificationServiceClass)
    for uid in wanted["contexts"]:
        ae.add_supported_context(uid)
    handlers = Managed(later, instances).handlers(evt)
    ae.start_server(("127.0.0.1", int(port)), evt_handlers=handlers)


if __name__ == "__main__":
    main(*sys.argv[1:])

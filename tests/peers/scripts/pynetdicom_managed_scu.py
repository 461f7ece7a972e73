"""`managed.perform` with an association of pynetdicom; prints a line of JSON, the answers."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from managed import ON_A_NEW_ASSOCIATION, Reports, perform
from pynetdicom import AE, evt, register_uid
from pynetdicom.service_class_n import RTMachineVerificationServiceClass


@contextmanager
def held(assoc: Any) -> Iterator[None]:
    """Keep the association's own thread from taking what this one waits for.

    It begins when that thread stands still at its checkpoint, not when it says so: see
    `pynetdicom_scu.hold_reactor`. What came meanwhile is taken when it goes on.
    """
    checkpoint = assoc._reactor_checkpoint
    go_on = checkpoint.set
    checkpoint.clear()
    checkpoint.set = lambda: None
    while assoc.is_alive() and not checkpoint._cond._waiters:
        assoc.join(0.001)
    assoc._is_paused = True  # it stands still, whatever others said last: see `Held`
    try:
        yield
    finally:
        checkpoint.set = go_on
        go_on()


class Held:
    """An association whose requests are sent while its own thread is held.

    pynetdicom answers an N-EVENT-REPORT in a thread besides, which says at its end that the
    association's own thread runs on; a request would wait for ever for that to stand still.

    Parameters
    ----------
    assoc : Association
        pynetdicom's.
    besides : list of Thread
        Those that answer reports; no request is sent before they have ended.
    """

    def __init__(self, assoc: Any, besides: list[threading.Thread]) -> None:
        self._assoc = assoc
        self._besides = besides

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._assoc, name)

        def send(*arguments: Any, **more: Any) -> Any:
            for thread in self._besides:
                thread.join()
            with held(self._assoc):
                answer = method(*arguments, **more)
                return [*answer] if name == "send_c_find" else answer

        return send


def main(port: str, listening: str, configuration: str) -> None:
    """Ask, and say what was answered.

    Parameters
    ----------
    port : str
        Where the peer listens.
    listening : str
        "listening" where reports come over an association of their own.
    configuration : str
        JSON: `contexts` to propose, `private` SOP classes, `steps`.
    """
    wanted, reports = json.loads(configuration), Reports()
    besides: list[threading.Thread] = []

    def report(event: Any) -> Any:
        besides.append(threading.current_thread())
        return reports.n_event_report(event)

    handlers = [(evt.EVT_N_EVENT_REPORT, report)]
    listener = AE("PYNETDICOM")
    title = "PYNETDICOM"
    if listening:
        for uid in wanted["contexts"]:
            listener.add_supported_context(uid, scu_role=False, scp_role=True)
        server = listener.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        title = f"{ON_A_NEW_ASSOCIATION}{server.server_address[1]}"
    ae = AE(title)
    for uid in wanted["private"]:
        register_uid(uid, "Private", RTMachineVerificationServiceClass)
    for uid in wanted["contexts"]:
        ae.add_requested_context(uid)
    assoc = ae.associate("127.0.0.1", int(port), evt_handlers=handlers)
    asking = Held(assoc, besides)
    answers = perform(asking, wanted["steps"], reports)
    asking.release()
    json.dump({"answers": answers, "released": assoc.is_released}, sys.stdout)
    sys.stdout.flush()
    for reporting in listener.active_associations:
        reporting.join()  # until the peer has released it
    listener.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])

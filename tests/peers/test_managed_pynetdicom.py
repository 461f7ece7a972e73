"""Worklist, performed steps, commitment, print and all N-services with pynetdicom, both ways."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire import AE, build_context, build_role, evt
from dicomwire.protocol.errors import Released
from tests.peers import LOOPBACK, Serving, run_well, serving
from tests.peers.conftest import script
from tests.peers.exchanges import CONTEXTS, EXCHANGES, MEDIA, PRIVATE, THERE, Exchange
from tests.peers.ours import WAIT
from tests.peers.scripts.managed import (
    ON_A_NEW_ASSOCIATION,
    SUCCESS,
    Managed,
    Report,
    Reports,
    item,
    perform,
)

# Both servers are started once, for all tests

Sent = list[Future[tuple[Dataset, Dataset | None]]]


def every_exchange(role: str) -> list[Any]:
    """Make a parameter of each exchange, with its marks."""
    return [
        pytest.param(
            each,
            marks=[
                pytest.mark.conformance(service, role, "pynetdicom")
                for service in (each.row, *each.services)
            ],
            id=name,
        )
        for name, each in EXCHANGES.items()
    ]


# -- their server ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def theirs(pynetdicom_here: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """pynetdicom serving everything."""
    instances = {uid: ds.to_json_dict() for uid, ds in THERE.items()}
    wanted = json.dumps({"contexts": CONTEXTS, "private": [PRIVATE], "instances": instances})
    log = tmp_path_factory.mktemp("managed") / "scp.log"
    command = script("pynetdicom_managed_scp.py")
    with serving(lambda port: [*command, str(port), wanted], log) as server:
        yield server


def asked_there(
    port: int, exchange: Exchange, title: str, reports: Reports, handlers: Sequence[Any]
) -> list[dict[str, Any]]:
    """Ask their server for everything; what it answered."""
    contexts = [build_context(uid) for uid in exchange.contexts]
    with AE(title).associate(LOOPBACK, port, contexts, evt_handlers=[*handlers]) as assoc:
        assert assoc.is_established, assoc.ended
        assert len(assoc.accepted_contexts) == len(contexts)
        answers = perform(assoc, exchange.asked, reports)
    assert assoc.is_released, assoc.ended
    return answers


@pytest.mark.parametrize("exchange", every_exchange("SCU"))
def test_every_request_there(theirs: Serving, exchange: Exchange) -> None:
    reports = Reports()
    handlers = [(evt.EVT_N_EVENT_REPORT, reports.n_event_report)]
    assert asked_there(theirs.port, exchange, "OURS", reports, handlers) == exchange.answers


@pytest.mark.conformance("N-CREATE", "SCU", "pynetdicom")
def test_it_names_what_it_creates(theirs: Serving) -> None:
    with AE("OURS").associate(LOOPBACK, theirs.port, [build_context(MEDIA)]) as assoc:
        status, created = assoc.send_n_create(item(PatientID="M1"), MEDIA)
        assert created == item(PatientID="M1")
        again, known = assoc.send_n_get([], MEDIA, status.AffectedSOPInstanceUID)
    assert (again.Status, known) == (SUCCESS, created)


@pytest.mark.conformance("Storage commitment", "SCU", "pynetdicom")
@pytest.mark.conformance("N-EVENT-REPORT", "SCU", "pynetdicom")
@pytest.mark.parametrize("name", ["commitment", "private"])
def test_reports_come_to_us_over_a_new_association(theirs: Serving, name: str) -> None:
    exchange, reports = EXCHANGES[name], Reports()
    ends: SimpleQueue[Any] = SimpleQueue()

    def end(event: Any) -> None:
        ends.put(event.assoc.ended)

    ae = AE("OURS")
    for uid in exchange.contexts:
        ae.add_supported_context(uid, scu_role=False, scp_role=True)
    handlers = [
        (evt.EVT_N_EVENT_REPORT, reports.n_event_report),
        (evt.EVT_ABORTED, end),
        (evt.EVT_RELEASED, end),
    ]
    server = ae.start_server((LOOPBACK, 0), block=False, evt_handlers=handlers)
    try:
        title = f"{ON_A_NEW_ASSOCIATION}{server.server_address[1]}"
        assert asked_there(theirs.port, exchange, title, reports, []) == exchange.answers
        for step in exchange.asked:
            if step["ask"] == "report":
                assert isinstance(ends.get(timeout=WAIT), Released)
    finally:
        ae.shutdown()


# -- our server -----------------------------------------------------------------------------------


class Reporting:
    """Sends reports when the response to the action is out, in a thread of their own."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.sent: Sent = []
        self._pool = pool
        self._due: dict[Any, Report] = {}

    def later(self, assoc: Any, report: Report) -> None:
        """Take a report, within the handler of the action."""
        self._due[assoc] = report

    def now(self, event: Any) -> None:
        """Send it, if there is one."""
        report = self._due.pop(event.assoc, None)
        if report is not None:
            title = event.assoc.requestor.ae_title
            send = send_anew if title.startswith(ON_A_NEW_ASSOCIATION) else send_besides
            self.sent.append(self._pool.submit(send, event.assoc, report))


def send_besides(assoc: Any, report: Report) -> tuple[Dataset, Dataset | None]:
    """Send a report over the association of the action."""
    return assoc.send_n_event_report(*report)


def send_anew(assoc: Any, report: Report) -> tuple[Dataset, Dataset | None]:
    """Send a report over a new association, to the port that the AE title names."""
    title, over = assoc.requestor.ae_title, report[5] or report[2]
    port = int(title.removeprefix(ON_A_NEW_ASSOCIATION))
    roles = [build_role(over, scp_role=True)]
    with AE("OURS").associate(LOOPBACK, port, [build_context(over)], title, ext_neg=roles) as new:
        assert new.is_established, new.ended
        answer = new.send_n_event_report(*report)
    assert new.is_released, new.ended
    return answer


@contextmanager
def serving_everything() -> Iterator[tuple[int, Sent]]:
    """Serve until the block is left; the port, and what came of the reports."""
    ae = AE("OURS")
    for uid in CONTEXTS:
        ae.add_supported_context(uid)
    with ThreadPoolExecutor() as pool:
        reporting = Reporting(pool)
        handlers = [
            *Managed(reporting.later, THERE).handlers(evt),
            (evt.EVT_DIMSE_SENT, reporting.now),
        ]
        server = ae.start_server((LOOPBACK, 0), block=False, evt_handlers=handlers)
        try:
            yield server.server_address[1], reporting.sent
        finally:
            ae.shutdown()


@pytest.fixture(scope="module")
def everything() -> Iterator[tuple[int, Sent]]:
    """Our server of everything."""
    with serving_everything() as ours:
        yield ours


def asked_here(ours: tuple[int, Sent], exchange: Exchange, listening: str = "") -> None:
    """Let pynetdicom ask our server for everything; check what it says was answered."""
    port, sent = ours
    sent.clear()
    wanted = json.dumps(
        {"contexts": exchange.contexts, "private": [PRIVATE], "steps": exchange.asked}
    )
    command = script("pynetdicom_managed_scu.py")
    said = json.loads(run_well([*command, str(port), listening, wanted]).splitlines()[-1])
    assert said == {"answers": exchange.answers, "released": True}
    replies = [each.result(WAIT) for each in sent]
    reports = [each for each in exchange.asked if each["ask"] == "report"]
    assert [status.Status for status, _ in replies] == [SUCCESS] * len(reports)


@pytest.mark.parametrize("exchange", every_exchange("SCP"))
def test_every_request_here(
    pynetdicom_here: None, everything: tuple[int, Sent], exchange: Exchange
) -> None:
    asked_here(everything, exchange)


@pytest.mark.conformance("Storage commitment", "SCP", "pynetdicom")
@pytest.mark.conformance("N-EVENT-REPORT", "SCP", "pynetdicom")
def test_reports_go_to_it_over_a_new_association(
    pynetdicom_here: None, everything: tuple[int, Sent]
) -> None:
    asked_here(everything, EXCHANGES["commitment"], "listening")

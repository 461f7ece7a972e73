"""Turns the N-services into calls of one AE and handlers of another, on loopback."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire import build_role, evt
from dicomwire.services.responding import response_for
from tests.network.ends import (
    CT,
    LOCAL,
    MR,
    VERIFICATION,
    WAIT,
    Box,
    Peer,
    call,
    entity,
    established,
    keys,
    pair,
    scripted,
    serving,
)
from tests.protocol import pairs

FIND_MODEL = "1.2.840.10008.5.1.4.1.2.1.1"
MOVE_MODEL = "1.2.840.10008.5.1.4.1.2.1.2"
PRINTER, META = "1.2.840.10008.5.1.1.16", "1.2.840.10008.5.1.1.9"
UPS_PUSH, UPS_PULL = "1.2.840.10008.5.1.4.34.6.1", "1.2.840.10008.5.1.4.34.6.3"
PRIVATE = "1.2.826.0.1.3680043.9.9999.1"
INSTANCE = "1.2.3"


# -- the N-services --------------------------------------------------------------------------

# method, arguments, event, the name of the data set that the handler sees
NORMALIZED = [
    ("send_n_event_report", (keys(), 2, PRINTER, INSTANCE), evt.EVT_N_EVENT_REPORT,
     "event_information"),
    ("send_n_get", ([0x21100010], PRINTER, INSTANCE), evt.EVT_N_GET, ""),
    ("send_n_set", (keys(), PRINTER, INSTANCE), evt.EVT_N_SET, "modification_list"),
    ("send_n_action", (keys(), 4, PRINTER, INSTANCE), evt.EVT_N_ACTION, "action_information"),
    ("send_n_create", (keys(), PRINTER, INSTANCE), evt.EVT_N_CREATE, "attribute_list"),
    ("send_n_delete", (PRINTER, INSTANCE), evt.EVT_N_DELETE, ""),
]  # fmt: skip
IDS = [row[0] for row in NORMALIZED]


def both_of(method: str, answer: Any) -> tuple[Dataset, Dataset | None]:
    return (answer, None) if method == "send_n_delete" else answer


@pytest.mark.parametrize(("method", "arguments", "event", "name"), NORMALIZED, ids=IDS)
@pytest.mark.parametrize("sop_class", [PRINTER, PRIVATE])
def test_what_one_asks_the_other_answers(
    method: str, arguments: Any, event: Any, name: str, sop_class: str
) -> None:
    seen: list[Any] = []

    def handler(e: Any) -> Any:
        seen.append(e)
        if name:
            assert getattr(e, name).PatientName == "A*"
        return 0 if method == "send_n_delete" else (0, keys(PatientID="7"))

    arguments = [sop_class if each == PRINTER else each for each in arguments]
    with established((event, handler), **pair(sop_class)) as (assoc, _):
        status, data = both_of(method, getattr(assoc, method)(*arguments, msg_id=77))
    assert status.Status == 0
    assert (data.PatientID == "7") if data is not None else method == "send_n_delete"
    [e] = seen
    assert e.message_id == 77
    request = e.request
    names = ("AffectedSOPInstanceUID", "RequestedSOPInstanceUID")
    assert INSTANCE in [getattr(request, each, None) for each in names]
    assert e.context.abstract_syntax == sop_class
    for attribute, value in (("event_type", 2), ("action_type", 4)):
        if method.endswith({2: "report", 4: "action"}[value]):
            assert getattr(e, attribute) == value
    if method == "send_n_get":
        assert e.attribute_identifiers == [0x21100010]


@pytest.mark.parametrize(("method", "arguments", "event", "name"), NORMALIZED, ids=IDS)
@pytest.mark.parametrize("how", ["failure", "raises", "shape", "unbound"])
def test_a_failure_brings_no_data_set_and_breaks_nothing(
    method: str, arguments: Any, event: Any, name: str, how: str
) -> None:
    def handler(e: Any) -> Any:
        if how == "raises":
            raise KeyError("of a handler")
        status = keys(Status=0x0110, ErrorComment="on purpose", ErrorID=3)
        if method == "send_n_delete":
            return "shape" if how == "shape" else status
        return status if how == "shape" else (status, keys())

    handlers = [] if how == "unbound" else [(event, handler)]
    with established(*handlers, **pair(PRINTER)) as (assoc, _):
        status, data = both_of(method, getattr(assoc, method)(*arguments))
        assert status.Status == (0xC002 if how == "shape" and "delete" in method else 0x0110)
        assert data is None
        if how == "failure":
            assert (status.ErrorComment, status.ErrorID) == ("on purpose", 3)
        assert assoc.is_established
        assert getattr(assoc, method)(*arguments) is not None


@pytest.mark.parametrize(("method", "arguments", "event", "name"), NORMALIZED, ids=IDS)
def test_contexts_of_others_are_used(method: str, arguments: Any, event: Any, name: str) -> None:
    def handler(e: Any) -> Any:
        contexts.append(str(e.context.abstract_syntax))
        return 0 if method == "send_n_delete" else (0, None)

    contexts: list[str] = []
    ups = [UPS_PUSH if each == PRINTER else each for each in arguments]
    with established((event, handler), **pair(META, UPS_PULL)) as (assoc, _):
        with pytest.raises(ValueError, match="No presentation context for 'Printer"):
            getattr(assoc, method)(*arguments)
        for asked, more in ((arguments, {"meta_uid": META}), (ups, {})):
            status, data = both_of(method, getattr(assoc, method)(*asked, **more))
            assert status.Status == 0
            assert data == (None if method == "send_n_delete" else Dataset())
    assert contexts == [META, UPS_PULL]


@pytest.mark.parametrize(
    ("asked", "seen"),
    [([], []), (None, []), ([0x00100010], [0x00100010]), ([(0x10, 0x20)], [0x00100020]),
     (["PatientName"], [0x00100010]), ([0x00100010, "PatientID"], [0x00100010, 0x00100020])],
)  # fmt: skip
def test_attribute_identifiers(asked: Any, seen: list[int]) -> None:
    found: list[Any] = []

    def handler(e: Any) -> Any:
        found.append(e.attribute_identifiers)
        return 0, keys()

    with established((evt.EVT_N_GET, handler), **pair(PRINTER)) as (assoc, _):
        assert assoc.send_n_get(asked, PRINTER, INSTANCE)[0].Status == 0
    assert found == [seen]


@pytest.mark.parametrize("given", [None, INSTANCE])
def test_who_creates_names(given: str | None) -> None:
    def handler(e: Any) -> Any:
        assert e.request.AffectedSOPInstanceUID == given
        return 0, keys(AffectedSOPInstanceUID="1.9", PatientID="7")

    with established((evt.EVT_N_CREATE, handler), **pair(PRINTER)) as (assoc, _):
        status, data = assoc.send_n_create(None, PRINTER, given)
    assert status.Status == 0
    assert status.AffectedSOPInstanceUID == (given or "1.9")
    assert data is not None
    assert [element.keyword for element in data] == ["PatientID"]


def test_a_reply_that_cannot_be_decoded_is_a_processing_failure() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        asked = peer.command()
        response = {**response_for(asked, 0, {}), "AffectedSOPClassUID": CT}
        peer.send(pairs.message(3, response, b"no data set"))
        peer.rest()

    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port)
        status, data = assoc.send_n_get([], CT, INSTANCE)
        assert (status.Status, data) == (0x0110, None)
        assoc.abort()


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("send_n_action", (None, "4", PRINTER, INSTANCE), TypeError),
        ("send_n_event_report", (None, 70_000, PRINTER, INSTANCE), ValueError),
        ("send_n_get", (["no keyword"], PRINTER, INSTANCE), ValueError),
        ("send_n_delete", (PRINTER, INSTANCE, -1), ValueError),
        ("send_n_delete", (MR, INSTANCE), ValueError),
        ("send_c_find", (keys(), FIND_MODEL, 70_000), ValueError),
        ("send_c_find", (keys(), FIND_MODEL, 1, 3), ValueError),
        ("send_c_find", (keys(), MOVE_MODEL), ValueError),
        ("send_c_move", (keys(), "x" * 17, FIND_MODEL), ValueError),
        ("send_c_cancel", (1,), ValueError),
        ("send_c_cancel", (1, None, MOVE_MODEL), ValueError),
    ],
)
def test_what_cannot_be_asked_is_refused_and_nothing_is_sent(
    method: str, arguments: Any, error: type[Exception]
) -> None:
    with established(**pair(PRINTER, FIND_MODEL)) as (assoc, other):
        box = Box()
        other.bind(evt.EVT_PDU_RECV, box.put)
        with pytest.raises(error):
            getattr(assoc, method)(*arguments)
        assert box.things == []
        assert assoc.is_established
    with pytest.raises(RuntimeError, match="must be established"):
        assoc.send_n_delete(PRINTER, INSTANCE)
    with pytest.raises(RuntimeError, match="must be established"):
        assoc.send_c_find(keys(), FIND_MODEL)


# -- what an acceptor asks -------------------------------------------------------------------


def reporting(e: Any) -> Any:
    return 0, keys(PatientID=str(e.event_information.PatientID), PatientName=str(e.event_type))


REPORTS = {"evt_handlers": [(evt.EVT_N_EVENT_REPORT, reporting)]}


def test_an_acceptor_reports_an_event_inside_its_handler() -> None:
    found: list[Any] = []

    def on_action(e: Any) -> Any:
        found.append(e.assoc.send_n_event_report(keys(PatientID="1"), 3, PRINTER, INSTANCE))
        return 0, None

    with established((evt.EVT_N_ACTION, on_action), **pair(PRINTER), **REPORTS) as (assoc, _):
        for _round in range(3):
            assert assoc.send_n_action(None, 1, PRINTER, INSTANCE)[0].Status == 0
    assert [(status.Status, data.PatientID) for status, data in found] == [(0, "1")] * 3


def test_an_acceptor_reports_an_event_when_its_association_stands() -> None:
    def ready(e: Any) -> None:
        box.put(e.assoc.send_n_event_report(keys(PatientID="1"), 3, PRINTER, INSTANCE))

    box = Box()
    handlers = [(evt.EVT_ESTABLISHED, ready)]
    with established(*handlers, **pair(PRINTER), **REPORTS):
        [(status, data)] = box.wait()
    assert (status.Status, data.PatientID) == (0, "1")


def test_other_threads_report_over_an_acceptor_that_waits() -> None:
    with established(**pair(PRINTER), **REPORTS) as (assoc, other), ThreadPoolExecutor(4) as pool:
        asked = [
            pool.submit(other.send_n_event_report, keys(PatientID=str(n)), n, PRINTER, INSTANCE)
            for n in range(12)
        ]
        answers = [each.result(WAIT) for each in asked]
        assert [str(data.PatientID) for _, data in answers if data] == [str(n) for n in range(12)]
        assert [str(data.PatientName) for _, data in answers if data] == [str(n) for n in range(12)]
        assert assoc.is_established
        assert other.is_established


def test_reports_and_requests_cross() -> None:
    handlers = [(evt.EVT_N_ACTION, lambda e: (0, keys(PatientID=str(e.action_type))))]
    with established(*handlers, **pair(PRINTER), **REPORTS) as (assoc, other):

        def reply_of(answer: tuple[Dataset, Dataset | None]) -> str:
            return str(answer[1] and answer[1].PatientID)

        def report() -> list[str]:
            asked = [keys(PatientID=str(n)) for n in range(50)]
            return [reply_of(other.send_n_event_report(k, 1, PRINTER, INSTANCE)) for k in asked]

        def act() -> list[str]:
            return [reply_of(assoc.send_n_action(None, n, PRINTER, INSTANCE)) for n in range(50)]

        with ThreadPoolExecutor(2) as pool:
            one, two = pool.submit(report), pool.submit(act)
            assert one.result(WAIT) == two.result(WAIT) == [str(n) for n in range(50)]


def test_a_report_from_another_thread_waits_no_longer_than_the_time_out() -> None:
    inside, go = threading.Event(), threading.Event()

    def slow(e: Any) -> Any:
        inside.set()
        assert go.wait(WAIT)
        return 0, None

    handlers = {"evt_handlers": [(evt.EVT_N_EVENT_REPORT, slow)]}
    with established(**pair(PRINTER), **handlers) as (_, other), ThreadPoolExecutor(1) as pool:
        other.dimse_timeout = 0.05
        asked = pool.submit(other.send_n_event_report, keys(), 1, PRINTER, INSTANCE)
        assert inside.wait(WAIT)
        assert asked.result(WAIT) == (Dataset(), None)
        go.set()
        other.join(WAIT)
        assert other.is_aborted
        assert "response" in str(other.ended)


@pytest.mark.parametrize("ending", ["abort", "release"])
def test_a_report_from_another_thread_ends_with_the_association(ending: str) -> None:
    inside, go = threading.Event(), threading.Event()

    def slow(e: Any) -> Any:
        inside.set()
        assert go.wait(WAIT)
        getattr(e.assoc, ending)()
        return 0, None

    handlers = {"evt_handlers": [(evt.EVT_N_EVENT_REPORT, slow)]}
    with established(**pair(PRINTER), **handlers) as (_, other), ThreadPoolExecutor(1) as pool:
        asked = pool.submit(other.send_n_event_report, keys(), 1, PRINTER, INSTANCE)
        assert inside.wait(WAIT)
        go.set()
        assert asked.result(WAIT) == (Dataset(), None)
        other.join(WAIT)
        with pytest.raises(RuntimeError):
            other.send_n_event_report(keys(), 1, PRINTER, INSTANCE)


def test_another_thread_releases_an_acceptors_association() -> None:
    box = Box()
    handlers = {"evt_handlers": [(evt.EVT_RELEASED, box.put)]}
    with established(**pair(PRINTER), **handlers) as (_, other):
        other.release()
        other.join(WAIT)
        assert other.is_released
        box.wait()


@pytest.mark.parametrize("inside", [True, False])
def test_an_acceptor_does_not_ask_for_many_responses(inside: bool) -> None:
    def on_echo(e: Any) -> int:
        with pytest.raises(RuntimeError, match="association of your own"):
            e.assoc.send_c_find(keys(), FIND_MODEL)
        return 0

    uids = VERIFICATION, FIND_MODEL
    scp, scu = entity("SCP", *uids), entity("SCU", *uids)
    scp.add_supported_context(FIND_MODEL, scu_role=True, scp_role=True)
    roles = [build_role(FIND_MODEL, scu_role=True, scp_role=True)]
    handlers = [(evt.EVT_C_ECHO, on_echo)]
    with established(*handlers, scp=scp, scu=scu, ext_neg=roles) as (assoc, other):
        if inside:
            assert assoc.send_c_echo().Status == 0
        else:
            with pytest.raises(RuntimeError, match="association of your own"):
                other.send_c_find(keys(), FIND_MODEL)
        assert assoc.is_established


def test_a_report_can_go_over_an_association_of_its_own() -> None:
    with (
        serving(entity("SCU", PRINTER), (evt.EVT_N_EVENT_REPORT, reporting)) as server,
        call(server, entity("SCP", PRINTER)) as assoc,
    ):
        status, data = assoc.send_n_event_report(keys(PatientID="1"), 3, PRINTER, INSTANCE)
    assert (status.Status, data and data.PatientID) == (0, "1")


def test_a_report_that_comes_while_nobody_asks_anything_is_answered() -> None:
    with established(**pair(PRINTER), **REPORTS) as (assoc, other):
        assert other.send_n_event_report(keys(PatientID="1"), 3, PRINTER, INSTANCE)[0].Status == 0
        assert assoc.is_established

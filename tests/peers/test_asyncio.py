"""Our asyncio API with DCMTK's tools and with pynetdicom, in either role."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from dicomwire import AE, aio, build_context, evt
from dicomwire.network.normalized import _with_data
from dicomwire.protocol.errors import Released
from tests.network.aio.loops import asynchronous
from tests.peers import LOOPBACK, Serving, run_well
from tests.peers import test_managed_pynetdicom as managed
from tests.peers import test_query_dcmtk as dcmtk_queries
from tests.peers import test_query_pynetdicom as pynetdicom_queries
from tests.peers.conftest import Start, script
from tests.peers.exchanges import CONTEXTS, EXCHANGES, PRIVATE, THERE, Exchange
from tests.peers.loops import archive, echo_and_send, find, get, move, receiving
from tests.peers.objects import UNCOMPRESSED, Object, contents
from tests.peers.queries import (
    CANCELLED,
    NM_STUDY,
    PENDING,
    SUCCESS,
    UNKNOWN_DESTINATION,
    Counts,
    keys,
    study_of,
)
from tests.peers.scripts.managed import Managed, Reports, perform

Tool = Callable[..., str]
Received = Callable[[], dict[str, bytes]]
Arrived = Callable[[], list[Object]]

# what the tests of the blocking API start
some, qrscp = dcmtk_queries.some, dcmtk_queries.qrscp
scp, scu = pynetdicom_queries.scp, pynetdicom_queries.scu
theirs = managed.theirs


def shows(service: str, role: str, peer: str) -> pytest.MarkDecorator:
    return pytest.mark.conformance(service, role, peer, api="asyncio")


STUDY = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={NM_STUDY}"]

# -- DCMTK asks ------------------------------------------------------------------------------------


@shows("C-ECHO", "SCP", "DCMTK")
@pytest.mark.parametrize("environment", [{}, {"TCP_NODELAY": "1"}], ids=["Nagle", "no delay"])
@asynchronous
async def test_echoscu(dcmtk: Tool, environment: dict[str, str]) -> None:
    async with receiving() as ours:
        arguments = ["-v", "--repeat", "50", LOOPBACK, str(ours.port)]
        printed = await asyncio.to_thread(dcmtk, "echoscu", *arguments, **environment)
        assert printed.count("Received Echo Response (Success)") == 50
        assert isinstance((await asyncio.to_thread(ours.next_end)).ended, Released)


@shows("C-STORE", "SCP", "DCMTK")
@pytest.mark.parametrize("kept_in", ["memory", "files"])
@asynchronous
async def test_storescu(
    dcmtk: Tool,
    objects: list[Object],
    as_dcmtk_writes: Callable[[Object], Object],
    tmp_path: Path,
    kept_in: str,
) -> None:
    plain = [each for each in objects if each.syntax == "1.2.840.10008.1.2.1"]
    async with receiving(tmp_path if kept_in == "files" else None) as ours:
        paths = [each.path for each in plain]
        await asyncio.to_thread(dcmtk, "storescu", "-R", LOOPBACK, str(ours.port), *paths)
        assert isinstance((await asyncio.to_thread(ours.next_end)).ended, Released)
    assert ours.by_instance == {each.instance: as_dcmtk_writes(each).data for each in plain}


@shows("C-FIND", "SCP", "DCMTK")
@asynchronous
async def test_findscu_gives_up(dcmtk: Tool) -> None:
    async def endless(event: Any) -> AsyncIterator[Any]:
        while not event.is_cancelled:
            yield PENDING, keys("STUDY", StudyInstanceUID="1.2.3")
        yield CANCELLED, None

    async with archive([], find=endless) as ours:
        arguments = ["-v", "-S", "--cancel", "3", *STUDY, LOOPBACK, str(ours.port)]
        printed = await asyncio.to_thread(dcmtk, "findscu", *arguments)
        assert isinstance((await asyncio.to_thread(ours.next_end)).ended, Released)
    assert "Cancel" in printed


@shows("C-GET", "SCP", "DCMTK")
@asynchronous
async def test_getscu(
    dcmtk: Tool, some: list[Object], received_objects: Arrived, tmp_path: Path
) -> None:
    (tmp_path / "received").mkdir()
    async with archive(some) as ours:
        arguments = ["-S", "-od", tmp_path / "received", *STUDY, LOOPBACK, str(ours.port)]
        await asyncio.to_thread(dcmtk, "getscu", *arguments)
    assert contents(received_objects()) == contents(some[:4])


@shows("C-MOVE", "SCP", "DCMTK")
@asynchronous
async def test_movescu_to_storescp(
    dcmtk: Tool, dcmtk_scp: Start, some: list[Object], received_objects: Arrived
) -> None:
    with dcmtk_scp("storescp") as third:
        async with archive(some, {"THIRD": third.port}) as ours:
            arguments = ["-S", "-aem", "THIRD", *STUDY, LOOPBACK, str(ours.port)]
            await asyncio.to_thread(dcmtk, "movescu", *arguments)
    assert contents(received_objects()) == contents(some[:4])


# -- we ask DCMTK ----------------------------------------------------------------------------------


@shows("C-ECHO", "SCU", "DCMTK")
@shows("C-STORE", "SCU", "DCMTK")
@pytest.mark.parametrize("environment", [{}, {"TCP_NODELAY": "1"}], ids=["Nagle", "no delay"])
@asynchronous
async def test_storescp_keeps_every_byte(
    dcmtk_scp: Start,
    objects: list[Object],
    large: Object,
    received: Received,
    environment: dict[str, str],
) -> None:
    everything = [*objects, large]
    with dcmtk_scp("storescp", "+xa", "+B", **environment) as peer:
        await echo_and_send(peer.port, everything)
    assert received() == {each.instance: each.data for each in everything}


@shows("C-FIND", "SCU", "DCMTK")
@shows("C-GET", "SCU", "DCMTK")
@shows("C-MOVE", "SCU", "DCMTK")
@asynchronous
async def test_dcmqrscp(qrscp: Any, some: list[Object]) -> None:
    study = keys("STUDY", StudyInstanceUID=NM_STUDY)
    async with receiving() as ours:
        starting = qrscp(ours.port)
        peer = await asyncio.to_thread(starting.__enter__)
        try:
            studies = await find(peer.port, keys("STUDY", StudyInstanceUID="", PatientName=""))
            outcome, came = await get(peer.port, study, some)
            moved = await move(peer.port, study, "OURS")
            unknown = await move(peer.port, study, "NOWHERE")
        finally:
            await asyncio.to_thread(starting.__exit__, None, None, None)
    assert {each.StudyInstanceUID for each in studies} == {study_of(each) for each in some}
    assert outcome == moved == Counts(SUCCESS, 4, 0, 0)
    assert came.contents == ours.contents == contents(some[:4])
    assert unknown.status == UNKNOWN_DESTINATION


# -- pynetdicom ------------------------------------------------------------------------------------


@shows("C-ECHO", "SCU", "pynetdicom")
@shows("C-STORE", "SCU", "pynetdicom")
@asynchronous
async def test_send_to_pynetdicom(
    pynetdicom_scp: Start, objects: list[Object], received: Received
) -> None:
    with pynetdicom_scp() as peer:
        await echo_and_send(peer.port, objects)
    assert received() == {each.instance: each.data for each in objects}


@shows("C-ECHO", "SCP", "pynetdicom")
@shows("C-STORE", "SCP", "pynetdicom")
@asynchronous
async def test_pynetdicom_sends(
    pynetdicom_scu: Callable[..., dict[str, Any]], objects: list[Object]
) -> None:
    plain = [each for each in objects if each.syntax in UNCOMPRESSED]
    async with receiving() as ours:
        said = await asyncio.to_thread(pynetdicom_scu, ours.port)
        assert said == {"accepted": True, "statuses": [0], "ended": ["released"]}
        paths = [each.path for each in plain]
        said = await asyncio.to_thread(pynetdicom_scu, ours.port, *paths)
    assert said["statuses"] == [0] * len(plain)
    assert ours.contents == contents(plain)


@shows("C-FIND", "SCU", "pynetdicom")
@shows("C-GET", "SCU", "pynetdicom")
@shows("C-MOVE", "SCU", "pynetdicom")
@asynchronous
async def test_an_archive_of_pynetdicoms(scp: Any, some: list[Object]) -> None:
    study = keys("STUDY", StudyInstanceUID=NM_STUDY)
    async with receiving() as ours:
        with scp(ours.port) as peer:
            found = await find(peer.port, keys("IMAGE", StudyInstanceUID=NM_STUDY))
            outcome, came = await get(peer.port, study, some)
            moved = await move(peer.port, study, "OURS")
    assert {each.SOPInstanceUID for each in found} == {each.instance for each in some[:4]}
    assert outcome == moved == Counts(SUCCESS, 4, 0, 0)
    assert came.contents == ours.contents == contents(some[:4])


@shows("C-FIND", "SCP", "pynetdicom")
@shows("C-GET", "SCP", "pynetdicom")
@asynchronous
async def test_pynetdicom_asks(
    scu: Callable[..., dict[str, Any]], some: list[Object], received_objects: Arrived
) -> None:
    async with archive(some) as ours:
        found = await asyncio.to_thread(scu, ours.port, "find", "*")
        got = await asyncio.to_thread(scu, ours.port, "get", NM_STUDY)
    assert set(found["found"]) == {study_of(each) for each in some}
    assert (got["status"], got["completed"], got["released"]) == (SUCCESS, 4, True)
    assert contents(received_objects()) == contents(some[:4])


@shows("C-MOVE", "SCP", "pynetdicom")
@asynchronous
async def test_pynetdicom_has_objects_moved(
    scu: Callable[..., dict[str, Any]],
    pynetdicom_scp: Start,
    some: list[Object],
) -> None:
    with pynetdicom_scp() as third:
        async with archive(some, {"THIRD": third.port}) as ours:
            said = await asyncio.to_thread(scu, ours.port, "move", NM_STUDY, "THIRD")
    assert (said["status"], said["completed"], said["released"]) == (SUCCESS, 4, True)


# -- the N-services, with pynetdicom ---------------------------------------------------------------

# Reports are sent besides a handler of an action by threads: the asyncio API has its own test.
WITHOUT_REPORTS = {
    name: each
    for name, each in EXCHANGES.items()
    if not any(step["ask"] == "report" for step in each.asked)
}


def every_exchange(exchanges: dict[str, Exchange], role: str) -> list[Any]:
    return [
        pytest.param(
            each,
            marks=[shows(service, role, "pynetdicom") for service in (each.row, *each.services)],
            id=name,
        )
        for name, each in exchanges.items()
    ]


class Blocking:
    """An association of asyncio as `perform` asks one, in another thread than the loop's."""

    def __init__(self, assoc: aio.Association) -> None:
        self._assoc = assoc
        self._loop = asyncio.get_running_loop()

    def __getattr__(self, name: str) -> Any:
        def ask(*args: Any, **more: Any) -> Any:
            asking = getattr(self._assoc, name.removeprefix("send_"))(*args, **more)
            if name == "send_c_find":
                found = self._wait(_all(asking))
                # what it sends with the last response is no match
                return [
                    (each.dataset(), each.decode() if each.status == PENDING else None)
                    for each in found
                ]
            answer = _with_data(self._wait(asking))
            return answer[0] if name == "send_n_delete" else answer

        return ask

    def _wait(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)


async def _all(answers: aio.Answers) -> list[Any]:
    return [each async for each in answers]


@pytest.mark.parametrize("exchange", every_exchange(EXCHANGES, "SCU"))
@asynchronous
async def test_every_request_there(theirs: Serving, exchange: Exchange) -> None:
    reports = Reports()
    handlers = [(evt.EVT_N_EVENT_REPORT, reports.n_event_report)]
    contexts = [build_context(uid) for uid in exchange.contexts]
    async with aio.connect(
        LOOPBACK, theirs.port, contexts, ae=AE("OURS"), handlers=handlers
    ) as assoc:
        answers = await asyncio.to_thread(perform, Blocking(assoc), exchange.asked, reports)
    assert assoc.is_released, assoc.ended
    assert answers == exchange.answers


@pytest.mark.parametrize("exchange", every_exchange(WITHOUT_REPORTS, "SCP"))
@asynchronous
async def test_every_request_here(pynetdicom_here: None, exchange: Exchange) -> None:
    handlers = Managed(lambda assoc, report: None, THERE).handlers(evt)
    wanted = {"contexts": exchange.contexts, "private": [PRIVATE], "steps": exchange.asked}
    async with aio.serve(LOOPBACK, 0, handlers, CONTEXTS, ae=AE("OURS")) as server:
        command = [*script("pynetdicom_managed_scu.py"), str(server.port), "", json.dumps(wanted)]
        printed = await asyncio.to_thread(run_well, command)
    said = json.loads(printed.splitlines()[-1])
    assert said == {"answers": exchange.answers, "released": True}

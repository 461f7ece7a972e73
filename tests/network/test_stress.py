"""Turns many threads at once into what each of them alone would have got: nothing is mixed.

The interpreter changes threads as often as it can, so that what relies on its lock breaks.
"""

from __future__ import annotations

import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dicomwire import Association, build_role, evt
from dicomwire.network.events import Handlers
from dicomwire.protocol.errors import Ended
from tests.network.ends import (
    CT,
    LOCAL,
    VERIFICATION,
    WAIT,
    Box,
    call,
    descriptors,
    entity,
    established,
    image,
    keys,
    pair,
    port_of,
    serving,
    until,
)

STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
OVER = (Ended, RuntimeError)  # what may be said to who uses an association that is just ending


@pytest.fixture(autouse=True)
def switching() -> Iterator[None]:
    """The interpreter changes threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No thread and no descriptor of a test outlives it; the watcher of the process may."""
    with established():
        pass
    until(lambda: threading.active_count() <= 2)
    threads, opened = threading.active_count(), descriptors()
    yield
    until(lambda: threading.active_count() <= threads)
    until(lambda: descriptors() <= opened)


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run work(0), work(1), ... in threads that begin at once; what one raises is raised."""
    start = threading.Barrier(count)

    def begin(number: int) -> Any:
        start.wait(WAIT)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count), timeout=60))


def test_sixteen_threads_on_one_association_get_their_own_answers() -> None:
    def on_find(event: Any) -> Iterator[tuple[int, Any]]:
        for index in range(3):
            yield 0xFF00, keys(PatientID=f"{event.identifier.PatientID}/{index}")

    handlers = [
        (evt.EVT_C_ECHO, lambda event: event.message_id),
        (evt.EVT_C_STORE, lambda event: int(str(event.dataset.SOPInstanceUID).split(".")[-1])),
        (evt.EVT_C_FIND, on_find),
    ]
    with established(*handlers, **pair(VERIFICATION, CT, STUDY_FIND)) as (assoc, _):

        def work(number: int) -> None:
            for turn in range(4):
                unique = 1 + number * 100 + turn
                assert assoc.send_c_echo(unique).Status == unique
                sent = image(f"1.2.{unique + 50}", size=40_000 if turn % 2 else 10)
                assert assoc.send_c_store(sent).Status == unique + 50
                asked = keys(PatientID=str(unique), QueryRetrieveLevel="STUDY")
                found = list(assoc.send_c_find(asked, STUDY_FIND))
                names = [each.PatientID for _, each in found if each is not None]
                assert names == [f"{unique}/{index}" for index in range(3)]
                assert [status.Status for status, _ in found] == [0xFF00] * 3 + [0]

        together(16, work)
        assert assoc.is_established


@pytest.mark.parametrize("by", ["requestor", "acceptor"])
def test_an_abort_at_any_point_ends_everything_in_good_order(by: str) -> None:
    chance = random.Random(20)
    ends: list[Association] = []
    scp = entity("SCP")
    handlers = [
        (evt.EVT_C_STORE, lambda event: 0),
        (evt.EVT_ESTABLISHED, lambda event: ends.append(event.assoc)),
    ]
    with serving(scp, *handlers) as server:
        for _ in range(25):
            assoc, count = call(server), chance.randrange(1, 12)
            assert assoc.is_established
            until(lambda: bool(ends))
            victim = {"requestor": assoc, "acceptor": ends.pop()}[by]
            begun, answers = threading.Semaphore(0), Box()

            def use(assoc: Any = assoc, begun: Any = begun, answers: Any = answers) -> None:
                try:
                    while True:
                        begun.release()
                        assoc.c_store(image(size=100_000))
                        begun.release()
                        answers.put(assoc.c_echo().status)
                except OVER:
                    return

            users = [threading.Thread(target=use) for _ in range(3)]
            for user in users:
                user.start()
            for _ in range(count):
                begun.acquire()
            victim.abort()
            for user in users:
                user.join(WAIT)
                assert not user.is_alive()
            assoc.join(WAIT)
            assert assoc.is_aborted
            assert (assoc.is_released, assoc.is_rejected, assoc.is_established) == (False,) * 3
            assert set(answers.things) <= {0}
        until(lambda: scp.active_associations == [] and not scp._places._taken)


def test_handlers_come_and_go_during_traffic() -> None:
    kinds = (evt.EVT_PDU_RECV, evt.EVT_DATA_RECV, evt.EVT_DIMSE_RECV, evt.EVT_PDU_SENT,
             evt.EVT_DIMSE_SENT, evt.EVT_FSM_TRANSITION)  # fmt: skip
    sizes: Box = Box()

    def on_store(event: Any) -> int:
        return sizes.put(bytes(event.dataset.PixelData)) or 0

    with established((evt.EVT_C_STORE, on_store)) as (assoc, acceptor):
        done = threading.Event()

        def rebind(number: int) -> None:
            def listener(event: Any) -> None:
                assert event.assoc in (assoc, acceptor)

            while not done.is_set():
                for kind in kinds:
                    assoc.bind(kind, listener)
                    acceptor.bind(kind, listener)
                for kind in kinds:
                    assoc.unbind(kind, listener)
                    acceptor.unbind(kind, listener)

        with ThreadPoolExecutor(3) as pool:
            changing = [pool.submit(rebind, number) for number in range(3)]
            try:
                for number in range(30):
                    sent = image(f"1.2.{number}", size=200_000)
                    sent.PixelData = bytes([number]) * 200_000
                    assert assoc.send_c_store(sent).Status == 0
            finally:
                done.set()
            for each in changing:
                each.result(WAIT)
        assert assoc.get_events() == []
        assert acceptor.get_events() == [evt.EVT_C_STORE, evt.EVT_ESTABLISHED]
    assert sizes.things == [bytes([number]) * 200_000 for number in range(30)]


def test_what_many_threads_bind_is_bound() -> None:
    handlers = Handlers()

    def work(number: int) -> list[Any]:
        mine = [lambda event: None for _ in range(50)]
        for each in mine:
            handlers.bind(evt.EVT_ABORTED, each)
            handlers.copy()
        for each in mine[1:]:
            handlers.unbind(evt.EVT_ABORTED, each)
        return mine

    kept = [mine[0] for mine in together(8, work)]
    bound: Any = handlers.bound(evt.EVT_ABORTED)
    assert Counter(handler for handler, _ in bound) == Counter(kept)


def test_hundreds_of_associations_opened_and_closed_by_many_threads() -> None:
    box = Box()
    scp = entity("SCP")
    handlers = [(evt.EVT_C_ECHO, lambda event: box.put(event.message_id) or 0)]
    with serving(scp, *handlers) as server:
        port = port_of(server)

        def work(number: int) -> int:
            ae = entity(f"SCU{number}")
            for turn in range(20):
                assoc = ae.associate(LOCAL, port)
                assert assoc.is_established, assoc.ended
                assert assoc.send_c_echo(1 + number * 20 + turn).Status == 0
                (assoc.release if turn % 3 else assoc.abort)()
                assert assoc.is_released if turn % 3 else assoc.is_aborted
            assert ae.active_associations == []
            return 20

        assert sum(together(16, work)) == 320
        until(lambda: scp.active_associations == [] and not scp._places._taken)
        assert server.active_associations == []
    assert sorted(box.things) == list(range(1, 321))


def test_sixty_four_senders_at_once_lose_nothing() -> None:
    box = Box()

    def on_store(event: Any) -> int:
        return box.put((str(event.dataset.SOPInstanceUID), len(event.dataset.PixelData)))

    with serving(None, (evt.EVT_C_STORE, on_store)) as server:

        def work(number: int) -> None:
            with call(server) as assoc:
                assert assoc.is_established, assoc.ended
                for turn in range(5):
                    sent = image(f"1.2.{number}.{turn}", size=20_480)
                    assert assoc.send_c_store(sent).Status == 0

        together(64, work)
    assert sorted(box.things) == sorted(
        (f"1.2.{number}.{turn}", 20_480) for number in range(64) for turn in range(5)
    )


def test_none_too_many_and_none_too_few() -> None:
    """With as many threads as places nobody is refused; one more is, and nothing else happens."""
    scp = entity("SCP")
    scp.maximum_associations = 8
    with serving(scp) as server:
        standing = together(12, lambda number: call(server))
        accepted = [assoc for assoc in standing if assoc.is_established]
        assert len(accepted) == 8
        refused: list[Any] = [assoc.ended for assoc in standing if assoc.is_rejected]
        assert [(each.result, each.source, each.reason) for each in refused] == [(2, 3, 2)] * 4
        together(8, lambda number: accepted[number].release())


def test_a_shutdown_in_the_middle_ends_everything() -> None:
    scp = entity("SCP")
    with serving(scp, (evt.EVT_C_STORE, lambda event: 0)) as server:
        port, under_way = port_of(server), threading.Semaphore(0)

        def work(number: int) -> str:
            ae = entity(f"SCU{number}")
            while True:
                assoc = ae.associate(LOCAL, port)
                try:
                    while assoc.is_established:
                        assert assoc.c_store(image(size=50_000)).status == 0
                        assert assoc.c_echo().status == 0
                        under_way.release()
                except OVER:
                    pass
                assoc.join(WAIT)
                assert not assoc.is_alive()
                if not assoc.is_aborted and not assoc.is_released:
                    return type(assoc.ended).__name__
                if not under_way.acquire(blocking=False):
                    return type(assoc.ended).__name__

        with ThreadPoolExecutor(8) as pool:
            users = [pool.submit(work, number) for number in range(8)]
            for _ in range(30):
                under_way.acquire()
            scp.shutdown()
            assert {user.result(WAIT) for user in users} <= {"Aborted", "Lost"}
        until(lambda: scp.active_associations == [])


@pytest.mark.parametrize("streamed", [False, True])
def test_both_sides_send_at_once_and_neither_loses_a_byte(streamed: bool, tmp_path: Path) -> None:
    """An acceptor sends from a thread of its own while the other one receives."""
    size, rounds = 12_000_000, 2
    ours, theirs = Box(), Box()
    scp, scu = entity("SCP", CT), entity("SCU", CT)
    scp.supported_contexts = []
    scp.add_supported_context(CT, scu_role=True, scp_role=True)
    kept = {
        "evt_handlers": [(evt.EVT_C_STORE, lambda e: theirs.put(bytes(e.dataset.PixelData)) or 0)],
        "ext_neg": [build_role(CT, scu_role=True, scp_role=True)],
    }

    def filled(number: int) -> Any:
        data = image(f"1.2.{number}", size=size)
        data.PixelData = bytes([number]) * size
        if not streamed:
            return data
        path = tmp_path / f"{threading.get_ident()}.dcm"
        data.save_as(path, enforce_file_format=True)
        return path

    handler = (evt.EVT_C_STORE, lambda e: ours.put(bytes(e.dataset.PixelData)) or 0)
    with established(handler, scp=scp, scu=scu, **kept) as (assoc, acceptor):

        def work(number: int) -> None:
            for turn in range(rounds):
                assert (assoc, acceptor)[number].c_store(filled(turn)).status == 0

        together(2, work)
    assert ours.things == [bytes([turn]) * size for turn in range(rounds)]
    assert theirs.things == [bytes([turn]) * size for turn in range(rounds)]

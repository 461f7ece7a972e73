"""Turns many threads on one association, and on many, into one operation after the other."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from dicomwire import build_role, evt
from dicomwire.network.turn import Turn
from tests.network.ends import (
    LOCAL,
    VERIFICATION,
    WAIT,
    Box,
    busy,
    call,
    descriptors,
    entity,
    established,
    image,
    port_of,
    serving,
    until,
)


@pytest.fixture
def switching() -> Iterator[None]:
    """The interpreter changes threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run work(0), work(1), ... in threads that begin at once."""
    start = threading.Barrier(count)

    def begin(number: int) -> Any:
        start.wait(WAIT)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def test_a_turn_is_taken_by_one_after_the_other() -> None:
    turn, inside, most = Turn(), [0], [0]

    def work(number: int) -> None:
        for _ in range(50):
            turn.take("work")
            assert turn.is_mine
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            inside[0] -= 1
            turn.give()

    together(8, work)
    assert most == [1]
    assert not turn.is_mine


def test_a_turn_within_a_turn_names_both() -> None:
    turn = Turn()
    turn.take("C-STORE")
    with pytest.raises(RuntimeError, match="C-ECHO cannot begin inside C-STORE"):
        turn.take("C-ECHO")
    turn.give()
    turn.take("C-ECHO")


def test_the_turn_of_a_thread_that_has_ended_is_nobody_elses() -> None:
    """The next thread often has its number; it waits nevertheless."""
    turn, found = Turn(), Box()
    first = threading.Thread(target=turn.take, args=("C-FIND",))
    first.start()
    first.join(WAIT)

    def wait() -> None:
        found.put(turn.is_mine)
        turn.take("C-ECHO")
        found.put(turn.is_mine)

    second = threading.Thread(target=wait)
    second.start()
    assert found.wait(1) == [False]
    turn.give()
    assert found.wait(2) == [False, True]
    second.join(WAIT)


@pytest.mark.box("3.14", "3.v")
def test_threads_on_one_association_are_served_in_turn_and_never_mixed(switching: None) -> None:
    threads: Box = Box()

    def on_store(event: Any) -> int:
        threads.put((event.message_id, str(event.request.AffectedSOPInstanceUID)))
        return int(event.message_id)

    handlers = [(evt.EVT_C_STORE, on_store)]
    with established(*handlers, (evt.EVT_C_ECHO, lambda e: e.message_id)) as (assoc, _):

        def work(number: int) -> bool:
            fine = True
            for round_ in range(10):
                msg_id = 1 + number * 100 + round_
                data = image(f"1.2.{msg_id}", size=40_000 if round_ % 2 else 0)
                fine &= assoc.send_c_store(data, msg_id).Status == msg_id
                fine &= assoc.send_c_echo(msg_id + 50).Status == msg_id + 50
            return fine

        assert together(6, work) == [True] * 6
        assert assoc.is_established
    assert sorted(threads.things) == sorted(
        (m, f"1.2.{m}") for m in (1 + n * 100 + r for n in range(6) for r in range(10))
    )


@pytest.mark.parametrize("inner", ["send_c_echo", "send_c_store"])
def test_nesting_names_the_operation_under_way(inner: str) -> None:
    found: list[str] = []

    def nest(event: Any) -> None:
        arguments = [image()] if inner == "send_c_store" else []
        try:
            getattr(event.assoc, inner)(*arguments)
        except RuntimeError as error:
            found.append(str(error))

    with established() as (assoc, _):
        assoc.bind(evt.EVT_DIMSE_SENT, nest)
        assert assoc.send_c_echo().Status == 0
        assert assoc.is_established
    name = "C-ECHO" if inner == "send_c_echo" else "C-STORE"
    assert len(found) == 1
    assert f"{name} cannot begin inside C-ECHO" in found[0]


@pytest.mark.parametrize("roles", [True, False])
def test_an_acceptor_asks_inside_its_handler_what_its_role_allows(roles: bool) -> None:
    found: list[Any] = []
    scp = entity("SCP")
    scp.add_supported_context(VERIFICATION, scu_role=True, scp_role=True)
    asked = [build_role(VERIFICATION, scu_role=True, scp_role=True)] if roles else []

    def on_store(event: Any) -> int:
        if roles:
            assert event.assoc.send_c_echo().Status == 0
        else:
            with pytest.raises(ValueError, match="SCU role"):
                event.assoc.send_c_echo()
        with entity("BACK").associate(LOCAL, port_of(server)) as other:
            found.append(other.send_c_echo().Status)
        return 0

    with (
        serving(scp, (evt.EVT_C_STORE, on_store)) as server,
        call(server, ext_neg=asked) as assoc,
    ):
        assert assoc.send_c_store(image()).Status == 0
    assert found == [0]


def test_attributes_can_be_read_while_an_operation_waits() -> None:
    inside, go = threading.Event(), threading.Event()

    def on_echo(event: Any) -> int:
        inside.set()
        assert go.wait(WAIT)
        return 0

    with established((evt.EVT_C_ECHO, on_echo)) as (assoc, _), ThreadPoolExecutor(2) as pool:
        first = pool.submit(assoc.send_c_echo)
        assert inside.wait(WAIT)
        assert assoc.is_established
        assert assoc.is_alive()
        assert len(assoc.accepted_contexts) == 2
        assert assoc.ended is None
        second = pool.submit(assoc.send_c_echo, 2)
        assert not second.done()
        go.set()
        assert (first.result(WAIT).Status, second.result(WAIT).Status) == (0, 0)


def test_fifty_associations_at_once(switching: None) -> None:
    box = Box()

    def on_store(event: Any) -> int:
        return box.put(bytes(event.request.DataSet.getvalue()))

    with serving(None, (evt.EVT_C_STORE, on_store)) as server:

        def work(number: int) -> int:
            with call(server) as assoc:
                assert assoc.send_c_echo().Status == 0
                return int(assoc.send_c_store(image(f"1.2.{number}", size=30_000)).Status)

        assert together(50, work) == [0] * 50
    assert len(set(box.things)) == 50


@pytest.mark.parametrize("ending", ["release", "abort", "kill", "peer aborts", "peer releases"])
def test_nothing_is_left_behind_by_many_associations(ending: str) -> None:
    peers: list[Any] = []

    def end(event: Any) -> int:
        if ending == "peer aborts":
            event.assoc.abort()
        elif ending == "peer releases":
            event.assoc.release()
        return 0

    handlers = [(evt.EVT_ESTABLISHED, lambda e: peers.append(e.assoc)), (evt.EVT_C_ECHO, end)]
    with serving(None, *handlers) as server:
        call(server).release()
        peers.pop().join(WAIT)
        until(lambda: not any(each.startswith("AcceptorThread") for each in busy()))
        threads, opened = busy(), descriptors()
        for _ in range(40):
            assoc = call(server)
            assoc.send_c_echo()
            if not ending.startswith("peer"):
                getattr(assoc, ending)()
            assoc.join(WAIT)
            assert not assoc.is_alive()
        for peer in peers:
            peer.join(WAIT)
        until(lambda: busy() == threads)
        assert descriptors() == opened
        assert server.active_associations == []
        assert server.ae.active_associations == []


def test_connections_that_never_become_associations_leave_nothing_behind() -> None:
    import socket

    box = Box()
    with serving(None, (evt.EVT_CONN_CLOSE, box.put)) as server:
        call(server).release()
        box.wait(1)
        opened = descriptors()
        for _ in range(100):
            socket.create_connection((LOCAL, port_of(server))).close()
        box.wait(101)
        for acceptor in server.active_associations:
            acceptor.join(WAIT)
        assert descriptors() == opened


def test_associations_that_race_with_their_end(switching: None) -> None:
    """Operations, releases and aborts from several threads: no error but the documented ones."""
    with serving() as server:

        def work(number: int) -> None:
            for _ in range(8):
                assoc = call(server)
                assert assoc.is_established

                def use(assoc: Any = assoc) -> None:
                    with suppress(RuntimeError):  # it is over
                        for _ in range(20):
                            assoc.send_c_echo()

                user = threading.Thread(target=use)
                user.start()
                (assoc.release if number % 2 else assoc.abort)()
                user.join(WAIT)
                assert not user.is_alive()
                assert assoc.is_released or assoc.is_aborted
                assoc.join(WAIT)
                assert assoc.driver.transport is None

        together(4, work)

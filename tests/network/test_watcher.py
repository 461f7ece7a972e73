"""Turns idle sockets into calls: both ways of waiting, with sockets that never see DICOM."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from dicomwire import evt
from dicomwire.network import watcher as module
from dicomwire.network.watcher import Watcher, the_watcher
from tests.network.ends import LOCAL, WAIT, Box, Peer, busy, entity, established, scripted, until
from tests.protocol import pairs

NEVER = float("inf")


class Idler:
    """An idle association of the test's own."""

    def __init__(self, until: float = NEVER) -> None:
        self.until = until
        self.called = threading.Event()
        self.calls = 0

    def idle_until(self) -> float:
        return self.until

    def attend(self) -> None:
        self.calls += 1
        self.called.set()


@pytest.fixture(params=["epoll", "poll", "select"])
def watcher(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Watcher:
    """A watcher as on Linux, on other Unix systems, and on Windows."""
    if request.param != "epoll":
        monkeypatch.delattr(select, "epoll", raising=False)
    if request.param == "select":
        monkeypatch.delattr(select, "poll")
    return Watcher()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_a_parked_socket_that_has_something_to_say_is_attended_to(
    watcher: Watcher, pair: Any
) -> None:
    idle = Idler()
    watcher.add(pair[0].fileno(), idle)
    watcher.park(pair[0].fileno())
    assert not idle.called.wait(0.02)
    pair[1].send(b"x")
    assert idle.called.wait(WAIT)
    assert idle.calls == 1  # until it is parked again
    idle.called.clear()
    watcher.park(pair[0].fileno())
    assert idle.called.wait(WAIT)
    watcher.remove(pair[0].fileno())


def test_a_socket_that_is_in_use_is_left_alone(watcher: Watcher, pair: Any) -> None:
    idle = Idler()
    watcher.add(pair[0].fileno(), idle)
    pair[1].send(b"x")
    assert not idle.called.wait(0.02)  # added, but not parked
    watcher.park(pair[0].fileno())
    assert idle.called.wait(WAIT)
    idle.called.clear()
    watcher.take(pair[0].fileno())
    pair[1].send(b"x")
    assert not idle.called.wait(0.02)
    watcher.remove(pair[0].fileno())


def test_a_time_out_is_attended_to(watcher: Watcher, pair: Any) -> None:
    idle = Idler(time.monotonic() + 0.05)
    watcher.add(pair[0].fileno(), idle)
    watcher.park(pair[0].fileno())
    assert idle.called.wait(WAIT)
    assert time.monotonic() >= idle.until
    watcher.remove(pair[0].fileno())


def test_a_time_out_that_is_brought_forward_counts(watcher: Watcher, pair: Any) -> None:
    idle = Idler(time.monotonic() + 1000)
    watcher.add(pair[0].fileno(), idle)
    watcher.park(pair[0].fileno())
    assert not idle.called.wait(0.02)
    idle.until = 0.0
    watcher.look_again()
    assert idle.called.wait(WAIT)
    watcher.remove(pair[0].fileno())


def test_what_is_removed_or_closed_is_forgotten(watcher: Watcher, pair: Any) -> None:
    idle, other = Idler(), Idler()
    number = pair[0].fileno()
    watcher.add(number, idle)
    watcher.park(number)
    watcher.remove(number)
    watcher.remove(number)
    watcher.park(number)
    watcher.take(number)
    pair[1].send(b"x")
    assert not idle.called.wait(0.02)
    with socket.socket() as third:
        watcher.add(third.fileno(), other)
    watcher.remove(other and third.fileno())
    watcher.add(number, other)  # the same number, another association
    watcher.park(number)
    assert other.called.wait(WAIT)
    assert idle.calls == 0
    watcher.remove(number)


@pytest.mark.parametrize("kind", ["_Epoll", "_Select"])
def test_a_socket_is_only_told_of_while_it_is_armed(kind: str, pair: Any) -> None:
    poll, number = getattr(module, kind)(), pair[0].fileno()
    poll.add(number)
    pair[1].send(b"x")
    assert poll.wait(0.0) == []
    poll.arm(number)
    assert poll.wait(WAIT) == [number]
    assert poll.wait(0.0) == []  # told once
    poll.arm(number)
    poll.disarm(number)
    assert poll.wait(0.0) == []  # and taken back in time
    poll.arm(number)
    poll.remove(number)
    assert poll.wait(0.0) == []
    for _ in range(100_000 if kind == "_Select" else 10):
        poll.wake()  # more than any pipe takes
    assert poll.wait(WAIT) == []


def test_many_sockets_have_one_thread() -> None:
    before = len(busy())
    watcher, idlers = Watcher(), [Idler() for _ in range(20)]
    pairs_ = [socket.socketpair() for _ in idlers]
    for idle, (one, _) in zip(idlers, pairs_, strict=True):
        watcher.add(one.fileno(), idle)
        watcher.park(one.fileno())
    assert len(busy()) == before + 1
    for _, other in pairs_:
        other.send(b"x")
    for idle in idlers:
        assert idle.called.wait(WAIT)
    for one, other in pairs_:
        watcher.remove(one.fileno())
        one.close()
        other.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no system call fork")
def test_a_process_has_one_and_its_child_another() -> None:
    ours = the_watcher()
    assert the_watcher() is ours
    pid = os.fork()
    if pid == 0:
        os._exit(the_watcher() is ours or the_watcher() is not the_watcher())
    assert os.waitpid(pid, 0)[1] == 0
    assert the_watcher() is ours


@pytest.mark.parametrize("without", ["", "epoll", "epoll poll"])
def test_an_association_is_watched_on_every_system(
    without: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in without.split():
        monkeypatch.delattr(select, name)
    monkeypatch.setattr(module, "_watcher", None)
    box = Box()
    with scripted(lambda peer: (peer.accept(), peer.send(pairs.Abort()))) as port:
        assoc = entity().associate(LOCAL, port, evt_handlers=[(evt.EVT_ABORTED, box.put)])
        box.wait()
        assoc.join(WAIT)
    assert assoc.is_aborted
    with established() as (assoc, _):
        for _ in range(20):
            assert assoc.send_c_echo().Status == 0


def test_an_idle_association_answers_what_the_peer_asks() -> None:
    """An echo of the acceptor is refused for want of the role, but it is answered."""
    answers: list[Any] = []

    def script(peer: Peer) -> None:
        peer.accept()
        for number in range(1, 6):
            peer.send(pairs.message(1, {**pairs.ECHO, "MessageID": number}))
            answers.append(peer.command())
        assert peer.read() == pairs.ReleaseRQ()
        peer.send(pairs.ReleaseRP())

    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port)
        until(lambda: len(answers) == 5)
        assoc.release()
        assert assoc.is_released
    assert [a["MessageIDBeingRespondedTo"] for a in answers] == [1, 2, 3, 4, 5]
    assert {a["Status"] for a in answers} == {0x0122}


def test_what_is_due_is_called_and_the_thread_ends_when_nothing_is_left(watcher: Watcher) -> None:
    called = Box()
    for number, seconds in enumerate((0.0, 600.0, 0.02)):
        watcher.call_later(seconds, lambda number=number: called.put(number))
    assert called.wait(2) == [0, 2]
    assert watcher._thread is not None
    watcher._calls.clear()
    watcher.look_again()
    until(lambda: watcher._thread is None)
    watcher.call_later(0.0, lambda: called.put(3))
    assert called.wait(3) == [0, 2, 3]
    until(lambda: watcher._thread is None)


def test_a_thread_that_watches_stays_when_what_was_due_is_called(
    watcher: Watcher, pair: Any
) -> None:
    idle, called = Idler(), Box()
    watcher.add(pair[0].fileno(), idle)
    watcher.call_later(0.0, lambda: called.put(1))
    called.wait()
    watcher.park(pair[0].fileno())
    pair[1].send(b"x")
    assert idle.called.wait(WAIT)
    watcher.remove(pair[0].fileno())

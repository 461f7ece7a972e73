"""Turns sockets, plain and TLS, into few system calls and whole transfers."""

from __future__ import annotations

import os
import resource
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest

from dicomwire import evt
from dicomwire.network import association, transport
from dicomwire.network.driver import transport_for
from dicomwire.network.records import StreamTransport
from dicomwire.network.transport import PlainTransport
from tests.network.certificates import contexts
from tests.network.ends import LOCAL, WAIT, Box, call, entity, image, port_of, serving

QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class Spy(socket.socket):
    """A socket that notes what it is asked for, and sends as little as it is told to."""

    options: list[tuple[int, int, Any]]
    calls: list[int]
    flags: list[int]
    most = 1 << 30

    @classmethod
    def of(cls, sock: socket.socket) -> Spy:
        spy = cls(fileno=sock.detach())
        spy.options, spy.calls, spy.flags = [], [], []
        return spy

    def setsockopt(self, level: int, name: int, value: Any, *more: Any) -> None:  # type: ignore[override]
        self.options.append((level, name, value))
        super().setsockopt(level, name, value, *more)

    def sendmsg(self, buffers: Any, *more: Any) -> int:
        found = list(buffers)
        self.calls.append(len(found))
        self.flags.append(more[1])
        joined = b"".join(found)[: self.most]
        return super().sendmsg([joined], *more)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server((LOCAL, 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        other, _ = listener.accept()
    with one, other:
        yield one, other


@pytest.fixture
def tls(pair: Any) -> tuple[ssl.SSLSocket, ssl.SSLSocket]:
    ends, found = contexts(), []
    thread = threading.Thread(
        target=lambda: found.append(ends.server.wrap_socket(pair[1], server_side=True))
    )
    thread.start()
    client = ends.client.wrap_socket(pair[0], server_hostname="localhost")
    thread.join(WAIT)
    return client, found[0]


def nothing() -> None:
    """Nobody listens while we send."""


def drain(sock: socket.socket, size: int) -> bytes:
    sock.settimeout(WAIT)
    data = bytearray()
    while len(data) < size:
        more = sock.recv(1 << 20)
        if not more:
            break
        data += more
    return bytes(data)


def drained(sock: socket.socket, size: int) -> Box:
    """Read in another thread."""
    box = Box()
    threading.Thread(target=lambda: box.put(drain(sock, size))).start()
    return box


def test_delays_of_the_system_are_switched_off(pair: Any) -> None:
    spy = Spy.of(pair[0])
    moved = transport_for(spy)
    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in spy.options
    assert spy.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    if QUICKACK is not None:
        buffer = memoryview(bytearray(100))
        acks = (socket.IPPROTO_TCP, QUICKACK, 1)
        for number in range(1, 4):
            pair[1].send(b"x")
            assert moved.receive(buffer, 1.0, True) == 1
            assert spy.options.count(acks) == number
        pair[1].send(b"x")
        moved.receive(buffer, 1.0, False)
        assert spy.options.count(acks) == 3
    moved.close()


def test_both_ends_of_an_association_switch_delays_off(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []
    real = transport_for

    def spying(sock: socket.socket, *limits: Any) -> Any:
        made.append(sock)
        return real(sock, *limits)

    monkeypatch.setattr(association, "transport_for", spying)
    with serving() as server, call(server):
        assert len(made) == 2
        for sock in made:
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("count", [1, 999, 1000, 1001, 5000])
def test_any_number_of_buffers_is_sent_in_order(pair: Any, count: int) -> None:
    spy = Spy.of(pair[0])
    moved = transport_for(spy)
    buffers = [number.to_bytes(4, "big") for number in range(count)]
    box = drained(pair[1], 4 * count)
    moved.send(buffers, 1.0, nothing)
    assert box.wait() == [b"".join(buffers)]
    assert max(spy.calls) <= 1000
    assert len(spy.calls) == -(-count // 1000)
    moved.close()


def test_what_more_may_follow_does_not_wait_for_it(pair: Any) -> None:
    spy = Spy.of(pair[0])
    moved = transport_for(spy)
    box = drained(pair[1], 3)
    moved.send([b"one"], 1.0, nothing, more_follows=True)
    assert box.wait() == [b"one"]
    moved.send([b"two"], 1.0, nothing)
    more = getattr(socket, "MSG_MORE", 0)
    assert [flags & more for flags in spy.flags] == [more, 0]
    moved.close()


@pytest.mark.parametrize("most", [1, 3, 7, 100])
def test_what_the_system_did_not_take_is_sent_again(pair: Any, most: int) -> None:
    spy = Spy.of(pair[0])
    spy.most = most
    moved = transport_for(spy)
    buffers = [bytearray(b"one"), b"", memoryview(b"three"), b"f" * 50]
    box = drained(pair[1], 58)
    moved.send(buffers, 1.0, nothing)
    assert box.wait() == [b"onethree" + b"f" * 50]
    moved.close()


@pytest.mark.parametrize("kind", ["plain", "tls", "stream"])
def test_more_than_any_buffer_takes_goes_over(pair: Any, kind: str, request: Any) -> None:
    one, other = request.getfixturevalue("tls") if kind == "tls" else pair
    moved = StreamTransport(one) if kind == "stream" else transport_for(one)
    assert isinstance(moved, PlainTransport if kind == "plain" else StreamTransport)
    parts = [os.urandom(70_000) for _ in range(80)] + [b"end"]
    box = drained(other, sum(map(len, parts)))
    moved.send(parts, WAIT, nothing)
    assert box.wait() == [b"".join(parts)]


@pytest.mark.parametrize("kind", ["plain", "tls"])
def test_a_peer_that_does_not_read_is_a_time_out(pair: Any, kind: str, request: Any) -> None:
    one, _ = request.getfixturevalue("tls") if kind == "tls" else pair
    moved = transport_for(one)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        moved.send([bytes(1 << 20)] * 40, 0.2, nothing)
    assert 0.2 <= time.monotonic() - began < WAIT


@pytest.mark.parametrize("kind", ["plain", "tls"])
def test_waiting_for_bytes_ends_in_time(pair: Any, kind: str, request: Any) -> None:
    one, other = request.getfixturevalue("tls") if kind == "tls" else pair
    moved = transport_for(one)
    buffer = memoryview(bytearray(100))
    assert moved.receive_waiting(buffer) is None
    for seconds in (0.0, 0.05, 0.1):
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            moved.receive(buffer, seconds, True)
        assert time.monotonic() - began >= seconds * 0.9
    other.send(b"abc")
    assert moved.receive(buffer, None, False) == 3
    assert bytes(buffer[:3]) == b"abc"
    other.shutdown(socket.SHUT_RDWR)
    assert moved.receive(buffer, WAIT, True) == 0


@pytest.mark.parametrize("kind", ["plain", "tls"])
def test_who_waits_can_be_woken(pair: Any, kind: str, request: Any) -> None:
    one, _ = request.getfixturevalue("tls") if kind == "tls" else pair
    moved, box = transport_for(one), Box()

    def wait() -> None:
        try:
            box.put(moved.receive(memoryview(bytearray(10)), WAIT, True))
        except OSError:
            box.put(0)

    thread = threading.Thread(target=wait)
    thread.start()
    moved.wake()
    assert box.wait() == [0]
    thread.join(WAIT)


@pytest.mark.parametrize("kind", ["plain", "tls"])
def test_who_is_stuck_in_sending_can_be_cut_off(pair: Any, kind: str, request: Any) -> None:
    one, _ = request.getfixturevalue("tls") if kind == "tls" else pair
    moved, box = transport_for(one), Box()

    def send() -> None:
        try:
            moved.send([bytes(1 << 20)] * 40, WAIT, nothing)
        except TimeoutError:
            box.put("too late")
        except OSError:
            box.put("cut")

    thread = threading.Thread(target=send)
    thread.start()
    while not thread.join(0.001) and not box.things:  # until it is stuck, and beyond
        moved.cut()
    assert box.wait() == ["cut"]
    moved.cut()
    moved.close()


def test_what_arrives_while_the_peer_does_not_read_is_taken_in(pair: Any) -> None:
    one, other = pair
    moved, boxes = transport_for(one), []

    def readable() -> None:
        assert one.recv(100) == b"why"
        boxes.append(drained(other, 40 << 20))

    other.send(b"why")
    moved.send([bytes(1 << 20)] * 40, WAIT, readable)
    assert len(boxes) == 1
    assert len(boxes[0].wait()[0]) == 40 << 20


def test_descriptors_beyond_1023_work() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1200:
        pytest.skip("the system allows too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    held = [os.dup(0) for _ in range(1030)]
    try:
        ends = contexts()
        for tls_args in (None, (ends.client, "localhost")):
            context = ends.server if tls_args else None
            handler = (evt.EVT_C_STORE, lambda event: 0)
            with serving(None, handler, ssl_context=context) as server:
                ae = entity()
                with ae.associate(LOCAL, port_of(server), tls_args=tls_args) as assoc:
                    assert assoc._descriptor > 1023
                    assert assoc.send_c_echo().Status == 0
                    assert assoc.send_c_store(image(size=9_000_000)).Status == 0
    finally:
        for number in held:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Scripted:
    """A socket that answers as a list says: None where nothing is there yet."""

    def __init__(self, *answers: int | None) -> None:
        self.answers = list(answers)
        self.slept = 0

    def settimeout(self, timeout: float | None) -> None:
        assert timeout is None

    def setsockopt(self, *option: object) -> None:
        pass

    def sendmsg(self, *message: object) -> int:
        raise AssertionError(message)

    def recv_into(self, buffer: memoryview, count: int = 0, flags: int = 0) -> int:
        if not flags:
            self.slept += 1
        answer = self.answers.pop(0)
        if answer is None:
            raise BlockingIOError
        return answer


def received(script: Scripted, times: int) -> list[int]:
    line = PlainTransport(cast(Any, script))
    return [line.receive(memoryview(bytearray(9)), None, False) for _ in range(times)]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two processors, and time to look."""
    monkeypatch.setattr(transport, "_spare_processor", True)
    monkeypatch.setattr(transport, "LOOK", 60.0)
    monkeypatch.setattr(transport, "PROMPT", 60.0)


@pytest.mark.usefixtures("patient")
def test_who_answered_soon_is_looked_for_before_the_thread_sleeps() -> None:
    script = Scripted(1, None, None, 2, None, 3)
    assert received(script, 3) == [1, 2, 3]
    assert script.slept == 1


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("name", "value"), [("PROMPT", -1.0), ("_spare_processor", False)])
def test_others_are_waited_for_asleep(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(transport, name, value)
    script = Scripted(1, 2, 3)
    assert received(script, 3) == [1, 2, 3]
    assert script.slept == 3


@pytest.mark.usefixtures("patient")
def test_one_thread_of_a_process_looks() -> None:
    script = Scripted(1, 2)
    with transport._looking:
        assert received(script, 2) == [1, 2]
    assert script.slept == 2


@pytest.mark.usefixtures("patient")
def test_nobody_looks_while_another_connection_is_busy() -> None:
    script = Scripted(1, 2, 3, None, 4)
    line, other = (PlainTransport(cast(Any, each)) for each in (script, Scripted(1)))
    buffer = memoryview(bytearray(9))
    line.receive(buffer, None, False)
    line.receive(buffer, None, False)  # it is alone: it looks
    other.receive(buffer, None, False)
    line.receive(buffer, None, False)
    assert script.slept == 2
    line.receive(buffer, None, False)
    assert script.slept == 2


@pytest.mark.usefixtures("patient")
def test_nobody_looks_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LOOK", 0.0)
    script = Scripted(1, None, 2)
    assert received(script, 2) == [1, 2]
    assert script.slept == 2


class Filling:
    """A socket whose buffer is full at times: None in the script."""

    def __init__(self, *script: int | None) -> None:
        self.script = list(script)

    def sendmsg(self, buffers: Any, ancillary: Any = (), flags: int = 0) -> int:
        sent = self.script.pop(0)
        if sent is None:
            raise BlockingIOError
        return sent

    def settimeout(self, seconds: float | None) -> None:
        pass

    def recv_into(self, *arguments: Any) -> int:
        raise AssertionError

    setsockopt = recv_into


def slept_to_send(monkeypatch: pytest.MonkeyPatch, *script: int | None) -> int:
    """Send six bytes over a socket that goes by the script; return how often the thread slept."""
    slept: list[float | None] = []
    line = PlainTransport(cast(Any, Filling(*script)))
    monkeypatch.setattr(transport, "_last_received", (0, float("-inf")))
    monkeypatch.setattr(line, "_wait_writable", lambda timeout, _: slept.append(timeout))
    line.send([b"abcdef"], 5.0, lambda: None)
    return len(slept)


@pytest.mark.usefixtures("patient")
def test_room_is_looked_for_too_once_it_came_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    assert slept_to_send(monkeypatch, 1, None, 2, None, None, None, 3) == 1


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("name", "value"), [("PROMPT", -1.0), ("_spare_processor", False)])
def test_room_that_comes_late_is_waited_for_asleep(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(transport, name, value)
    assert slept_to_send(monkeypatch, None, 2, None, 2, None, 2) == 3


@pytest.mark.usefixtures("patient")
def test_room_is_not_looked_for_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LOOK", 0.0)
    assert slept_to_send(monkeypatch, None, 2, None, 4) == 2


@pytest.mark.usefixtures("patient")
def test_room_is_looked_for_by_one_thread_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with transport._looking:
        assert slept_to_send(monkeypatch, None, 2, None, 4) == 2


@pytest.mark.usefixtures("patient")
def test_room_is_not_looked_for_while_another_connection_is_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    received(Scripted(1), 1)
    line = PlainTransport(cast(Any, Filling(None, 2, None, 4)))
    slept: list[float | None] = []
    monkeypatch.setattr(line, "_wait_writable", lambda timeout, _: slept.append(timeout))
    line.send([b"abcdef"], 5.0, lambda: None)
    assert len(slept) == 2


@pytest.mark.usefixtures("patient")
def test_whoever_looks_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[None] = []
    monkeypatch.setattr(transport, "give_way", lambda: given.append(None))
    assert received(Scripted(1, None, None, 2), 2) == [1, 2]
    assert len(given) == 2
    slept_to_send(monkeypatch, None, 2, None, None, 4)
    assert len(given) == 4

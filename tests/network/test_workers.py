"""Turns one port into associations in several processes: what peers and the parent see of it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dicomwire import AE, Association, evt
from dicomwire.network import keeper
from dicomwire.network.workers import WorkerServer
from dicomwire.protocol.errors import Rejected
from tests.network.certificates import contexts
from tests.network.ends import (
    LOCAL,
    VERIFICATION,
    WAIT,
    Box,
    call,
    dial,
    entity,
    port_of,
    serving,
    until,
)
from tests.protocol import pairs

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no system call fork")


class Seen:
    """What handlers in other processes saw, over a pipe."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()

    def __call__(self, event: Any) -> int:
        """Handle a request: say which process does."""
        os.write(self._writing, b"%d\n" % os.getpid())
        return 0

    def one(self) -> int:
        """The next process."""
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(self._reading, 1)
        return int(line)

    def close(self) -> None:
        os.close(self._reading)
        os.close(self._writing)


@pytest.fixture
def seen() -> Iterator[Seen]:
    box = Seen()
    yield box
    box.close()


def echoed(assoc: Association, seen: Seen) -> int:
    """Which process answers an association."""
    assert assoc.send_c_echo().Status == 0
    return seen.one()


def processes(server: Any) -> list[int]:
    """The process that hands connections out, and its workers."""
    first = server._keeper
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return [first, *map(int, children)]


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@contextmanager
def workers(seen: Seen, count: int = 2, ae: AE | None = None, **more: Any) -> Iterator[Any]:
    """A server with several processes; none is left afterwards."""
    with serving(ae, (evt.EVT_C_ECHO, seen), workers=count, **more) as server:
        running = processes(server)
        assert len(running) == count + 1
        yield server
        server.ae.shutdown()
    until(lambda: all(is_gone(pid) for pid in running))


def test_associations_go_to_the_worker_that_has_the_fewest(seen: Seen) -> None:
    with workers(seen) as server:
        assert isinstance(server, WorkerServer)
        standing = [call(server) for _ in range(8)]
        pids = [echoed(assoc, seen) for assoc in standing]
        assert sorted(Counter(pids).values()) == [4, 4]
        assert os.getpid() not in pids
        assert server.active_associations == []
        for assoc, pid in zip(standing, pids, strict=True):
            if pid == pids[0]:
                assoc.release()
        until(lambda: echoed(call(server), seen) == pids[0])


def test_the_limit_is_that_of_all_workers_together(seen: Seen) -> None:
    ae = entity("SCP")
    ae.maximum_associations = 3
    with workers(seen, 2, ae) as server:
        standing = [call(server) for _ in range(3)]
        assert {echoed(assoc, seen) for assoc in standing} == set(processes(server)[1:])
        for _ in range(3):  # a refused one holds no place
            refused = call(server)
            assert isinstance(refused.ended, Rejected)
            assert (refused.ended.result, refused.ended.source, refused.ended.reason) == (2, 3, 2)
        standing.pop().release()
        until(lambda: call(server).is_established)
        os.kill(echoed(standing[0], seen), signal.SIGKILL)  # what it held is free
        standing[0].join(WAIT)
        until(lambda: call(server).is_established)


@pytest.mark.parametrize("dies", [False, True])
def test_a_burst_waits_for_workers_that_are_busy(seen: Seen, dies: bool) -> None:
    """More connections than the system keeps for a worker that does not take them just now."""
    with workers(seen) as server, contextlib.ExitStack() as stack:
        busy = processes(server)[1:]
        for pid in busy:
            os.kill(pid, signal.SIGSTOP)
        try:
            peers = [stack.enter_context(dial(port_of(server))) for _ in range(900)]
        finally:
            if dies:
                os.kill(busy[0], signal.SIGKILL)
            for pid in busy[dies:]:
                os.kill(pid, signal.SIGCONT)
        peers[-1].send(pairs.request())
        assert type(peers[-1].read()).__name__ == "AssociateAC"
        assert call(server).is_established


def test_a_worker_that_dies_is_replaced(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "SETTLED", 0.01)
    with workers(seen) as server:
        one, other = call(server), call(server)
        first, second = echoed(one, seen), echoed(other, seen)
        os.kill(first, signal.SIGKILL)
        one.join(WAIT)
        assert one.is_aborted
        assert echoed(other, seen) == second
        until(lambda: len(set(processes(server)) - {first}) == 3)
        (third,) = set(processes(server)[1:]) - {first, second}
        assert echoed(call(server), seen) == third
        other.release()


def test_a_worker_keeps_no_connection_that_waits_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else its peer would not see it end."""
    (control, parent), held = socket.socketpair(), socket.socketpair()
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server((LOCAL, 0)))
        for each in (control, parent, *held):
            stack.enter_context(each)
        before = signal.getsignal(signal.SIGCHLD)
        stack.callback(signal.signal, signal.SIGCHLD, before)
        ours = keeper.Keeper(SimpleNamespace(socket=listening), control, 1, 1.0)  # type: ignore[arg-type]
        ours._held = held[0]
        monkeypatch.setattr(keeper, "fork", lambda work: work() or 1)  # work: as in the child
        monkeypatch.setattr(keeper, "_Work", Box)
        monkeypatch.setattr(Box, "run", lambda box: None, raising=False)
        monkeypatch.setattr(Box, "__init__", lambda box, *things: None)
        with contextlib.suppress(ValueError, OSError, RuntimeError):  # all is closed now
            ours._start(ours._workers[0])
        assert listening.fileno() == control.fileno() == -1
        held[1].settimeout(WAIT)
        assert held[1].recv(1) == b""


def test_shutdown_lets_associations_finish(seen: Seen) -> None:
    with workers(seen) as server:
        running = processes(server)
        assoc, port = call(server), port_of(server)
        server.shutdown()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((LOCAL, port))
        assert echoed(assoc, seen) in running
        assert not server._gone.is_set()
        assoc.release()
        assert assoc.is_released
        server.join(WAIT)
        assert all(is_gone(pid) for pid in running)
        server.shutdown()  # once more does no harm


def test_what_does_not_finish_in_time_is_aborted(seen: Seen) -> None:
    ae = entity("SCP")
    server = ae.make_server((LOCAL, 0), server_class=WorkerServer, workers=2)
    assert isinstance(server, WorkerServer)
    server.grace = 0.05
    server.bind(evt.EVT_C_ECHO, seen)
    server.start()
    assoc = call(server)
    echoed(assoc, seen)
    server.shutdown()
    server.join(WAIT)
    assoc.join(WAIT)
    assert assoc.is_aborted


def test_shutdown_of_the_ae_aborts(seen: Seen) -> None:
    with workers(seen) as server:
        standing = [call(server) for _ in range(4)]
        server.ae.shutdown()
        for assoc in standing:
            assoc.join(WAIT)
            assert assoc.is_aborted
        assert server.ae._servers == []


def test_a_worker_that_does_not_end_is_killed(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "ABORTING", 0.1)
    with workers(seen) as server:
        os.kill(processes(server)[1], signal.SIGSTOP)


def test_a_worker_that_takes_nothing_keeps_nobody_waiting(seen: Seen) -> None:
    """Connections go to it as long as it has the fewest; the others are served."""
    with workers(seen) as server:
        first = echoed(call(server), seen)
        stuck = (set(processes(server)[1:]) - {first}).pop()
        os.kill(stuck, signal.SIGSTOP)
        waiting = socket.create_connection((LOCAL, port_of(server)))
        assert echoed(call(server), seen) == first
        os.kill(stuck, signal.SIGCONT)
        waiting.close()


def test_over_tls(seen: Seen) -> None:
    ends = contexts()
    with (
        workers(seen, ssl_context=ends.server) as server,
        call(server, tls_args=(ends.client, LOCAL)) as assoc,
    ):
        assert echoed(assoc, seen) in processes(server)


def test_a_blocking_server_with_workers_is_stopped_from_another_thread() -> None:
    ae, returned = entity("SCP"), Box()
    thread = threading.Thread(
        target=lambda: returned.put(ae.start_server((LOCAL, 0), block=True, workers=2))
    )
    thread.start()
    until(lambda: bool(ae._servers))
    server: Any = ae._servers[0]
    assert call(server).is_established
    ae.shutdown()
    thread.join(WAIT)
    assert returned.things == [None]


def test_lines_of_the_parent_are_not_kept_open(seen: Seen) -> None:
    """What the parent closes is closed, though its workers were forked while it was open."""
    ended = Box()
    with serving(None, (evt.EVT_CONN_CLOSE, ended.put)) as other:
        ae = entity("BOTH")
        assoc = call(other, ae)
        assert assoc.is_established
        third = ae.start_server((LOCAL, 0), block=False)
        assert third is not None
        port = port_of(third)
        with workers(seen, 2, ae):
            assoc.kill()
            ended.wait()
            third.shutdown()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((LOCAL, port))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_the_one_that_started_it(number: int) -> None:
    code = (
        "from dicomwire import AE\nae = AE()\n"
        f"ae.add_supported_context('{VERIFICATION}')\n"
        "first, other = (ae.start_server(('127.0.0.1', 0), block=False, workers=2) for _ in 'ab')\n"
        "print(first.server_address[1], first._keeper, other._keeper, flush=True)\n"
        "first.join()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port, *keepers = map(int, process.stdout.readline().split())
        assoc = entity().associate(LOCAL, port)
        assert assoc.is_established
        process.send_signal(number)
        process.wait(WAIT)
        until(lambda: all(is_gone(pid) for pid in keepers))
        assoc.join(WAIT)
        assert assoc.is_aborted
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOCAL, port))


def test_handlers_are_those_of_the_start(seen: Seen) -> None:
    with workers(seen) as server:
        with pytest.raises(RuntimeError, match="started with"):
            server.bind(evt.EVT_C_ECHO, seen)
        with pytest.raises(RuntimeError, match="started with"):
            server.unbind(evt.EVT_C_ECHO, seen)
        assert server.get_events() == [evt.EVT_C_ECHO]


@pytest.mark.parametrize("count", [0, -1, "2", 1.5, None])
def test_a_number_of_workers_that_cannot_be(count: Any) -> None:
    with pytest.raises(ValueError, match="workers"):
        entity().start_server((LOCAL, 0), block=False, workers=count)


def test_one_worker_is_this_process() -> None:
    with serving(None, workers=1) as server, call(server) as assoc:
        assert assoc.send_c_echo().Status == 0
        assert not isinstance(server, WorkerServer)


def test_where_no_process_can_be_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    with pytest.raises(NotImplementedError, match="workers"):
        entity().start_server((LOCAL, 0), block=False, workers=2)


def test_a_port_that_is_taken(seen: Seen) -> None:
    with serving() as server, pytest.raises(OSError, match="in use"):
        entity().start_server((LOCAL, port_of(server)), block=False, workers=2)

"""Rows L of the fault list that need no archive, in a bounded form: many peers, and one big object.

The servers are processes of their own, so that what they hold can be told from what the tests do.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from bench.soak import holds, rested, settled
from dicomwire.network.ae import ApplicationEntity
from dicomwire.network.options import Options
from dicomwire.network.presentation import build_context
from dicomwire.protocol.command import encode_command
from dicomwire.protocol.errors import Rejected
from dicomwire.protocol.pdus import Abort, PDataTF, PresentationDataValue, ReleaseRQ
from tests.dataset.samples import CT, EXPLICIT
from tests.faults.folder_stores import (
    SERVERS,
    VERIFICATION,
    instance,
    part10,
    stored,
)
from tests.faults.forking import Nursery
from tests.protocol.pairs import ECHO, STORE, request

pytestmark = [
    pytest.mark.socket,
    pytest.mark.skipif(sys.platform != "linux", reason="/proc says what a process has"),
]

TOP = Path(__file__).parents[2]
PATIENCE = 60.0
ASSOCIATIONS = 10_000
MOST_GROWTH = 5.0  # MB
CONTEXT = 3  # of CT, in `pairs.request`


@dataclass
class Process:
    """A server in a process of its own."""

    pid: int
    port: int
    folder: Path

    def stored(self) -> dict[str, bytes]:
        """Return the data sets of all files by name; temporary ones are an error."""
        return {path.name: stored(path) for path in self.folder.iterdir()}


@contextmanager
def running(kind: str, folder: Path) -> Iterator[Process]:
    """Run a server until the end of the block."""
    folder.mkdir()
    with ExitStack() as ends:
        if kind == "storescp":
            pid, port = ends.enter_context(Nursery()).start(folder, "--no-flush")
            ends.callback(os.kill, pid, signal.SIGKILL)
        else:
            command = [sys.executable, "-m", "tests.faults.asyncio_store", str(folder)]
            process = subprocess.Popen(command, cwd=TOP, stdout=subprocess.PIPE, text=True)
            ends.enter_context(process)
            ends.callback(process.kill)
            assert process.stdout
            pid, port = process.pid, int(process.stdout.readline())
        yield Process(pid, port, folder)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Process]:
    with running(request.param, tmp_path / "received") as process:
        yield process


class Row(NamedTuple):
    """A load, and what becomes of it: for the documentation; `id` begins the tests' names."""

    id: str
    fault: str
    answer: str


ROWS = [
    Row("L01", "1, 10 and 50 senders at once", "every object is stored, whole"),
    Row("L02", "80 idle associations beside 10 active ones", "the active ones are served as ever"),
    Row(
        "L03",
        f"{ASSOCIATIONS:,} associations, a third of them broken off in six ways",
        "as many threads and descriptors as before, memory within 5 MB",
    ),
    Row(
        "L05",
        "500 associations at once from 50 peers",
        "served, or rejected (2,3,2) and then served",
    ),
    Row("L05", "101 associations where there are 100 places", "rejected: 2,3,2; the others stay"),
    Row(
        "L06", "an object of 64 MB beside 200 small ones", "no small one waits; memory within 32 MB"
    ),
]


def answers() -> list[tuple[str, str, str]]:
    """Return our answers to rows L, for the documentation: ID, fault, answer."""
    return [tuple(row) for row in ROWS]


# -- byte for byte ---------------------------------------------------------------------------

RQ, RELEASE, ABORT = request().encode(), ReleaseRQ().encode(), Abort().encode()


def _message(command: bytes, data: bytes | None = None) -> bytes:
    values = [PresentationDataValue(1 if data is None else CONTEXT, 3, command)]
    encoded = PDataTF(values).encode()
    if data is not None:
        encoded += PDataTF([PresentationDataValue(CONTEXT, 2, data)]).encode()
    return encoded


ECHOED = _message(encode_command({**ECHO, "CommandDataSetType": 0x0101}))
STORED = _message(encode_command({**STORE, "CommandDataSetType": 1}), bytes(8000))


def opened(port: int) -> socket.socket:
    """Return a connection on which an association stands."""
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
    sock.sendall(RQ)
    assert answered(sock) == 2
    return sock


def answered(sock: socket.socket) -> int:
    """Take a PDU; return its type."""
    head = sock.recv(6, socket.MSG_WAITALL)
    sock.recv(int.from_bytes(head[2:], "big"), socket.MSG_WAITALL)
    return head[0]


def reset(sock: socket.socket) -> None:
    """Close a connection with a RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def released(port: int) -> None:
    """Echo and release."""
    with opened(port) as sock:
        sock.sendall(ECHOED)
        assert answered(sock) == 4
        sock.sendall(RELEASE)
        assert answered(sock) == 6


def aborted(port: int) -> None:
    """Abort."""
    with opened(port) as sock:
        sock.sendall(ABORT)


def reset_in_data(port: int) -> None:
    """Vanish in the middle of a data set."""
    sock = opened(port)
    sock.sendall(STORED[:-3000])
    reset(sock)


def closed_in_data(port: int) -> None:
    """Close the connection in the middle of a data set."""
    with opened(port) as sock:
        sock.sendall(STORED[:-1])


def closed_in_request(port: int) -> None:
    """Close it in the middle of the A-ASSOCIATE-RQ."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as sock:
        sock.sendall(RQ[:-9])


def senseless(port: int) -> None:
    """Talk to it as to a web server."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")


ENDS: list[Callable[[int], None]] = [
    *[released, released],
    aborted,
    *[released, released],
    reset_in_data,
    *[released, released],
    closed_in_data,
    *[released, released],
    closed_in_request,
    *[released, released],
    senseless,
]


def associate(port: int, count: int) -> None:
    """Have so many associations, one after the other; a third of them is broken off."""
    for number in range(count):
        ENDS[number % len(ENDS)](port)


@pytest.mark.timeout(400)
def test_l03_associations_one_after_the_other(server: Process) -> None:
    associate(server.port, 600)  # what a process has once it has done everything once
    before = rested(server.pid)
    associate(server.port, ASSOCIATIONS)
    now = settled(server.pid, lambda has: has[:2] <= before[:2])
    assert (now.threads, now.descriptors) == (before.threads, before.descriptors)
    assert now.mb - before.mb < MOST_GROWTH, (before, now)
    assert list(server.folder.iterdir()) == []
    released(server.port)


# -- many at once ----------------------------------------------------------------------------


def sender(window: int = 16) -> ApplicationEntity:
    """Return who sends."""
    ae = ApplicationEntity("TEST", Options(asynchronous_operations=(window, 1)))
    ae.acse_timeout = ae.dimse_timeout = PATIENCE
    return ae


def send(port: int, paths: list[Path]) -> int:
    """Send files over one association; return how many were acknowledged."""
    with sender().associate("127.0.0.1", port, [build_context(CT, [EXPLICIT])]) as association:
        outcomes = [outcome for _, outcome in association.c_stores(paths)]
    return sum(getattr(outcome, "status", None) == 0 for outcome in outcomes)


def files(folder: Path, name: str, count: int, size: int) -> dict[Path, bytes]:
    """Write files to send; return their data sets."""
    folder.mkdir(exist_ok=True)
    made = {}
    for number in range(count):
        uid = f"1.2.{name}.{number}"
        made[folder / uid] = data = instance(uid, size)
        (folder / uid).write_bytes(part10(data, uid))
    return made


@pytest.mark.parametrize("senders", [1, 10, 50])
def test_l01_senders_at_once(server: Process, tmp_path: Path, senders: int) -> None:
    shares = [
        files(tmp_path / "sent", f"3.{each}", 300 // senders, 60_000) for each in range(senders)
    ]
    with ThreadPoolExecutor(senders) as threads:
        counts = list(threads.map(lambda share: send(server.port, list(share)), shares))
    sent = {f"CT.{path.name}": data for share in shares for path, data in share.items()}
    assert sum(counts) == len(sent)
    assert server.stored() == sent


def test_l02_idle_ones_beside_active_ones(server: Process, tmp_path: Path) -> None:
    sent = files(tmp_path / "sent", "3", 100, 20_000)
    paths = list(sent)
    with ExitStack() as idle:
        for _ in range(80):
            idle.enter_context(opened(server.port))
        with ThreadPoolExecutor(10) as threads:
            shares = [paths[number::10] for number in range(10)]
            assert list(threads.map(lambda share: send(server.port, share), shares)) == [10] * 10
        released(server.port)
    assert server.stored() == {f"CT.{path.name}": data for path, data in sent.items()}


def test_l05_a_storm_of_peers(server: Process) -> None:
    """500 peers at once: each is served, or told to try again later, and then served."""
    rejections: list[Rejected] = []
    begin = threading.Barrier(50)

    def persist(_: int) -> int:
        begin.wait(PATIENCE)
        ae, left = sender(1), 10
        while left:
            association = ae.associate("127.0.0.1", server.port, [build_context(VERIFICATION)])
            if association.is_established:
                with association:
                    assert association.c_echo().status == 0
                left -= 1
            else:
                assert isinstance(association.ended, Rejected), association.ended
                rejections.append(association.ended)
        return 10

    with ThreadPoolExecutor(50) as threads:
        assert sum(threads.map(persist, range(50))) == 500
    assert {(each.result, each.source, each.reason) for each in rejections} <= {(2, 3, 2)}


def test_l05_more_than_there_are_places(server: Process) -> None:
    with ExitStack() as held:
        for _ in range(100):
            held.enter_context(opened(server.port))
        ae = sender(1)
        refused = ae.associate("127.0.0.1", server.port, [build_context(VERIFICATION)])
        assert isinstance(refused.ended, Rejected)
        assert (refused.ended.result, refused.ended.source, refused.ended.reason) == (2, 3, 2)
    settled(server.pid, lambda has: has.descriptors < 60)
    released(server.port)


def test_l06_small_ones_beside_a_big_one(server: Process, tmp_path: Path) -> None:
    """All small ones are stored while the big one is half there: none waits for it."""
    uid = "1.2.9"
    data = instance(uid, 64 << 20)
    before = holds(server.pid)
    sent = files(tmp_path / "sent", "3", 200, 10_000)
    with opened(server.port) as big:
        fields = {**STORE, "AffectedSOPInstanceUID": uid, "CommandDataSetType": 1}
        big.sendall(PDataTF([PresentationDataValue(CONTEXT, 3, encode_command(fields))]).encode())
        pieces = [data[at : at + 16_000] for at in range(0, len(data), 16_000)]
        half = len(pieces) // 2
        for piece in pieces[:half]:
            big.sendall(PDataTF([PresentationDataValue(CONTEXT, 0, piece)]).encode())
        assert send(server.port, list(sent)) == 200
        grown = holds(server.pid).mb - before.mb
        for number, piece in enumerate(pieces[half:], half + 1):
            last = 2 if number == len(pieces) else 0
            big.sendall(PDataTF([PresentationDataValue(CONTEXT, last, piece)]).encode())
        assert answered(big) == 4
    assert grown < 32
    expected = {f"CT.{path.name}": each for path, each in sent.items()} | {f"CT.{uid}": data}
    assert server.stored() == expected

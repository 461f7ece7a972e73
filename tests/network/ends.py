"""Turns a few words into two ends on loopback: an AE that serves, a peer that follows a script."""

from __future__ import annotations

import logging
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from dicomwire import AE, Association, Options, evt
from dicomwire.network.server import ThreadedAssociationServer
from dicomwire.network.threads import IDLE
from dicomwire.protocol.command import decode_command
from dicomwire.protocol.items import AnyUserItem
from dicomwire.protocol.pdus import AnyPDU, AssociateRQ, PDataTF, decode_pdu
from tests.protocol import pairs

WAIT = 10.0
"""Seconds after which a test that waits for something gives up."""

LOCAL = "127.0.0.1"
VERIFICATION, CT = pairs.VERIFICATION, pairs.CT
MR = "1.2.840.10008.5.1.4.1.1.4"
IMPLICIT, EXPLICIT = pairs.IMPLICIT, pairs.EXPLICIT
DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
CT_FILE = Path(str(get_testdata_file("CT_small.dcm")))

Binding = tuple[Any, ...]


def entity(title: str = "SCU", *uids: str, **options: Any) -> AE:
    """An AE with both kinds of contexts for the SOP classes; a short linger unless told."""
    ae = AE(title, Options(**{"linger": 0.5, **options}))
    for uid in uids or (VERIFICATION, CT):
        ae.add_requested_context(uid)
        ae.add_supported_context(uid)
    return ae


def keys(**elements: Any) -> Dataset:
    """An identifier, or whatever small data set."""
    dataset = Dataset()
    for keyword, value in (elements or {"PatientName": "A*"}).items():
        setattr(dataset, keyword, value)
    return dataset


def pair(*uids: str, **more: Any) -> dict[str, Any]:
    """The AEs of both ends for these SOP classes."""
    return {"scp": entity("SCP", *uids), "scu": entity("SCU", *uids), **more}


@contextmanager
def serving(
    ae: AE | None = None, *handlers: Binding, address: tuple[Any, ...] = (LOCAL, 0), **more: Any
) -> Iterator[ThreadedAssociationServer]:
    """A server that runs while the block does; its AE is shut down afterwards."""
    ae = ae or entity("SCP")
    server = ae.start_server(address, block=False, evt_handlers=list(handlers), **more)
    assert server is not None
    try:
        yield server
    finally:
        ae.shutdown()


def port_of(server: ThreadedAssociationServer) -> int:
    return int(server.server_address[1])


def call(server: ThreadedAssociationServer, ae: AE | None = None, **more: Any) -> Association:
    """Ask the server for an association."""
    return (ae or entity()).associate(LOCAL, port_of(server), **more)


@contextmanager
def established(
    *handlers: Binding, scp: AE | None = None, scu: AE | None = None, **more: Any
) -> Iterator[tuple[Association, Association]]:
    """Both ends of an association; handlers are the acceptor's, `evt_handlers` the requestor's."""
    ends: list[Association] = []
    came = threading.Event()

    def accepted(event: Any) -> None:
        ends.append(event.assoc)
        came.set()

    with serving(scp, (evt.EVT_ESTABLISHED, accepted), *handlers) as server:
        assoc = call(server, scu, **more)
        assert assoc.is_established, assoc.ended
        assert came.wait(WAIT)
        try:
            yield assoc, ends[0]
        finally:
            if assoc.is_established:
                assoc.release()


# -- a peer that follows a script ------------------------------------------------------------


class Peer:
    """The test's own end of a TCP connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        sock.settimeout(WAIT)

    def send(self, *pdus: AnyPDU | bytes) -> None:
        """Send PDUs, or whatever bytes."""
        self.socket.sendall(b"".join(p if isinstance(p, bytes) else p.encode() for p in pdus))

    def exactly(self, size: int) -> bytes:
        """Read so many bytes; fewer when the connection was closed before."""
        data = b""
        while len(data) < size:
            try:
                more = self.socket.recv(size - len(data))
            except ConnectionResetError:
                break
            if not more:
                break
            data += more
        return data

    def read(self) -> AnyPDU | None:
        """Read a PDU; None when the connection was closed."""
        header = self.exactly(6)
        if len(header) < 6:
            return None
        pdu_type, length = struct.unpack(">BxI", header)
        return decode_pdu(pdu_type, memoryview(self.exactly(length)))

    def rest(self) -> list[AnyPDU]:
        """Read PDUs until the connection is closed."""
        found = []
        while (pdu := self.read()) is not None:
            found.append(pdu)
        return found

    def accept(self, *items: AnyUserItem) -> AssociateRQ:
        """Read an A-ASSOCIATE-RQ and accept it as `pairs.accept` does."""
        request = self.read()
        assert isinstance(request, AssociateRQ)
        acceptor = pairs.Connection(False)
        acceptor.connected()
        pairs.feed(acceptor, request.encode())
        pairs.accept(acceptor, *items)
        self.send(pairs.taken(acceptor))
        return request

    def command(self) -> dict[str, Any]:
        """Read a message without a data set."""
        pdu = self.read()
        assert isinstance(pdu, PDataTF), pdu
        return decode_command(pdu.values[0].data)

    def close(self) -> None:
        self.socket.close()


Script = Callable[[Peer], object]


@contextmanager
def scripted(script: Script) -> Iterator[int]:
    """The port of a peer that plays the script on the one connection that it accepts.

    What the script raises fails the test.
    """

    def run() -> None:
        sock, _ = listener.accept()
        with sock:
            script(Peer(sock))

    with socket.create_server((LOCAL, 0)) as listener, ThreadPoolExecutor(1) as pool:
        played = pool.submit(run)
        try:
            yield listener.getsockname()[1]
        finally:
            with socket.socket() as nobody:  # in case that the test did not call
                nobody.connect_ex(listener.getsockname())
        played.result(WAIT)


@contextmanager
def dial(port: int, host: str = LOCAL) -> Iterator[Peer]:
    """A raw connection to a server."""
    with socket.create_connection((host, port), WAIT) as sock:
        yield Peer(sock)


@contextmanager
def dialled(port: int) -> Iterator[Peer]:
    """A raw connection on which an association stands."""
    with dial(port) as peer:
        peer.send(pairs.request())
        answer = peer.read()
        assert type(answer).__name__ == "AssociateAC", answer
        yield peer


# -- data ----------------------------------------------------------------------------------


def image(
    uid: str = "1.2.3.4", syntax: str = EXPLICIT, sop_class: str = CT, size: int = 0
) -> Dataset:
    """A small CT image with file meta information."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = UID(sop_class), UID(uid)
    dataset.PatientName, dataset.PatientID = "Doe^Jane", "42"
    dataset.Rows = dataset.Columns = 2
    dataset.BitsAllocated = dataset.BitsStored = 16
    if size:
        dataset.add_new(0x7FE00010, "OW", bytes(range(256)) * (size // 256))
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    return dataset


def saved(path: Path, dataset: Dataset) -> Path:
    """The data set as a Part 10 file."""
    dataset.save_as(path, enforce_file_format=True)
    return path


# -- watching --------------------------------------------------------------------------------


class Box:
    """Things that arrive from other threads, and waiting for so many of them."""

    def __init__(self) -> None:
        self.things: list[Any] = []
        self._more = threading.Condition()

    def put(self, thing: Any, *_: Any) -> int:
        with self._more:
            self.things.append(thing)
            self._more.notify_all()
        return 0x0000

    def wait(self, count: int = 1) -> list[Any]:
        with self._more:
            assert self._more.wait_for(lambda: len(self.things) >= count, WAIT), self.things
            return list(self.things)


def until(condition: Callable[[], bool]) -> None:
    """Wait for what nobody tells of: the end of a thread of the library's own."""
    nobody, end = threading.Event(), time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < end
        nobody.wait(0.001)


def busy() -> list[str]:
    """The threads that do something, by name; see `Threads` for the others."""
    return sorted(each.name for each in threading.enumerate() if each.name != IDLE)


def lines(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """What was logged from a level on."""
    return [record.getMessage() for record in caplog.records if record.levelno >= level]


def descriptors() -> int:
    """How many descriptors this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))

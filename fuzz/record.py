"""DCMTK, Orthanc and pynetdicom on loopback into the seeds: what they say, as callers and called.

`make fuzz ARGS="--record"`. The patient is made up, and nothing leaves this machine.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset

from dicomwire import AE, evt
from dicomwire.dataset.codec import encode
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Error
from dicomwire.protocol.items import (
    AnyUserItem,
    AsynchronousOperationsWindow,
    ImplementationClassUID,
    ImplementationVersionName,
    MaximumLength,
    RoleSelection,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UnknownItem,
    UserIdentity,
    UserIdentityResponse,
)
from dicomwire.protocol.pdus import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ContextResult,
    ReleaseRP,
    ReleaseRQ,
)
from fuzz.between import between
from fuzz.corpus import SEEDS
from fuzz.objects import SYNTAXES
from fuzz.talks import (
    CLASSES,
    CT,
    EXPLICIT,
    IMPLICIT,
    INSTANCE,
    PLAN,
    PROPOSED,
    Stage,
    converse,
)
from tests.conftest import find_program
from tests.peers import LOOPBACK, Arguments, Serving, run, serving
from tests.peers.orthanc import Orthanc, orthanc

STUDY, SERIES = "1.2.826.0.1.3680043.10.2.1", "1.2.826.0.1.3680043.10.2.2"
_TITLE = "ACCEPTOR"
_ARCHIVE = """
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
requestor = (REQUESTOR, 127.0.0.1, {port})
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
ACCEPTOR {folder} RW (100, 1024mb) ANY
AETable END
"""
_WAIT = 30.0
_IMAGE = "images/image.dcm"


def instance() -> Dataset:
    """A small image of a patient that never was."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = CT, INSTANCE
    made.StudyInstanceUID, made.SeriesInstanceUID = STUDY, SERIES
    made.PatientName, made.PatientID = "Fuzz^Synthetic", "FUZZ"
    made.PatientBirthDate, made.PatientSex = "19700101", "O"
    made.StudyDate, made.StudyTime, made.StudyID = "20260101", "120000", "1"
    made.AccessionNumber, made.Modality, made.ReferringPhysicianName = "F1", "CT", "Nobody"
    made.SeriesNumber, made.InstanceNumber = 1, 1
    step = Dataset()
    step.ScheduledProcedureStepDescription = "nothing"
    made.RequestAttributesSequence = [step]
    made.Rows = made.Columns = 4
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, 12, 11
    made.SamplesPerPixel, made.PixelRepresentation = 1, 0
    made.PhotometricInterpretation = "MONOCHROME2"
    made.PixelData = bytes(32)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = EXPLICIT
    made.file_meta.MediaStorageSOPClassUID = CT
    made.file_meta.MediaStorageSOPInstanceUID = INSTANCE
    return made


def identifier() -> Dataset:
    """Keys that find it."""
    made = Dataset()
    made.QueryRetrieveLevel = "STUDY"
    made.PatientName, made.PatientID, made.StudyInstanceUID = "Fuzz*", "", STUDY
    made.StudyDate, made.StudyTime = "20250101-20261231", "0800-1730"
    return made


def data_of(service: str, syntax: str) -> bytes:
    """The data set of a request of ours."""
    return encode(instance() if service == "C-STORE" else identifier(), syntax)


def save(target: str, name: str, data: bytes) -> None:
    """Write a seed."""
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath(name).write_bytes(data)
    print(f"{target}/{name}: {len(data)} bytes")


# -- they call ---------------------------------------------------------------------------------


def _ours() -> AE:
    ae = AE(_TITLE)
    for uid in CLASSES:
        ae.add_supported_context(uid, [EXPLICIT, IMPLICIT], scu_role=True, scp_role=True)
    for uid in ("1.2.840.10008.5.1.4.1.2.1.1", "1.2.840.10008.5.1.4.31", CLASSES[3]):
        ae.add_supported_context(uid)
    ae.add_requested_context(CT, [EXPLICIT, IMPLICIT])
    return ae


def _found(event: Any) -> Iterator[tuple[int, Dataset]]:
    made = identifier()
    made.PatientName = "Fuzz^Synthetic"
    yield 0xFF00, made


def _got(event: Any) -> Iterator[Any]:
    yield 1
    yield 0xFF00, instance()


@contextmanager
def _serving(moved_to: int) -> Iterator[int]:
    def moved(event: Any) -> Iterator[Any]:
        yield LOOPBACK, moved_to
        yield from _got(event)

    handlers = [
        (evt.EVT_C_STORE, lambda event: 0),
        (evt.EVT_C_FIND, _found),
        (evt.EVT_C_GET, _got),
        (evt.EVT_C_MOVE, moved),
    ]
    server = _ours().start_server((LOOPBACK, 0), block=False, evt_handlers=handlers)
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def _record_callers(folder: Path) -> None:
    image, query = folder / _IMAGE, folder / "query.dcm"
    image.parent.mkdir()
    instance().save_as(image, enforce_file_format=True)
    keys = identifier()
    keys.file_meta = FileMetaDataset()
    keys.file_meta.TransferSyntaxUID = EXPLICIT
    keys.file_meta.MediaStorageSOPClassUID = CT
    keys.file_meta.MediaStorageSOPInstanceUID = INSTANCE
    keys.save_as(query, enforce_file_format=True)
    with _serving(0) as port:
        for name, command in _callers(image, query, folder):
            with between(port) as listening:
                run(
                    [
                        *command[:-1],
                        *(f"{part}".format(port=listening.port) for part in command[-1]),
                    ]
                )
            _save_calls(name, listening.heard)
        _record_orthanc_calling(port, image, folder)


def _callers(image: Path, query: Path, folder: Path) -> Iterator[tuple[str, list[Any]]]:
    to = ["-aec", _TITLE, LOOPBACK, "{port}"]
    rows: dict[str, list[Any]] = {
        "echoscu": [[*to]],
        "storescu": ["-R", [*to, str(image)]],
        "findscu": ["-S", [*to, str(query)]],
        "getscu": ["-S", "-od", str(folder), [*to, str(query)]],
        "movescu": ["-S", "-aem", "REQUESTOR", [*to, str(query)]],
        "termscu": [[LOOPBACK, "{port}"]],
    }
    for name, arguments in rows.items():
        program = find_program(name)
        if program is None:
            print(f"left out, needs {name}")
            continue
        yield f"dcmtk-{name}", [program, *arguments]
    program = find_program("storescu")
    if program:
        more = ["-R", "-usr", "FUZZ", "-pwd", "synthetic", "-rsp", "--max-pdu", "4096"]
        yield "dcmtk-storescu-user", [program, *more, [*to, str(image)]]
        yield "dcmtk-storescu-all", [program, [*to, str(image)]]
    theirs = [sys.executable, "-W", "ignore", "-m", "pynetdicom"]
    host = [LOOPBACK, "{port}", "-aec", _TITLE]
    pairs = "-k QueryRetrieveLevel=STUDY -k PatientID=FUZZ -k StudyInstanceUID=".split()
    yield "pynetdicom-echoscu", [*theirs, "echoscu", [*host]]
    yield "pynetdicom-storescu", [*theirs, "storescu", [*host[:2], str(image), *host[2:]]]
    yield "pynetdicom-findscu", [*theirs, "findscu", [*host, "-S", *pairs]]
    yield "pynetdicom-getscu", [*theirs, "getscu", [*host, "-S", *pairs, "-od", str(folder)]]
    yield "pynetdicom-movescu", [*theirs, "movescu", [*host, "-S", *pairs]]


def _save_calls(name: str, heard: list[tuple[bytearray, bytearray]]) -> None:
    for number, (asked, _) in enumerate(heard):
        if asked:
            more = f"-{number + 1}" if number else ""
            save("acceptor", name + more, bytes((0, 0x10, 0xFF, 0xFF)) + asked)


def _record_orthanc_calling(port: int, image: Path, folder: Path) -> None:
    with _orthanc(folder, "calling") as (server, _), between(port) as listening:
        server.knows("peer", listening.port, title=_TITLE)
        stored = server.upload(image)
        wanted = {"Level": "Study", "Query": {"PatientID": "FUZZ", "StudyInstanceUID": ""}}
        server.ask("POST", "/modalities/peer/echo", {})
        server.ask("POST", "/modalities/peer/store", [stored])
        server.ask("POST", "/modalities/peer/query", wanted)
        server.ask("POST", "/modalities/peer/storage-commitment", {"Resources": [stored]})
        server.ask("POST", "/modalities/peer/find-worklist", {"PatientID": "FUZZ"})
    for name, heard in zip(
        ("echo", "store", "query", "commitment", "worklist"), listening.heard, strict=False
    ):
        _save_calls(f"orthanc-{name}", [heard])


_OPEN = {f"DicomAlwaysAllow{what}": True for what in ("Echo", "Store", "Find", "Get", "Move")}


@contextmanager
def _orthanc(folder: Path, name: str) -> Iterator[tuple[Orthanc, int]]:
    program = find_program("Orthanc")
    if program is None:
        raise SystemExit("the seeds are recorded with Orthanc: apt-get install orthanc")
    place = folder / name
    place.mkdir()
    with orthanc(program, place, DicomAet=_TITLE, **_OPEN) as server:
        yield server, server.port


# -- we call -----------------------------------------------------------------------------------


class _Calling(Stage):
    """Performs a conversation with a peer that is there."""

    def __init__(self, connection: Connection, peer: socket.socket) -> None:
        super().__init__(connection, iter(lambda: peer.recv(1 << 16), b""), b"\0\0")
        self._peer = peer

    def flush(self) -> None:
        """Write, and let it go."""
        self._peer.sendall(b"".join(self.connection.out))
        self.connection.out.clear()


def _call(port: int, switches: bytes, data_of: Callable[[str, str], bytes]) -> None:
    connection = Connection(True)
    with socket.create_connection((LOOPBACK, port), timeout=_WAIT) as peer:
        stage = _Calling(connection, peer)
        try:
            stage.run(converse(connection, switches, data_of))
        except (Error, OSError) as error:
            print(f"  {error}")
        stage.flush()


_CALLS = {"echo": 1, "store": 2, "find": 4, "get": 8, "move": 16, "normalized": 0x60, "abort": 0x81}


def _record_called(name: str, port: int, wanted: str = " ".join(_CALLS)) -> None:
    for what in wanted.split():
        switches = bytes((int(what == "store"), _CALLS[what]))
        with between(port) as listening:
            _call(listening.port, switches, data_of)
        for _, answered in listening.heard:
            save("requestor", f"{name}-{what}", switches + b"\xff" * PLAN + answered)


def _record_dcmtk_called(folder: Path) -> None:
    for name in ("storescp", "dcmqrscp"):
        program = find_program(name)
        if program is None:
            print(f"left out, needs {name}")
            continue
        with _started(_command_of(name, program, folder), folder / f"{name}.log") as server:
            wanted = "echo store abort" if name == "storescp" else " ".join(_CALLS)
            _record_called(f"dcmtk-{name}", server.port, wanted)


def _command_of(name: str, program: str, folder: Path) -> Callable[[int], Arguments]:
    store = folder / f"{name}-store"
    store.mkdir()
    if name == "storescp":
        return lambda port: [program, "-od", store, str(port)]
    settings = folder / "dcmqrscp.cfg"
    settings.write_text(_ARCHIVE.format(port=1, folder=store))
    return lambda port: [program, "-c", settings, str(port)]


@contextmanager
def _started(command: Callable[[int], Arguments], log: Path) -> Iterator[Serving]:
    with serving(command, log) as server:
        yield server


def _record_pynetdicom_called(folder: Path) -> None:
    store = folder / "pynetdicom"
    store.mkdir()
    for name, options in (("storescp", ["-od", str(store)]), ("echoscp", [])):
        with _started(
            lambda port, name=name, options=options: [  # type: ignore[misc]
                *(sys.executable, "-W", "ignore", "-m", "pynetdicom", name, str(port), *options)
            ],
            folder / f"pynetdicom-{name}.log",
        ) as server:
            _record_called(f"pynetdicom-{name}", server.port, "echo store")
    script = Path(__file__).parents[1] / "tests" / "peers" / "scripts" / "pynetdicom_query_scp.py"
    with _started(
        lambda port: [sys.executable, "-W", "ignore", script, str(port), folder / "images", "1"],
        folder / "pynetdicom-query.log",
    ) as server:
        _record_called("pynetdicom-query", server.port, "find get move")


def _write_items() -> None:
    """What none of them says: every item of a request and of an acceptance (PS3.7 D.3.3)."""
    related = SOPClassCommonExtendedNegotiation(CT, CT, [CT, CLASSES[2]])
    items: list[AnyUserItem] = [
        MaximumLength(16382),
        ImplementationClassUID("1.2.3"),
        AsynchronousOperationsWindow(5, 0),
        RoleSelection(CT, True, True),
        ImplementationVersionName("FUZZ"),
        SOPClassExtendedNegotiation(CLASSES[3], b"\1\1\1"),
        related,
        UserIdentity(2, True, b"FUZZ", b"synthetic"),
        UnknownItem(0x7A, b"unknown"),
    ]
    asked = AssociateRQ(_TITLE, "REQUESTOR", PROPOSED, items).encode()
    ends = b"".join(pdu.encode() for pdu in (ReleaseRQ(), ReleaseRP(), Abort(2, 6)))
    save("acceptor", "written-items", bytes((4, 0x20, 0xFF, 0xFF)) + asked + ends)
    results = [ContextResult(each.context_id, 0, EXPLICIT) for each in PROPOSED[:6]]
    results += [ContextResult(each.context_id, 3) for each in PROPOSED[6:]]
    answered = [*items[:-2], UserIdentityResponse(b"ticket")]
    answer = AssociateAC(_TITLE, "REQUESTOR", results, answered).encode()
    save("requestor", "written-items", bytes((5, 1, 0xFF, 0xFF)) + answer + ends)
    rejection = AssociateRJ(2, 3, 2).encode()
    save("requestor", "written-rejection", bytes((0, 1, 0xFF, 0xFF)) + rejection)


def _record_texts(folder: Path) -> None:
    """dcmdump's text of the image; what it shows is also what `make` reads."""
    image = folder / _IMAGE
    save("headers", "image", image.read_bytes())
    save("headers", "bare", data_of("C-STORE", IMPLICIT))
    for number, syntax in enumerate(SYNTAXES[:4]):
        save("data_sets", f"image-{number}", bytes((number,)) + data_of("C-STORE", syntax))
        save("data_sets", f"query-{number}", bytes((number,)) + data_of("C-FIND", syntax))
    program = find_program("dcmdump")
    if program is not None:
        for name, options in (("plain", []), ("long", ["+L", "+U8"])):
            text = subprocess.run(
                [program, *options, image], capture_output=True, check=True, timeout=_WAIT
            ).stdout
            save("dumps", f"dcmdump-{name}", text)


def main() -> int:
    """Record everything."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        _record_callers(folder)
        _record_dcmtk_called(folder)
        with _orthanc(folder, "called") as (_, port):
            _record_called("orthanc", port)
        _record_pynetdicom_called(folder)
        _record_texts(folder)
    _write_items()
    return 0

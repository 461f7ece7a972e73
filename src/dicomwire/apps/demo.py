"""pydicom's sample files into a tour: stored, found, got and moved, and compared byte by byte."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dicomwire.apps.demo_nodes import FAR, LOOPBACK, NEAR, Nodes, from_orthanc, nodes
from dicomwire.apps.exits import Exit
from dicomwire.apps.options import ToolParser, option
from dicomwire.apps.output import log
from dicomwire.apps.planning import plan
from dicomwire.apps.running import run
from dicomwire.apps.selection import MEDIA_STORAGE_DIRECTORY
from dicomwire.apps.tables import Row, show_table
from dicomwire.apps.timeline import Span, timeline
from dicomwire.archive.scan import scan
from dicomwire.dataset.errors import DataSetError
from dicomwire.dataset.part10 import FileHeader, read_header
from dicomwire.network import events as evt
from dicomwire.network.ae import ApplicationEntity
from dicomwire.network.association import Association
from dicomwire.network.log_text import visible
from dicomwire.network.options import Options
from dicomwire.network.presentation import build_context, build_role
from dicomwire.protocol.errors import Error, LocalError
from dicomwire.standard.context_lists import CONTEXT_LISTS
from dicomwire.standard.uids import name_of

IDENTICAL = "identical"
PADDED = "identical, padded"  # with a zero byte to an even length, as PS3.5 A.5 demands
SAME_ELEMENTS = "the same elements"  # encoded anew, as Orthanc does with what it stores
GOOD = (IDENTICAL, PADDED, SAME_ELEMENTS)
SUCCESS = 0x0000
REFUSED = (0xA900, 0xC000)  # what an archive says of an object that is none: PS3.4 Table B.2-1
NO_PATIENTS = frozenset(CONTEXT_LISTS["NonPatientObjectPresentationContexts"])
"""SOP classes that belong to no study, so that an archive of studies does not take them."""
TRAILING_PADDING = 0xFFFCFFFC
_CHUNK = 1 << 20
_ROOT = "1.2.840.10008.5.1.4.1.2"
PATIENT_FIND, STUDY_FIND = f"{_ROOT}.1.1", f"{_ROOT}.2.1"
STUDY_MOVE, STUDY_GET = f"{_ROOT}.2.2", f"{_ROOT}.2.3"
_LANES = {
    "store": f"C-STORE to {NEAR}",
    "find": f"C-FIND at {NEAR}",
    "get": f"C-GET from {NEAR}",
    "move": f"C-MOVE to {FAR}",
}


@dataclass
class Trip:
    """What became of one sample.

    Parameters
    ----------
    header : FileHeader
        The sample.
    values : dict
        What there is to find it by, by keyword.
    seconds : float
        From the request to store it to the response.
    refused : bool
        Whether the archive refused it as it has to: it is incomplete, or about no patient.
    text : str
        One of `GOOD`, or what is wrong.
    comment : str
        Why it was refused.
    """

    header: FileHeader
    values: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    refused: bool = False
    text: str = ""
    comment: str = ""

    @property
    def is_stored(self) -> bool:
        """Whether nothing has gone wrong so far."""
        return not self.text

    @property
    def is_good(self) -> bool:
        """Whether it went as it should."""
        return self.refused or self.text in GOOD


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demonstration; return its exit code, see `Exit`: 3 when anything differs."""
    parser = ToolParser(
        "demo",
        "[options]",
        "Starts two archives, sends every DICOM file that pydicom ships to one of them, finds it\n"
        "by patient, study and wild card, gets it, has it moved to the other, and compares.",
        "-v",
    )
    parser.add_options(
        "Demonstration",
        (
            option(
                "--peer",
                "what the second archive is: qrscp, or orthanc if it is installed",
                common=True,
                choices=("qrscp", "orthanc"),
                default="qrscp",
            ),
            option(
                "--picture",
                "file for a picture of what happened when (default: demo-out/timeline.svg)",
                common=True,
                type=Path,
                default=Path("demo-out/timeline.svg"),
                metavar="FILE",
            ),
        ),
    )
    return run(parser, argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Start the archives, send, find, get, move, compare, show."""
    root = sample_folder()
    headers, left_out = samples(root)
    with (
        tempfile.TemporaryDirectory(prefix="dicomwire-demo-") as name,
        nodes(Path(name), args.peer == "orthanc") as running,
    ):
        if running is None:
            return Exit.NOT_HERE
        tour = Tour(running, Path(name))
        trips = [trip for each in rounds(headers) for trip in tour.go(each)]
    trips.sort(key=lambda trip: trip.header.path)
    show_table([_row(each, root) for each in trips])
    for trip in trips:
        if trip.refused:
            print(f"refused: {trip.header.path.relative_to(root)}: {visible(trip.comment)}")
    for path, why in left_out:
        print(f"left out: {path.relative_to(root)}: {why}")
    picture(args.picture, tour.spans)
    return conclude(trips, len(left_out), tour.clock())


# -- samples -----------------------------------------------------------------------------------


def sample_folder() -> Path:
    """Return the folder with the files that pydicom ships."""
    spec = find_spec("pydicom")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data"


def samples(root: Path) -> tuple[list[FileHeader], list[tuple[Path, str]]]:
    """Return what can be sent of a folder's DICOM files, and why each other one cannot."""
    headers: list[FileHeader] = []
    left_out: list[tuple[Path, str]] = []
    for path in sorted(root.rglob("*")):
        if not path.is_file():
            continue
        try:
            header = read_header(path)
        except LocalError as error:
            if _looks_like_dicom(path):
                left_out.append((path, error.what.removeprefix(f"{path}: ")))
            continue
        if header.sop_class_uid == MEDIA_STORAGE_DIRECTORY:
            left_out.append((path, "a DICOMDIR belongs to a medium, it is not sent"))
        else:
            headers.append(header)
    return headers, left_out


def _looks_like_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return path.suffix == ".dcm" or file.read(132)[128:] == b"DICM"


# -- the tour ----------------------------------------------------------------------------------


def rounds(headers: Sequence[FileHeader]) -> list[list[FileHeader]]:
    """Return the objects so that none of a round has the SOP Instance UID of another of it.

    An archive has one object of a UID: a later one takes the place of the one before.
    """
    found: list[list[FileHeader]] = []
    count: dict[str, int] = {}
    for header in headers:
        number = count.get(header.sop_instance_uid, 0)
        count[header.sop_instance_uid] = number + 1
        if number == len(found):
            found.append([])
        found[number].append(header)
    return found


class Tour:
    """Takes objects through the archives, and notes what takes how long.

    Parameters
    ----------
    running : Nodes
        The archives.
    folder : Path
        For what comes back.
    """

    def __init__(self, running: Nodes, folder: Path) -> None:
        self._nodes = running
        self._inbox = folder / "inbox"
        self._inbox.mkdir()
        self._ae = ApplicationEntity("DEMO", Options(store_directory=self._inbox))
        self._pairs: dict[str, dict[tuple[str, str], None]] = {}  # what studies consist of
        self._began = time.perf_counter()
        self.spans: list[Span] = []

    def clock(self) -> float:
        """Return the seconds since the beginning."""
        return time.perf_counter() - self._began

    @contextmanager
    def _noting(self, lane: str, text: str) -> Iterator[None]:
        begin = self.clock()
        yield
        self.spans.append(Span(_LANES[lane], text, begin, self.clock()))

    def go(self, headers: Sequence[FileHeader]) -> list[Trip]:
        """Take objects through; none has the SOP Instance UID of another."""
        trips = list(self._stored(headers))
        by_study: dict[str, list[Trip]] = {}
        for trip in trips:
            if trip.is_stored:
                uid, header = trip.values["StudyInstanceUID"], trip.header
                by_study.setdefault(uid, []).append(trip)
                pairs = self._pairs.setdefault(uid, {})
                pairs[header.sop_class_uid, header.transfer_syntax_uid] = None
        self._find(by_study)
        for uid, part in by_study.items():
            with self._noting("get", uid):
                self._get(NEAR, self._nodes.near, uid)
            came = self._compare(part)
            with self._noting("move", uid):
                failed = self._move(uid)
            self._fetch_moved(uid, part)
            arrived = self._compare(part, self._nodes.orthanc is not None)
            for trip in part:
                if self._nodes.orthanc is not None and trip.header.sop_instance_uid in failed:
                    trip.refused, trip.text = True, "refused by Orthanc"
                    trip.comment = "Orthanc did not take it; it was stored, found and got before"
                trip.text = trip.text or _verdict(came[id(trip)], arrived[id(trip)])
        return trips

    def _associate(self, title: str, port: int, contexts: list[Any], **more: Any) -> Association:
        return self._ae.associate(LOOPBACK, port, contexts, title, **more)

    # -- store and find ----------------------------------------------------------------------

    def _stored(self, headers: Sequence[FileHeader]) -> Iterator[Trip]:
        for load in plan(headers):
            with self._associate(NEAR, self._nodes.near, load.proposal()) as assoc:
                for number, header in enumerate(load.headers, 1):
                    yield self._store(assoc, header, number)

    def _store(self, assoc: Association, header: FileHeader, number: int) -> Trip:
        trip, begin = Trip(header), self.clock()
        try:
            with self._noting("store", header.path.name):
                response = assoc.c_store(header, number)
        except (Error, RuntimeError, ValueError) as error:
            trip.refused = header.sop_class_uid in NO_PATIENTS
            trip.text = "refused" if trip.refused else f"not sent: {error}"
            trip.comment = "it is about no patient"
            return trip
        trip.seconds = self.clock() - begin
        if response.status != SUCCESS:
            trip.refused = response.status in REFUSED
            trip.text, trip.comment = f"refused (0x{response.status:04X})", response.comment
            return trip
        trip.values = values_of(header)
        return trip

    def _find(self, by_study: dict[str, list[Trip]]) -> None:
        """Look for each study by its patient, by its UID, and by the beginning of a name."""
        contexts = [build_context(uid) for uid in (PATIENT_FIND, STUDY_FIND)]
        with self._associate(NEAR, self._nodes.near, contexts) as assoc:
            for uid, part in by_study.items():
                values = part[0].values
                patient, name = values.get("PatientID", ""), values.get("PatientName", "")
                wild = re.split(r"[=\\^]", name)[0][:3].strip() + "*"
                ways = (
                    ("patient", PATIENT_FIND, "PATIENT", {"PatientID": patient}, patient),
                    ("study", STUDY_FIND, "STUDY", {"StudyInstanceUID": uid}, uid),
                    ("wild card", STUDY_FIND, "STUDY",
                     {"PatientName": wild, "StudyInstanceUID": ""}, uid),
                )  # fmt: skip
                for way, model, level, wanted, expected in ways:
                    with self._noting("find", f"{uid} by {way}"):
                        found = _answers(assoc, model, level, wanted)
                    if expected not in found:
                        for trip in part:
                            trip.text = f"not found by {way}"

    # -- get and move ------------------------------------------------------------------------

    def _get(self, title: str, port: int, study: str) -> None:
        """Get a study into the inbox, which has nothing else then."""
        for path in self._inbox.iterdir():
            path.unlink()
        pairs = self._pairs[study]
        contexts = [build_context(STUDY_GET), *(build_context(*pair) for pair in pairs)]
        roles = [build_role(uid, scp_role=True) for uid in {uid for uid, _ in pairs}]
        handlers = [(evt.EVT_C_STORE, self._keep)]
        with (
            self._associate(title, port, contexts, ext_neg=roles, evt_handlers=handlers) as assoc,
            suppress(RuntimeError, ValueError),
        ):  # what has not come is said by who compares
            for _ in assoc.send_c_get(_identifier("STUDY", StudyInstanceUID=study), STUDY_GET):
                pass

    def _keep(self, event: Any) -> int:
        event.save_as(self._inbox / f"{event.command['AffectedSOPInstanceUID']}.dcm")
        return SUCCESS

    def _move(self, study: str) -> set[str]:
        """Have a study moved; return the SOP Instance UIDs that the destination did not take."""
        failed: set[str] = set()
        contexts = [build_context(STUDY_MOVE)]
        wanted = _identifier("STUDY", StudyInstanceUID=study)
        with (
            self._associate(NEAR, self._nodes.near, contexts) as assoc,
            suppress(RuntimeError, ValueError),
        ):
            for _, last in assoc.send_c_move(wanted, FAR, STUDY_MOVE):
                uids = last.get("FailedSOPInstanceUIDList") if last is not None else None
                failed |= {uids} if isinstance(uids, str) else set(uids or ())
        return failed

    def _fetch_moved(self, study: str, part: Sequence[Trip]) -> None:
        """Have in the inbox what the far archive has."""
        if self._nodes.orthanc is None:
            self._get(FAR, self._nodes.far, study)
            return
        for path in self._inbox.iterdir():
            path.unlink()
        for trip in part:
            uid = trip.header.sop_instance_uid
            with suppress(OSError):  # what is not there is said by who compares
                from_orthanc(self._nodes.orthanc, uid, self._inbox / f"{uid}.dcm")

    def _compare(self, part: Sequence[Trip], by_element: bool = False) -> dict[int, str]:
        return {id(trip): compare(trip.header, self._inbox, by_element) for trip in part}


def _verdict(came: str, arrived: str) -> str:
    if came not in GOOD:
        return f"C-GET: {came}"
    return arrived if arrived in GOOD else f"C-MOVE: {arrived}"


def values_of(header: FileHeader) -> dict[str, str]:
    """Return what there is to find an object by, as text by keyword."""
    with header.path.open("rb") as file, suppress(DataSetError):
        file.seek(header.offset)
        return scan(file, header.transfer_syntax_uid).values
    return {}


def _identifier(level: str, **wanted: str) -> Any:
    from pydicom.dataset import Dataset

    ds = Dataset()
    ds.SpecificCharacterSet, ds.QueryRetrieveLevel = "ISO_IR 192", level
    for keyword, value in wanted.items():
        setattr(ds, keyword, value)
    return ds


def _answers(assoc: Association, model: str, level: str, wanted: dict[str, str]) -> set[str]:
    """Ask; return the unique keys of what is found."""
    unique = "PatientID" if level == "PATIENT" else "StudyInstanceUID"
    found = assoc.send_c_find(_identifier(level, **wanted), model)
    return {str(match.get(unique) or "") for _, match in found if match is not None}


# -- comparing ---------------------------------------------------------------------------------


def compare(header: FileHeader, folder: Path, by_element: bool = False) -> str:
    """Compare an object with the file of its SOP Instance UID in a folder; say what differs.

    Parameters
    ----------
    header : FileHeader
        The object.
    folder : Path
        Where it should be.
    by_element : bool
        Whether the elements count when the bytes are others.
    """
    path = folder / f"{header.sop_instance_uid}.dcm"
    if not path.exists():
        return "it did not arrive"
    received = read_header(path)
    differs = difference(header, received)
    if differs and by_element and _elements(header.path) == _elements(path):
        return SAME_ELEMENTS
    return differs or (PADDED if received.length == header.length + 1 else IDENTICAL)


def _elements(path: Path) -> dict[int, Any]:
    """Return what is in an object, without what only says how it is encoded."""
    from pydicom import dcmread

    found = {int(each.tag): _plain(each) for each in dcmread(path, force=True)}
    return {tag: value for tag, value in found.items() if tag & 0xFFFF and tag != TRAILING_PADDING}


def _plain(element: Any) -> Any:
    """Return the value of an element; a sequence's as dicts, and bytes without their padding."""
    if element.VR == "SQ":
        return [{int(each.tag): _plain(each) for each in item if each.tag.element}
                for item in element.value]  # fmt: skip
    value = element.value
    return value.rstrip(b"\0 ") if isinstance(value, bytes) else str(value)


def difference(sent: FileHeader, received: FileHeader) -> str:
    """Say how a received file differs from the one sent, empty when it does not.

    The data sets are compared byte by byte, but for the byte that makes an odd length even; the
    file meta information is the receiver's own, but for its UIDs.
    """
    uids = ("sop_class_uid", "sop_instance_uid", "transfer_syntax_uid")
    for name in uids:
        if getattr(sent, name) != getattr(received, name):
            return f"another {name.replace('_', ' ')}: {getattr(received, name)}"
    if sent.length + sent.length % 2 != received.length:
        return f"{received.length} bytes instead of {sent.length}"
    with sent.path.open("rb") as one, received.path.open("rb") as other:
        one.seek(sent.offset)
        other.seek(received.offset)
        for start in range(0, sent.length, _CHUNK):
            piece = one.read(_CHUNK)
            if piece != other.read(len(piece)):
                return f"differs in the {len(piece)} bytes from byte {start}"
        return "" if other.read() in (b"", b"\0") else "ends in another byte"


# -- what is shown -----------------------------------------------------------------------------


def _row(trip: Trip, root: Path) -> Row:
    header = trip.header
    return Row(
        str(header.path.relative_to(root)),
        name_of(header.sop_class_uid),
        name_of(header.transfer_syntax_uid),
        f"{header.length:,}",
        f"{trip.seconds * 1e3:.1f}",
        trip.text,
        trip.is_good,
    )


def picture(path: Path, spans: Sequence[Span]) -> None:
    """Write the picture of what happened when."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(timeline("dicomwire demo: each bar is a request", spans), encoding="utf-8")
    except OSError as error:
        log.error("%s cannot be written: %s. Check: --picture FILE", path, error.strerror)
        return
    print(f"\nwhat happened when: {path}")


def conclude(trips: Sequence[Trip], left_out: int, seconds: float) -> Exit:
    """Print what the table comes to; return the exit code."""
    headers = [trip.header for trip in trips]
    good = sum(trip.text in GOOD for trip in trips)
    refused = sum(trip.refused for trip in trips)
    size = sum(header.length for header in headers) / 1e6
    classes = len({header.sop_class_uid for header in headers})
    syntaxes = len({header.transfer_syntax_uid for header in headers})
    print(
        f"\n{good} of {len(trips)} objects were stored, found, got and moved with every byte as it "
        f"was sent: {classes} SOP classes, {syntaxes} transfer syntaxes, {size:.1f} MB in "
        f"{seconds:.1f} s; {refused} refused as they should be, {left_out} left out"
    )
    return Exit.DONE if good and good + refused == len(trips) else Exit.FAILED


if __name__ == "__main__":
    sys.exit(main())

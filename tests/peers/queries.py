"""Our two ends of query and retrieval: an archive of some objects, and a client that asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.uid import ExplicitVRLittleEndian

from dicomwire import AE, Association, build_context, build_role, evt
from dicomwire.sop_class import ModalityWorklistInformationFind as WORKLIST
from dicomwire.sop_class import StudyRootQueryRetrieveInformationModelFind as FIND
from dicomwire.sop_class import StudyRootQueryRetrieveInformationModelGet as GET
from dicomwire.sop_class import StudyRootQueryRetrieveInformationModelMove as MOVE
from tests.peers import LOOPBACK
from tests.peers.objects import EXPLICIT_LITTLE, IMPLICIT_LITTLE, Object, shipped, write_image
from tests.peers.ours import WAIT, Receiver

SUCCESS, PENDING, CANCELLED, WITH_FAILURES = 0x0000, 0xFF00, 0xFE00, 0xB000
UNKNOWN_DESTINATION = 0xA801
NM_STUDY = "2.25.71"  # of what `write_image` writes
SYNTAXES = [EXPLICIT_LITTLE, IMPLICIT_LITTLE]

Pairs = list[tuple[int, Dataset | None]]


def six(folder: Path) -> list[Object]:
    """Return objects of three studies, patients and SOP classes: four, one and one."""
    small = [write_image(folder / f"{n}.dcm", 1, 17, 19, number=n) for n in range(4)]
    return [*small, *shipped(["CT_small", "MR_small"])]


def study_of(item: Object) -> str:
    """Return the Study Instance UID of an object."""
    return str(dcmread(item.path, specific_tags=["StudyInstanceUID"]).StudyInstanceUID)


def keys(level: str, **wanted: Any) -> Dataset:
    """Make an identifier."""
    identifier = Dataset()
    identifier.QueryRetrieveLevel = level
    for name, value in wanted.items():
        setattr(identifier, name, value)
    return identifier


def worklist_item(number: int, name: str) -> Dataset:
    """Make a scheduled procedure step of a patient."""
    step = Dataset()
    step.Modality, step.ScheduledStationAETitle = "MR", "STATION"
    step.ScheduledProcedureStepStartDate = "20260101"
    step.ScheduledProcedureStepStartTime = "080000"
    step.ScheduledProcedureStepID = f"S{number}"
    item = Dataset()
    item.PatientName, item.PatientID = name, f"P{number}"
    item.StudyInstanceUID = f"2.25.{900 + number}"
    item.ScheduledProcedureStepSequence = [step]
    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.file_meta.MediaStorageSOPClassUID = WORKLIST
    item.file_meta.MediaStorageSOPInstanceUID = f"2.25.{950 + number}"
    return item


def _agrees(key: DataElement, value: Any) -> bool:
    """Tell whether a value matches a key: a list of UIDs, a wildcard, or nothing."""
    if isinstance(key.value, MultiValue):
        return str(value) in key.value
    return not key.value or fnmatchcase(str(value), str(key.value))


def _keys_of(identifier: Dataset) -> list[DataElement]:
    besides = ("", "QueryRetrieveLevel", "SpecificCharacterSet", "TimezoneOffsetFromUTC")
    return [each for each in identifier if each.keyword not in besides]


class Archive:
    """Our query/retrieve server while it runs.

    Parameters
    ----------
    objects : sequence of Object
        What it has.
    destinations : mapping of str to int
        The ports of the AE titles that it moves to.

    Attributes
    ----------
    port : int
        Where it listens.
    """

    def __init__(self, objects: Sequence[Object], destinations: Mapping[str, int]) -> None:
        self.port = 0
        self._headers = [(each, dcmread(each.path, stop_before_pixels=True)) for each in objects]
        self._destinations = destinations
        self._ends: SimpleQueue[Association] = SimpleQueue()

    def _matching(self, identifier: Dataset) -> list[tuple[Object, Dataset]]:
        wanted = _keys_of(identifier)
        return [
            (item, header)
            for item, header in self._headers
            if all(_agrees(key, header.get(key.keyword, "")) for key in wanted)
        ]

    def find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        """Answer with what is different among the matches."""
        found = {}
        for _, header in self._matching(event.identifier):
            match = keys(event.identifier.QueryRetrieveLevel)
            for key in _keys_of(event.identifier):
                setattr(match, key.keyword, header.get(key.keyword))
            found[str(match)] = match
        for match in found.values():
            yield PENDING, match

    def get(self, event: Any) -> Iterator[Any]:
        """Send what matches."""
        matches = self._matching(event.identifier)
        yield len(matches)
        for item, _ in matches:
            yield PENDING, item.path

    def move(self, event: Any) -> Iterator[Any]:
        """Send what matches to whom the destinations name."""
        yield LOOPBACK, self._destinations.get(event.move_destination)
        yield from self.get(event)

    def end(self, event: Any) -> None:
        """Note that an association is over."""
        self._ends.put(event.assoc)

    def next_end(self) -> Association:
        """Wait for the end of an association; return it."""
        return self._ends.get(timeout=WAIT)


@contextmanager
def archive(
    objects: Sequence[Object],
    destinations: Mapping[str, int] | None = None,
    *,
    models: Sequence[str] = (FIND, GET, MOVE),
    handlers: Sequence[Any] = (),
) -> Iterator[Archive]:
    """Run our server for queries and retrievals until the block is left.

    Parameters
    ----------
    objects, destinations
        See `Archive`.
    models : sequence of str
        The information models.
    handlers : sequence
        (event, function), instead of or besides those of `Archive`.
    """
    ours = Archive(objects, destinations or {})
    ae = AE("OURS")
    for model in models:
        ae.add_supported_context(model)
    for uid in dict.fromkeys(each.sop_class for each in objects):
        ae.add_supported_context(uid, SYNTAXES, scu_role=True, scp_role=True)
        ae.add_requested_context(uid, SYNTAXES)
    bound = {
        evt.EVT_C_FIND: ours.find,
        evt.EVT_C_GET: ours.get,
        evt.EVT_C_MOVE: ours.move,
        evt.EVT_RELEASED: ours.end,
        evt.EVT_ABORTED: ours.end,
        **dict(handlers),
    }
    server = ae.start_server((LOOPBACK, 0), block=False, evt_handlers=[*bound.items()])
    ours.port = server.server_address[1]
    try:
        yield ours
    finally:
        ae.shutdown()


def client(port: int, *models: str, objects: Sequence[Object] = (), **arguments: Any) -> Any:
    """Ask a peer for an association for some models, and to receive objects over it."""
    classes = list(dict.fromkeys(each.sop_class for each in objects))
    contexts = [*map(build_context, models), *(build_context(uid, SYNTAXES) for uid in classes)]
    roles = [build_role(uid, scp_role=True) for uid in classes]
    assoc = AE("OURS").associate(LOOPBACK, port, contexts, ext_neg=roles or None, **arguments)
    assert assoc.is_established, assoc.ended
    return assoc


def pairs(responses: Any) -> Pairs:
    """Take all responses; their statuses and identifiers."""
    return [(status.get("Status", -1), identifier) for status, identifier in responses]


def find(port: int, identifier: Dataset, **arguments: Any) -> list[Dataset]:
    """Ask a peer for matches; it has to find well."""
    with client(port, FIND, **arguments) as assoc:
        *found, last = pairs(assoc.send_c_find(identifier, FIND))
    assert last == (SUCCESS, None), assoc.ended
    assert {status for status, _ in found} <= {PENDING, PENDING + 1}
    assert assoc.is_released, assoc.ended
    return [match for _, match in found if match is not None]


class Counts(NamedTuple):
    """The last response to a retrieval."""

    status: int
    completed: int
    failed: int
    warning: int


def counts(responses: Any) -> Counts:
    """Take all responses; what the last one says of the sub-operations."""
    last = [status for status, _ in responses][-1]
    names = ("Completed", "Failed", "Warning")
    return Counts(last.Status, *(last.get(f"NumberOf{name}Suboperations", 0) for name in names))


def get(
    port: int, identifier: Dataset, objects: Sequence[Object], **arguments: Any
) -> tuple[Counts, Receiver]:
    """Ask a peer for objects over the same association; the outcome and what came."""
    receiver = Receiver(None)
    handlers = [(evt.EVT_C_STORE, receiver.store)]
    with client(port, GET, objects=objects, evt_handlers=handlers, **arguments) as assoc:
        outcome = counts(assoc.send_c_get(identifier, GET))
    assert assoc.is_released, assoc.ended
    return outcome, receiver


def move(port: int, identifier: Dataset, destination: str, **arguments: Any) -> Counts:
    """Ask a peer to send objects to an AE; the outcome."""
    with client(port, MOVE, **arguments) as assoc:
        outcome = counts(assoc.send_c_move(identifier, destination, MOVE))
    assert assoc.is_released, assoc.ended
    return outcome

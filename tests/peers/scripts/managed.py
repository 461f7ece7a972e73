"""Managed SOP instances: requests into answers (`Managed`), steps into requests (`perform`).

Knows neither library, only what handlers and associations are called in both: what is served in
pynetdicom's process is served in ours too, and asked for in the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from itertools import count
from queue import SimpleQueue
from typing import Any

from pydicom import Dataset

SUCCESS, PENDING = 0x0000, 0xFF00
NO_SUCH_INSTANCE, DUPLICATE, PROCESSING_FAILURE = 0x0112, 0x0111, 0x0110
NOT_TO_BE_UPDATED = 0xA710  # Error ID, PS3.4 F.7.2.2.2
ALREADY_COMPLETED = 0xB306  # a warning, PS3.4 CC.2.1.3
FILM_BOX, IMAGE_BOX = "1.2.840.10008.5.1.1.2", "1.2.840.10008.5.1.1.4"
PRINTER, THE_PRINTER = "1.2.840.10008.5.1.1.16", "1.2.840.10008.5.1.1.17"
PRINT_META = "1.2.840.10008.5.1.1.9"
COMMITMENT = "1.2.840.10008.1.20.1"
UPS_PUSH, UPS_EVENT = "1.2.840.10008.5.1.4.34.6.1", "1.2.840.10008.5.1.4.34.6.4"
ON_A_NEW_ASSOCIATION = "PORT"  # begins the AE title of who listens for reports, then the port
WAIT = 20.0

Report = tuple[Dataset, int, str, str, int, str | None]  # what `send_n_event_report` takes
Answer = tuple[Any, Dataset | None]


def item(**elements: Any) -> Dataset:
    """Make a data set."""
    ds = Dataset()
    for name, value in elements.items():
        setattr(ds, name, value)
    return ds


def refusal(status: int, comment: str, **elements: int) -> Dataset:
    """Make the status of a request that is not done."""
    return item(Status=status, ErrorComment=comment, **elements)


def report_on(event: Any) -> Report | None:
    """Return what is to be said after an action; None when nothing is."""
    class_uid = str(event.request.RequestedSOPClassUID)
    instance = str(event.request.RequestedSOPInstanceUID)
    if class_uid == COMMITMENT:
        kind, said = _committed(event.action_information)
        return said, kind, class_uid, instance, 1, None
    if class_uid == FILM_BOX:
        return item(PrinterStatusInfo="SUPPLY LOW"), 2, PRINTER, THE_PRINTER, 1, PRINT_META
    if event.action_type == 3:  # of a Unified Procedure Step: a subscription
        meta = UPS_EVENT if class_uid == UPS_PUSH else None
        return item(ProcedureStepState="IN PROGRESS"), 1, class_uid, instance, 1, meta
    return None


def _committed(info: Dataset) -> tuple[int, Dataset]:
    """Say of all instances that they are kept, but of one whose UID ends with .404."""
    said = item(TransactionUID=info.TransactionUID)
    missing = [
        each
        for each in info.ReferencedSOPSequence
        if each.ReferencedSOPInstanceUID.endswith(".404")
    ]
    kept = [each for each in info.ReferencedSOPSequence if each not in missing]
    if kept:
        said.ReferencedSOPSequence = kept
    if not missing:
        return 1, said
    for each in missing:
        each.FailureReason = NO_SUCH_INSTANCE
    said.FailedSOPSequence = missing
    return 2, said


class Managed:
    """An SCP of every N-service, and of C-FIND over what it has.

    Parameters
    ----------
    report : callable
        Takes an association and a report; sends it after the response to the request under way,
        over that association or, when the AE title of the peer begins with PORT, over a new one.
    instances : dict of str to Dataset
        What is there from the start, by SOP Instance UID.
    """

    def __init__(
        self, report: Callable[[Any, Report], None], instances: dict[str, Dataset]
    ) -> None:
        self._report = report
        self._instances = dict(instances)
        self._numbers = count(1)

    def handlers(self, evt: Any) -> list[tuple[Any, Any]]:
        """Return what to bind, for the events of a library."""
        names = "c_find n_create n_get n_set n_action n_delete".split()
        return [(getattr(evt, f"EVT_{name.upper()}"), getattr(self, name)) for name in names]

    def c_find(self, event: Any) -> Iterator[tuple[int, Dataset]]:
        """Answer with what has the Patient's Name, and the Procedure Step State if given."""
        wanted = event.identifier
        for ds in self._instances.values():
            state = wanted.get("ProcedureStepState")
            named = fnmatchcase(str(ds.get("PatientName", "")), str(wanted.PatientName))
            if named and (not state or ds.get("ProcedureStepState") == state):
                match = Dataset()
                for key in wanted:
                    match[key.tag] = ds.get(key.tag, key)
                yield PENDING, match

    def n_create(self, event: Any) -> Answer:
        """Create an instance; one of a film box has an image box."""
        given = event.request.AffectedSOPInstanceUID
        uid = str(given or f"2.25.{500 + next(self._numbers)}")
        if uid in self._instances:
            return refusal(DUPLICATE, "there is such an instance"), None
        ds = event.attribute_list
        if event.request.AffectedSOPClassUID == FILM_BOX:
            box = item(ReferencedSOPClassUID=IMAGE_BOX, ReferencedSOPInstanceUID=f"{uid}.1")
            ds.ReferencedImageBoxSequence = [box]
            self._instances[f"{uid}.1"] = Dataset()
        self._instances[uid] = Dataset()
        self._instances[uid].update(ds)
        if not given:
            ds.AffectedSOPInstanceUID = uid
        return SUCCESS, ds

    def n_get(self, event: Any) -> Answer:
        """Answer with the attributes asked for, or with all."""
        ds = self._instances.get(str(event.request.RequestedSOPInstanceUID))
        if ds is None:
            return NO_SUCH_INSTANCE, None
        answer = Dataset()
        for tag in event.attribute_identifiers or ds.keys():
            answer[tag] = ds[tag]
        return SUCCESS, answer

    def n_set(self, event: Any) -> Answer:
        """Change an instance, unless it is completed."""
        ds = self._instances.get(str(event.request.RequestedSOPInstanceUID))
        if ds is None:
            return refusal(NO_SUCH_INSTANCE, "there is no such instance"), None
        if ds.get("PerformedProcedureStepStatus") == "COMPLETED":
            comment = "Performed Procedure Step Object may no longer be updated"
            return refusal(PROCESSING_FAILURE, comment, ErrorID=NOT_TO_BE_UPDATED), None
        ds.update(event.modification_list)
        return SUCCESS, event.modification_list

    def n_action(self, event: Any) -> Answer:
        """Change an instance, unless it is completed; the reply repeats the information."""
        report = report_on(event)
        if report is not None:
            self._report(event.assoc, report)
            return SUCCESS, None
        ds = self._instances.get(str(event.request.RequestedSOPInstanceUID))
        if ds is None:
            return refusal(NO_SUCH_INSTANCE, "there is no such instance"), None
        info = event.action_information
        state = info.get("ProcedureStepState")
        if state and state == ds.get("ProcedureStepState") == "COMPLETED":
            return ALREADY_COMPLETED, info
        ds.update(info)
        return SUCCESS, info if len(info) else None

    def n_delete(self, event: Any) -> int:
        """Delete an instance."""
        known = self._instances.pop(str(event.request.RequestedSOPInstanceUID), None)
        return NO_SUCH_INSTANCE if known is None else SUCCESS


class Reports:
    """The N-EVENT-REPORT requests that come to an SCU."""

    def __init__(self) -> None:
        self._came: SimpleQueue[dict[str, Any]] = SimpleQueue()

    def n_event_report(self, event: Any) -> Answer:
        """Note a report; the reply says what it was about."""
        request, info = event.request, event.event_information
        self._came.put(
            {
                "type": event.event_type,
                "class": str(request.AffectedSOPClassUID),
                "instance": str(request.AffectedSOPInstanceUID),
                "data": info.to_json_dict(),
            }
        )
        return SUCCESS, None

    def next(self) -> dict[str, Any]:
        """Wait for a report; return it."""
        return self._came.get(timeout=WAIT)


def perform(assoc: Any, steps: list[dict[str, Any]], reports: Reports) -> list[dict[str, Any]]:
    """Ask for everything, one after the other; return what was answered.

    Parameters
    ----------
    assoc : Association
        Of either library.
    steps : list of dict
        `ask`: what is asked, "create" for N-CREATE and so on, or "report" to wait for one;
        `class`, `instance`; `meta`; `type` of an action, `data`, `tags`.
    """
    answers: list[dict[str, Any]] = []
    for step in steps:
        ask = step["ask"]
        if ask == "report":
            answers.append(reports.next())
        elif ask == "find":
            answers.append(_find(assoc, step))
        else:
            answers.append(_ask(assoc, step))
    return answers


def _data(step: dict[str, Any]) -> Dataset | None:
    return Dataset.from_json(step["data"]) if "data" in step else None


def _find(assoc: Any, step: dict[str, Any]) -> dict[str, Any]:
    found = [*assoc.send_c_find(_data(step), step["class"])]
    matches = [match.to_json_dict() for _, match in found if match is not None]
    return {"statuses": [status.get("Status") for status, _ in found], "matches": matches}


def _ask(assoc: Any, step: dict[str, Any]) -> dict[str, Any]:
    send = getattr(assoc, f"send_n_{step['ask']}")
    names = [step["class"], step["instance"]]
    before: list[Any] = {
        "create": [_data(step)],
        "set": [_data(step)],
        "action": [_data(step), step.get("type")],
        "get": [step.get("tags", [])],
        "delete": [],
    }[step["ask"]]
    answer = send(*before, *names, meta_uid=step.get("meta"))
    status, data = answer if isinstance(answer, tuple) else (answer, None)
    said = {"status": status.get("Status"), "data": data.to_json_dict() if data else None}
    if status.get("ErrorComment"):
        said["comment"] = status.ErrorComment
    if status.get("ErrorID"):
        said["error"] = status.ErrorID
    return said

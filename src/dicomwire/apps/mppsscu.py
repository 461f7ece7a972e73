"""`dicomwire mppsscu`: keys and a worklist item into a performed procedure step (MPPS)."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dicomwire.apps.asking import MESSAGE_ID, answered
from dicomwire.apps.dump_text import read_either
from dicomwire.apps.exits import Exit
from dicomwire.apps.identity import USER
from dicomwire.apps.keys import UTF8, Key, key, set_key
from dicomwire.apps.matches import json_line
from dicomwire.apps.options import (
    PEER,
    OnlyOne,
    Option,
    ToolParser,
    WrongUse,
    flag,
    option,
    requestor_options,
)
from dicomwire.apps.output import log
from dicomwire.apps.requesting import Requestor
from dicomwire.apps.running import run
from dicomwire.apps.selection import find_files, scan
from dicomwire.apps.syntaxes import PROPOSE_PLAIN, UNCOMPRESSED
from dicomwire.apps.tls_options import CLIENT
from dicomwire.apps.writing import new_uid
from dicomwire.network.association import Association
from dicomwire.network.log_identifiers import pretty_dataset
from dicomwire.network.presentation import build_context
from dicomwire.protocol.errors import LocalError
from dicomwire.protocol.validate import is_valid_uid
from dicomwire.standard.sop_classes import KEYWORDS
from dicomwire.standard.statuses import PROCEDURE_STEP_STATUS

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MPPS = KEYWORDS["ModalityPerformedProcedureStep"]
IN_PROGRESS, COMPLETED, DISCONTINUED = "IN PROGRESS", "COMPLETED", "DISCONTINUED"
STATUS = "PerformedProcedureStepStatus"

# PS3.4 Table F.7.2-1, N-CREATE. 1: there has to be a value; 2: it may be empty.
_CREATE_1 = """
    PerformedProcedureStepID PerformedStationAETitle PerformedProcedureStepStartDate
    PerformedProcedureStepStartTime PerformedProcedureStepStatus Modality
    ScheduledStepAttributesSequence
""".split()
_CREATE_2 = """
    PatientName PatientID PatientBirthDate PatientSex ReferencedPatientSequence
    PerformedStationName PerformedLocation PerformedProcedureStepDescription
    PerformedProcedureTypeDescription ProcedureCodeSequence PerformedProcedureStepEndDate
    PerformedProcedureStepEndTime StudyID PerformedProtocolCodeSequence PerformedSeriesSequence
""".split()
_STEP_1 = ["StudyInstanceUID"]
_STEP_2 = """
    ReferencedStudySequence AccessionNumber RequestedProcedureID RequestedProcedureDescription
    ScheduledProcedureStepID ScheduledProcedureStepDescription ScheduledProtocolCodeSequence
""".split()
# Of the final states, F.7.2.2.2: what has to have a value when the step ends
_FINAL_1 = "PerformedProcedureStepEndDate PerformedProcedureStepEndTime".split()
_SERIES_1 = "ProtocolName SeriesInstanceUID".split()
_SERIES_2 = """
    PerformingPhysicianName OperatorsName SeriesDescription RetrieveAETitle
    ReferencedImageSequence ReferencedNonImageCompositeSOPInstanceSequence
""".split()
# What an N-SET may not change
_FIXED = (
    *("ScheduledStepAttributesSequence", *_CREATE_2[:5], "Modality", "StudyID"),
    *("PerformedProcedureStepID", "PerformedStationAETitle", "PerformedStationName"),
    *("PerformedLocation", "PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"),
)
# What a worklist item gives (PS3.4 K.6.1.2.2) to the step, and to the item about what was scheduled
_FROM_ITEM = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
_TO_STEP = ("StudyInstanceUID", "AccessionNumber", "RequestedProcedureID",
            "RequestedProcedureDescription", "ReferencedStudySequence")  # fmt: skip
_FROM_SCHEDULED = ("ScheduledProcedureStepID", "ScheduledProcedureStepDescription",
                   "ScheduledProtocolCodeSequence")  # fmt: skip

_STATE: tuple[Option, ...] = (
    flag("--create", "begin a step: IN PROGRESS (default)", common=True, action=OnlyOne, nargs=0,
         const=IN_PROGRESS, default=None, dest="state"),
    flag("--complete", "end the step --uid: COMPLETED", common=True, action=OnlyOne, nargs=0,
         const=COMPLETED, default=None, dest="state"),
    flag("--discontinue", "end the step --uid: DISCONTINUED", common=True, action=OnlyOne,
         nargs=0, const=DISCONTINUED, default=None, dest="state"),
    flag("--set", "change the step --uid, which goes on", action=OnlyOne, nargs=0, const="",
         default=None, dest="state"),
    option("--uid", "SOP Instance UID of the step (default with --create: a new one)",
           common=True, metavar="UID"),
)  # fmt: skip
_VALUES: tuple[Option, ...] = (
    option("-w --worklist", "a worklist item, DICOM or text: patient and scheduled step",
           common=True, metavar="FILE", dest="worklist"),
    option("-k --keyword --key", "Modality=CT, PerformedSeriesSequence[0].ProtocolName=X; repeat",
           common=True, action="append", default=[], metavar="KEY", dest="keys"),
    option("-f --file", "a file with values, DICOM or text; -k overrides", metavar="FILE",
           dest="file"),
    option("--object", "take the performed series from these files and folders; repeat",
           common=True, action="append", default=[], metavar="PATH", dest="objects"),
    flag("--json", "print what was sent as a line of JSON, instead of the UID", common=True),
    flag("--no-check", "send it though PS3.4 F.7.2 has it otherwise", dest="unchecked"),
)  # fmt: skip


def make_parser() -> ToolParser:
    """Return the parser of the options."""
    parser = ToolParser(
        "mppsscu",
        "[options] addr port",
        "Tells a DICOM application of a performed procedure step (MPPS, PS3.4 Annex F).",
        "-w item.wl -k Modality=CT localhost 11112",
    )
    parser.add_options("Peer", PEER)
    parser.add_options("State", _STATE)
    parser.add_options("Values", _VALUES)
    parser.add_options("Network", requestor_options("MPPSSCU"))
    parser.add_options("Proposed transfer syntaxes", PROPOSE_PLAIN)
    parser.add_options("User identity", USER)
    parser.add_options("TLS", CLIENT)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code, see `Exit`."""
    return run(make_parser(), argv, work)


def work(args: argparse.Namespace) -> Exit:
    """Make the request, check it, send it."""
    args.state = IN_PROGRESS if args.state is None else args.state
    requestor, uid = Requestor(args), _uid(args)
    ds = created(args) if args.state == IN_PROGRESS else changed(args)
    if not args.unchecked:
        check(ds, args.state)
    groups = args.proposed or (UNCOMPRESSED,)
    assoc = requestor.associate([build_context(MPPS, list(group)) for group in groups])
    if assoc is None:
        return Exit.NO_ASSOCIATION
    code = send(assoc, ds, uid, args.state == IN_PROGRESS)
    left = not assoc.is_established or requestor.leave(assoc)
    if code is Exit.DONE:
        print(json_line(ds) if args.json else uid)
    return code if left or code else Exit.ENDED_EARLY


def _uid(args: argparse.Namespace) -> str:
    if args.uid is None:
        if args.state != IN_PROGRESS:
            raise WrongUse("which step? Give its --uid, which --create printed")
        return new_uid()
    if not is_valid_uid(args.uid):
        raise WrongUse(f"--uid {args.uid} is no UID")
    return str(args.uid)


# -- what is sent ------------------------------------------------------------------------------


def created(args: argparse.Namespace) -> Dataset:
    """Return the attributes of a new step (PS3.4 F.7.2.1)."""
    ds, asked = _given(args)
    if args.worklist:
        take_item(ds, read_either(args.worklist))
    _apply(ds, asked)
    now = datetime.now()
    _default(ds, STATUS, IN_PROGRESS)
    _default(ds, "PerformedProcedureStepStartDate", now.strftime("%Y%m%d"))
    _default(ds, "PerformedProcedureStepStartTime", now.strftime("%H%M%S"))
    _default(ds, "PerformedStationAETitle", args.calling_aet)
    _default(ds, "PerformedProcedureStepID", now.strftime("%y%m%d%H%M%S"))
    _empty(ds, _CREATE_2)
    for item in ds.get("ScheduledStepAttributesSequence") or ():
        _empty(item, _STEP_2)
    return ds


def changed(args: argparse.Namespace) -> Dataset:
    """Return the modifications of a step (PS3.4 F.7.2.2)."""
    if args.worklist:
        raise WrongUse("-w is for --create: what was scheduled cannot be changed afterwards")
    ds, asked = _given(args)
    if args.objects:
        ds.PerformedSeriesSequence = series_of(args.objects)
    _apply(ds, asked)
    if args.state:
        now = datetime.now()
        _default(ds, STATUS, args.state)
        _default(ds, "PerformedProcedureStepEndDate", now.strftime("%Y%m%d"))
        _default(ds, "PerformedProcedureStepEndTime", now.strftime("%H%M%S"))
    for item in ds.get("PerformedSeriesSequence") or ():
        _empty(item, _SERIES_2)
    return ds


def _given(args: argparse.Namespace) -> tuple[Dataset, list[Key]]:
    from pydicom.dataset import Dataset

    return read_either(args.file) if args.file else Dataset(), [key(each) for each in args.keys]


def _apply(ds: Dataset, asked: Iterable[Key]) -> None:
    for one in asked:
        set_key(ds, one)
        if not one.value.isascii() and "SpecificCharacterSet" not in ds:
            ds.SpecificCharacterSet = UTF8


def take_item(ds: Dataset, item: Dataset) -> None:
    """Take what a worklist item says of the patient and of what was scheduled."""
    from pydicom.dataset import Dataset

    step = Dataset()
    scheduled = (item.get("ScheduledProcedureStepSequence") or [Dataset()])[0]
    _copy(item, ds, (*_FROM_ITEM, "SpecificCharacterSet"))
    _copy(item, step, _TO_STEP)
    _copy(scheduled, step, _FROM_SCHEDULED)
    _copy(scheduled, ds, ("Modality",))
    ds.ScheduledStepAttributesSequence = [step]


def _copy(source: Dataset, target: Dataset, keywords: Iterable[str]) -> None:
    for keyword in keywords:
        if keyword in source and keyword not in target:
            target[keyword] = source[keyword]


def _default(ds: Dataset, keyword: str, value: str) -> None:
    if not ds.get(keyword):
        setattr(ds, keyword, value)


def _empty(ds: Dataset, keywords: Iterable[str]) -> None:
    for keyword in keywords:
        if keyword not in ds:
            setattr(ds, keyword, [] if keyword.endswith("Sequence") else "")


def series_of(paths: Sequence[str]) -> list[Dataset]:
    """Return items of Performed Series Sequence about the objects in files and folders.

    Raises
    ------
    WrongUse
        When there are none, or one cannot be read.
    """
    from pydicom import dcmread
    from pydicom.dataset import Dataset

    found = scan(find_files(paths, recurse=True))
    if found.unreadable or not found.headers:
        raise WrongUse(f"--object {' '.join(paths)}: not all are DICOM objects that can be read")
    items: dict[str, Dataset] = {}
    for header in found.headers:
        ds = dcmread(header.path, stop_before_pixels=True, force=True)
        item = items.setdefault(str(ds.get("SeriesInstanceUID", "")), Dataset())
        if "SeriesInstanceUID" not in item:
            _copy(ds, item, ("SeriesInstanceUID", "SeriesDescription", "ProtocolName"))
            _copy(ds, item, ("PerformingPhysicianName", "OperatorsName"))
            item.ReferencedImageSequence = []
            item.ReferencedNonImageCompositeSOPInstanceSequence = []
        reference = Dataset()
        reference.ReferencedSOPClassUID = header.sop_class_uid
        reference.ReferencedSOPInstanceUID = header.sop_instance_uid
        is_image = "Rows" in ds  # PS3.3 C.7.6.3: what has pixels
        name = "Image" if is_image else "NonImageCompositeSOPInstance"
        item[f"Referenced{name}Sequence"].value.append(reference)
    return list(items.values())


# -- what PS3.4 F.7.2 demands ------------------------------------------------------------------


def check(ds: Dataset, state: str) -> None:
    """Check a request before it is sent.

    Parameters
    ----------
    ds : Dataset
        The attributes or modifications.
    state : str
        What the step is going to be; empty for a change while it goes on.

    Raises
    ------
    WrongUse
        When something is missing that has to have a value, or is not to be changed.
    """
    if state == IN_PROGRESS:
        _demand(ds, _CREATE_1, "")
        for number, item in enumerate(ds.ScheduledStepAttributesSequence):
            _demand(item, _STEP_1, f"ScheduledStepAttributesSequence[{number}].")
    else:
        for keyword in _FIXED:
            if keyword in ds:
                raise WrongUse(f"{keyword} cannot be changed once the step is there; leave it out")
    if ds.get(STATUS, state) != state:
        raise WrongUse(f"{STATUS} is {state} here: leave -k {STATUS} out")
    if state in (COMPLETED, DISCONTINUED):
        _demand(ds, _FINAL_1, "")
    if state == COMPLETED and not ds.get("PerformedSeriesSequence"):
        raise WrongUse(
            "a completed step has a performed series: give --object FOLDER with its objects, or -k"
            " PerformedSeriesSequence[0].SeriesInstanceUID=1.2.3"
        )
    for number, item in enumerate(ds.get("PerformedSeriesSequence") or ()):
        _demand(item, _SERIES_1, f"PerformedSeriesSequence[{number}].")


def _demand(ds: Dataset, keywords: Iterable[str], before: str) -> None:
    for keyword in keywords:
        if not ds.get(keyword):
            example = "[0].StudyInstanceUID=1.2.3" if keyword.endswith("Sequence") else "=X"
            other = " or -w FILE" if "Scheduled" in before + keyword else ""
            raise WrongUse(
                f"{before}{keyword} is missing: give -k {before}{keyword}{example}{other}"
            )


def send(assoc: Association, ds: Dataset, uid: str, is_new: bool) -> Exit:
    """Send the request; say what the peer answers.

    Parameters
    ----------
    assoc : Association
        For MPPS.
    ds : Dataset
        The attributes or modifications.
    uid : str
        The step.
    is_new : bool
        Whether it is to be created.
    """
    name = "Create" if is_new else "Set"
    log.info("Sending %s Request (MsgID %d) for %s", name, MESSAGE_ID, uid)
    for line in pretty_dataset(ds):
        log.info("%s", line)
    ask: Callable[..., Any] = assoc.send_n_create if is_new else assoc.send_n_set
    try:
        status, _ = ask(ds, MPPS, uid, MESSAGE_ID)
    except (RuntimeError, ValueError, LocalError) as error:
        log.error("%s", error)
        return Exit.FAILED
    return answered(name, assoc, status, PROCEDURE_STEP_STATUS)

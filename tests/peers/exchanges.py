"""What is asked of each service that `scripts/managed.py` serves, and what has to be answered."""

from __future__ import annotations

from typing import Any, NamedTuple

from pydicom import Dataset
from pydicom.tag import Tag

from tests.peers.scripts.managed import (
    ALREADY_COMPLETED,
    COMMITMENT,
    DUPLICATE,
    FILM_BOX,
    IMAGE_BOX,
    NO_SUCH_INSTANCE,
    NOT_TO_BE_UPDATED,
    PENDING,
    PRINT_META,
    PRINTER,
    PROCESSING_FAILURE,
    SUCCESS,
    THE_PRINTER,
    UPS_EVENT,
    UPS_PUSH,
    item,
)

FILM_SESSION = "1.2.840.10008.5.1.1.1"
UPS_WATCH, UPS_PULL = "1.2.840.10008.5.1.4.34.6.2", "1.2.840.10008.5.1.4.34.6.3"
UPS_QUERY = "1.2.840.10008.5.1.4.34.6.5"
MPPS, MPPS_RETRIEVE = "1.2.840.10008.3.1.2.3.3", "1.2.840.10008.3.1.2.3.4"
WORKLIST = "1.2.840.10008.5.1.4.31"
RELEVANT = "1.2.840.10008.5.1.4.37.1"
AVAILABILITY = "1.2.840.10008.5.1.4.33"
DISPLAY, THE_DISPLAY = "1.2.840.10008.5.1.1.40", "1.2.840.10008.5.1.1.40.1"
MEDIA = "1.2.840.10008.5.1.1.33"
RT_MACHINE = "1.2.840.10008.5.1.4.34.8"
EVENT_LOG, THE_EVENT_LOG = "1.2.840.10008.1.40", "1.2.840.10008.1.40.1"
THE_COMMITMENT = "1.2.840.10008.1.20.1.1"
PRIVATE = "1.2.826.0.1.3680043.9.9999.1"

SERVICES = {"find": "C-FIND", "report": "N-EVENT-REPORT"}  # and "create": "N-CREATE", and so on

Step = tuple[dict[str, Any], dict[str, Any]]  # what is asked, what is answered


class Exchange(NamedTuple):
    """What is asked over one association.

    Parameters
    ----------
    row : str
        The row of docs/conformance.md.
    contexts : list of str
        The abstract syntaxes.
    steps : list of (dict, dict)
        See `managed.perform`.
    """

    row: str
    contexts: list[str]
    steps: list[Step]

    @property
    def asked(self) -> list[dict[str, Any]]:
        """All that is asked."""
        return [ask for ask, _ in self.steps]

    @property
    def answers(self) -> list[dict[str, Any]]:
        """All that has to be answered."""
        return [answer for _, answer in self.steps]

    @property
    def services(self) -> list[str]:
        """The DIMSE services of it, in alphabetical order."""
        asks = {ask["ask"] for ask in self.asked}
        return sorted(SERVICES.get(each, f"N-{each.upper()}") for each in asks)


def json(ds: Dataset | None) -> Any:
    """Return a data set as it is compared."""
    return ds.to_json_dict() if ds else None


def ask(
    what: str,
    class_uid: str,
    instance: str | None,
    data: Dataset | None = None,
    *,
    answer: Dataset | None = None,
    status: int = SUCCESS,
    comment: str = "",
    error: int = 0,
    **more: Any,
) -> Step:
    """Make a step of an N-service; without `answer` what was sent comes back."""
    asked = {"ask": what, "class": class_uid, "instance": instance, **more}
    if data is not None:
        asked["data"] = json(data)
    refused = comment or status == NO_SUCH_INSTANCE
    told = None if refused else json(data if answer is None else answer)
    answered = {"status": status, "data": told}
    if comment:
        answered["comment"] = comment
    if error:
        answered["error"] = error
    return asked, answered


def get(class_uid: str, instance: str, answer: Dataset, *tags: str, **more: Any) -> Step:
    """Make a step that reads attributes."""
    wanted = [int(Tag(tag)) for tag in tags]
    return ask("get", class_uid, instance, answer=answer, tags=wanted, **more)


def find(model: str, wanted: Dataset, *matches: Dataset) -> Step:
    """Make a step that asks for matches."""
    statuses = [PENDING] * len(matches) + [SUCCESS]
    found = {"statuses": statuses, "matches": [json(match) for match in matches]}
    return {"ask": "find", "class": model, "data": json(wanted)}, found


def report(kind: int, class_uid: str, instance: str, data: Dataset) -> Step:
    """Make a step that waits for a report."""
    came = {"type": kind, "class": class_uid, "instance": instance, "data": json(data)}
    return {"ask": "report"}, came


NO_INSTANCE: dict[str, Any] = {
    "status": NO_SUCH_INSTANCE,
    "comment": "there is no such instance",
}


# -- worklist and performed procedure steps ----------------------------------------------------


def scheduled(name: str) -> Dataset:
    """Make an item of a worklist."""
    step = item(Modality="MR", ScheduledStationAETitle="STATION")
    step.ScheduledProcedureStepStartDate = "20260101"
    return item(PatientName=name, PatientID="P1", ScheduledProcedureStepSequence=[step])


ANNA, ADAM, BERT = map(scheduled, ["Alpha^Anna", "Alpha^Adam", "Beta^Bert"])
RITA = item(PatientName="Relevant^Rita", PatientID="R1")

WORKLIST_STEPS = [
    find(WORKLIST, scheduled("Alpha^*"), ANNA, ADAM),
    find(WORKLIST, item(PatientName="Nobody", PatientID="")),
    find(WORKLIST, item(PatientName="Beta*"), item(PatientName="Beta^Bert")),
]

STARTED = item(
    PatientName="Alpha^Änne", SpecificCharacterSet="ISO_IR 100", PerformedSeriesSequence=[],
    PerformedProcedureStepID="PPS1", PerformedProcedureStepStatus="IN PROGRESS",
)  # fmt: skip
IMAGES = [item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.4", ReferencedSOPInstanceUID="2.5.1")]
DONE = item(
    PerformedProcedureStepStatus="COMPLETED",
    PerformedSeriesSequence=[item(SeriesInstanceUID="2.5", ReferencedImageSequence=IMAGES)],
)
MPPS_STEPS = [
    ask("create", MPPS, "2.25.401", STARTED),
    ask("create", MPPS, "2.25.401", STARTED, status=DUPLICATE, comment="there is such an instance"),
    ask("set", MPPS, "2.25.404", DONE, **NO_INSTANCE),
    ask("set", MPPS, "2.25.401", DONE),
    ask(
        "set", MPPS, "2.25.401", DONE, status=PROCESSING_FAILURE, error=NOT_TO_BE_UPDATED,
        comment="Performed Procedure Step Object may no longer be updated",
    ),
    get(
        MPPS, "2.25.401", item(PatientName="Alpha^Änne", SpecificCharacterSet="ISO_IR 100",
        PerformedProcedureStepStatus="COMPLETED"),
        "SpecificCharacterSet", "PatientName", "PerformedProcedureStepStatus", meta=MPPS_RETRIEVE,
    ),
]  # fmt: skip

# -- storage commitment ------------------------------------------------------------------------


def instances(*uids: str, **more: Any) -> list[Dataset]:
    """Make the items of a Referenced or Failed SOP Sequence."""
    ct = "1.2.840.10008.5.1.4.1.1.2"
    return [item(ReferencedSOPClassUID=ct, ReferencedSOPInstanceUID=uid, **more) for uid in uids]


ALL_THERE = item(TransactionUID="2.25.1", ReferencedSOPSequence=instances("2.7.1", "2.7.2"))
TWO_ASKED = item(TransactionUID="2.25.2", ReferencedSOPSequence=instances("2.7.1", "2.7.404"))
ONE_THERE = item(
    TransactionUID="2.25.2",
    ReferencedSOPSequence=instances("2.7.1"),
    FailedSOPSequence=instances("2.7.404", FailureReason=NO_SUCH_INSTANCE),
)
COMMITMENT_STEPS = [
    ask("action", COMMITMENT, THE_COMMITMENT, ALL_THERE, answer=Dataset(), type=1),
    report(1, COMMITMENT, THE_COMMITMENT, ALL_THERE),
    ask("action", COMMITMENT, THE_COMMITMENT, TWO_ASKED, answer=Dataset(), type=1),
    report(2, COMMITMENT, THE_COMMITMENT, ONE_THERE),
]

# -- print ---------------------------------------------------------------------------------------

READY = item(PrinterStatus="NORMAL", PrinterStatusInfo="NORMAL", PrinterName="LASER")
SESSION = item(NumberOfCopies=2, PrintPriority="HIGH", MediumType="BLUE FILM")
FILM = item(ImageDisplayFormat="STANDARD\\1,1", FilmOrientation="PORTRAIT", FilmSizeID="8INX10IN")
BOX = item(ReferencedSOPClassUID=IMAGE_BOX, ReferencedSOPInstanceUID="2.25.451.1")
PIXELS = item(
    SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2", Rows=256, Columns=256,
    BitsAllocated=8, BitsStored=8, HighBit=7, PixelRepresentation=0,
)  # fmt: skip
PIXELS.add_new(0x7FE00010, "OW", bytes(range(256)) * 256)
IMAGE = item(ImageBoxPosition=1, BasicGrayscaleImageSequence=[PIXELS])


def film(session: str) -> Dataset:
    """Make a film box of a film session."""
    of = item(ReferencedSOPClassUID=FILM_SESSION, ReferencedSOPInstanceUID=session)
    return item(**{each.keyword: each.value for each in FILM}, ReferencedFilmSessionSequence=[of])


def in_print(step: Step) -> Step:
    """Make a step one of the Basic Grayscale Print Management Meta SOP Class."""
    return {**step[0], "meta": PRINT_META}, step[1]


FILM_451 = film("2.25.450")
WITH_BOX = item(**{each.keyword: each.value for each in FILM_451}, ReferencedImageBoxSequence=[BOX])
PRINT_STEPS = [
    in_print(each)
    for each in [
        get(PRINTER, THE_PRINTER, READY),
        get(PRINTER, THE_PRINTER, item(PrinterStatus="NORMAL"), "PrinterStatus"),
        ask("create", FILM_SESSION, "2.25.450", SESSION),
        ask("set", FILM_SESSION, "2.25.450", item(NumberOfCopies=1)),
        ask("create", FILM_BOX, "2.25.451", FILM_451, answer=WITH_BOX),
        ask("set", IMAGE_BOX, BOX.ReferencedSOPInstanceUID, IMAGE),
        ask("action", FILM_BOX, "2.25.451", answer=Dataset(), type=1),
        report(2, PRINTER, THE_PRINTER, item(PrinterStatusInfo="SUPPLY LOW")),
        ask("action", FILM_SESSION, "2.25.450", answer=Dataset(), type=1),
        ask("delete", FILM_BOX, "2.25.451"),
        ask("delete", FILM_SESSION, "2.25.450"),
        ask("delete", FILM_SESSION, "2.25.450", status=NO_SUCH_INSTANCE),
    ]
]

# -- unified procedure steps -----------------------------------------------------------------

UPS = "2.25.470"
PLANNED = item(PatientName="Plan^Ute", ProcedureStepState="SCHEDULED", ProcedureStepLabel="Dose")
IN_PROGRESS = item(TransactionUID="2.25.471", ProcedureStepState="IN PROGRESS")
COMPLETED = item(TransactionUID="2.25.471", ProcedureStepState="COMPLETED")
PROGRESS = item(ProcedureStepProgressInformationSequence=[item(ProcedureStepProgress="50")])
SUBSCRIBE = item(ReceivingAE="OURS", DeletionLock="FALSE")
WANTED = item(PatientName="Plan*", ProcedureStepState="SCHEDULED", ProcedureStepLabel="")


UPS_STEPS = [
    ask("create", UPS_PUSH, UPS, PLANNED),
    find(UPS_PULL, WANTED, PLANNED),
    find(UPS_QUERY, item(PatientName="Plan*"), item(PatientName="Plan^Ute")),
    ask("action", UPS_PUSH, UPS, IN_PROGRESS, type=1, meta=UPS_PULL),
    ask("set", UPS_PUSH, UPS, PROGRESS, meta=UPS_PULL),
    ask("action", UPS_PUSH, UPS, SUBSCRIBE, answer=Dataset(), type=3, meta=UPS_WATCH),
    report(1, UPS_PUSH, UPS, item(ProcedureStepState="IN PROGRESS")),
    get(
        UPS_PUSH, UPS, item(ProcedureStepState="IN PROGRESS"), "ProcedureStepState", meta=UPS_WATCH
    ),
    ask("action", UPS_PUSH, UPS, COMPLETED, type=1, meta=UPS_PULL),
    ask("action", UPS_PUSH, UPS, COMPLETED, type=1, meta=UPS_PULL, status=ALREADY_COMPLETED),
    ask("action", UPS_PUSH, UPS, item(ReceivingAE="OURS"), type=4, meta=UPS_WATCH),
    ask("action", UPS_PUSH, UPS, item(ReasonForCancellation="done"), type=2),
    find(UPS_PULL, WANTED),
]

# -- the others ----------------------------------------------------------------------------------

AVAILABLE = item(StudyInstanceUID="2.8", ReferencedPerformedProcedureStepSequence=[])
ORDER = item(StorageMediaFileSetID="DISC", RequestedMediaApplicationProfile="STD-GEN-CD")
MACHINE = item(ReferencedFractionGroupNumber=1)
LOGGED = item(PatientID="P1", ScheduledStepAttributesSequence=[])
ANY = item(PatientName="Private^Paul", PatientID="X1")

EXCHANGES = {
    "worklist": Exchange("Modality worklist", [WORKLIST], WORKLIST_STEPS),
    "mpps": Exchange("Performed procedure step", [MPPS, MPPS_RETRIEVE], MPPS_STEPS),
    "commitment": Exchange("Storage commitment", [COMMITMENT], COMMITMENT_STEPS),
    "print": Exchange("Print management", [PRINT_META], PRINT_STEPS),
    "ups": Exchange(
        "Unified procedure step",
        [UPS_PUSH, UPS_WATCH, UPS_PULL, UPS_EVENT, UPS_QUERY],
        UPS_STEPS,
    ),
    "relevant patient": Exchange(
        "Relevant patient information",
        [RELEVANT],
        [find(RELEVANT, item(PatientName="Rel*", PatientID=""), RITA)],
    ),
    "availability": Exchange(
        "Instance availability",
        [AVAILABILITY],
        [ask("create", AVAILABILITY, "2.25.480", AVAILABLE)],
    ),
    "display": Exchange(
        "Display system",
        [DISPLAY],
        [
            get(DISPLAY, THE_DISPLAY, item(ManufacturerModelName="BIG", Manufacturer="ACME")),
            get(DISPLAY, THE_DISPLAY, item(Manufacturer="ACME"), "Manufacturer"),
        ],
    ),
    "media": Exchange(
        "Media creation",
        [MEDIA],
        [
            ask("create", MEDIA, "2.25.485", ORDER),
            ask("action", MEDIA, "2.25.485", item(ExecutionStatus="PENDING"), type=1),
            get(MEDIA, "2.25.485", item(ExecutionStatus="PENDING"), "ExecutionStatus"),
            ask("action", MEDIA, "2.25.486", type=2, **NO_INSTANCE),
        ],
    ),
    "rt machine": Exchange(
        "RT machine verification",
        [RT_MACHINE],
        [
            ask("create", RT_MACHINE, "2.25.490", MACHINE),
            ask("set", RT_MACHINE, "2.25.490", item(PatientID="P1")),
            ask("action", RT_MACHINE, "2.25.490", answer=Dataset(), type=1),
            get(RT_MACHINE, "2.25.490", item(PatientID="P1"), "PatientID"),
            ask("delete", RT_MACHINE, "2.25.490"),
        ],
    ),
    "event log": Exchange(
        "Application event logging",
        [EVENT_LOG],
        [ask("action", EVENT_LOG, THE_EVENT_LOG, LOGGED, type=1)],
    ),
    "private": Exchange(
        "Private SOP class",
        [PRIVATE],
        [
            ask("create", PRIVATE, "2.25.495", ANY),
            ask("set", PRIVATE, "2.25.495", item(PatientID="X2")),
            ask("action", PRIVATE, "2.25.495", answer=Dataset(), type=3),
            report(1, PRIVATE, "2.25.495", item(ProcedureStepState="IN PROGRESS")),
            get(PRIVATE, "2.25.495", item(PatientID="X2"), "PatientID"),
            ask("delete", PRIVATE, "2.25.495"),
        ],
    ),
}

# What a server has from the start, by SOP Instance UID
THERE = {
    "2.25.301": ANNA,
    "2.25.302": ADAM,
    "2.25.303": BERT,
    "2.25.304": RITA,
    THE_PRINTER: READY,
    THE_DISPLAY: item(ManufacturerModelName="BIG", Manufacturer="ACME"),
    THE_EVENT_LOG: Dataset(),
}
CONTEXTS = [uid for each in EXCHANGES.values() for uid in each.contexts]

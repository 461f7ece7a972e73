"""Options about queries and retrievals into what is proposed and asked for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from dicomwire.apps.keys import identifiers
from dicomwire.apps.options import Option, anyway, flag, number, option, refused
from dicomwire.apps.output import log
from dicomwire.network.presentation import PresentationContext, build_context
from dicomwire.protocol.items import SOPClassExtendedNegotiation
from dicomwire.standard.sop_classes import KEYWORDS

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PATIENT, STUDY, PATIENT_STUDY, WORKLIST, UPS = (
    "PatientRootQueryRetrieveInformationModel",
    "StudyRootQueryRetrieveInformationModel",
    "PatientStudyOnlyQueryRetrieveInformationModel",
    "ModalityWorklistInformationModel",
    "UnifiedProcedureStepPull",
)
_WITH_LEVELS = (PATIENT, STUDY, PATIENT_STUDY)
LEVELS = ("PATIENT", "STUDY", "SERIES", "IMAGE")  # PS3.4 C.6


class Proposal(NamedTuple):
    """What a query is asked over.

    Parameters
    ----------
    model : str
        UID of the information model.
    contexts : list of PresentationContext
        For it.
    items : list of SOPClassExtendedNegotiation
        What is negotiated about it besides.
    """

    model: str
    contexts: list[PresentationContext]
    items: list[SOPClassExtendedNegotiation]


def _model(names: str, text: str, model: str, common: bool = True) -> Option:
    return flag(names, text, common=common, const=model, dest="model")


RETRIEVE_MODELS: tuple[Option, ...] = (
    _model("-P --patient", "Patient Root (default)", PATIENT),
    _model("-S --study", "Study Root", STUDY),
    _model("-O --psonly", "Patient/Study Only (retired)", PATIENT_STUDY, common=False),
)
FIND_MODELS: tuple[Option, ...] = (
    _model("-P --patient", "Patient Root (default; DCMTK's default is -W)", PATIENT),
    *RETRIEVE_MODELS[1:],
    _model("-W --worklist", "Modality Worklist", WORKLIST),
    _model("-U --ups", "Unified Procedure Step, Pull", UPS, common=False),
)

KEYS: tuple[Option, ...] = (
    option(
        "-k --keyword --key",
        "PatientID=X, 0010,0020=X, Sequence[0].Modality=CT; repeat",
        common=True,
        action="append",
        default=[],
        metavar="KEY",
        dest="keys",
    ),
    option("-f --file", "a query file, as if it came last", metavar="FILE", dest="file"),
    option(
        "query_file",
        "DICOM files with keys (`make` makes them); -k overrides",
        common=True,
        nargs="*",
        metavar="query-file",
    ),
)
ASKING: tuple[Option, ...] = (
    option("--cancel", "cancel after N responses", type=number(1), metavar="N"),
    option("--repeat", "ask N times", type=number(1), default=1, metavar="N"),
)
_ENHANCED = flag(
    "--enhanced-conversion",
    "negotiate conversion to and from enhanced multi-frame images",
    dest="enhanced_conversion",
)
# The order is that of the bytes in the item: PS3.4 C.5.1.1 and K.5.1
FIND_NEGOTIATION: tuple[Option, ...] = (
    flag("--relational-query", "negotiate relational queries", dest="relational"),
    flag("--dt-matching", "negotiate matching of date and time together", dest="dt_matching"),
    flag("--fuzzy-names", "negotiate fuzzy matching of names", dest="fuzzy_names"),
    flag("--timezone-adj", "negotiate adjustment of time zones", dest="timezone_adj"),
    _ENHANCED,
)
_FIND_BYTES = ("relational", "dt_matching", "fuzzy_names", "timezone_adj", "enhanced_conversion")
# PS3.4 C.5.2.1 and C.5.3.1
RETRIEVE_NEGOTIATION: tuple[Option, ...] = (
    flag("--relational-retrieval", "negotiate relational retrieval", dest="relational"),
    _ENHANCED,
)
_RETRIEVE_BYTES = ("relational", "enhanced_conversion")
QUERY_ENCODING: tuple[Option, ...] = (
    anyway("+u --enable-new-vr", "send the VRs of the keys"),
    refused("-u --disable-new-vr", "keys are sent with the VRs that they have"),
    refused("+cl --compression-level", "deflated data sets have one level", 1),
)


def propose(args: argparse.Namespace, service: str, syntaxes: Sequence[str]) -> Proposal:
    """Return what to propose for a query.

    Parameters
    ----------
    args : Namespace
        Of a parser with rows of this file, and of `syntaxes.PROPOSE_PLAIN`.
    service : str
        "Find", "Get" or "Move".
    syntaxes : sequence of str
        What to propose when no option says so.
    """
    name = args.model or PATIENT
    model = KEYWORDS[name if name == UPS else name + service]
    groups = args.proposed or (tuple(syntaxes),)
    contexts = [build_context(model, list(group)) for group in groups]
    return Proposal(model, contexts, _negotiation(args, model, name, service))


def _negotiation(
    args: argparse.Namespace, model: str, name: str, service: str
) -> list[SOPClassExtendedNegotiation]:
    names = _FIND_BYTES if service == "Find" else _RETRIEVE_BYTES
    wanted = [bool(getattr(args, each)) for each in names]
    if name == WORKLIST:  # PS3.4 K.5.1.1: the first two are always 1, and there is no fifth
        wanted = [True, True, *wanted[2:4]] if any(wanted[2:4]) else []
    return [SOPClassExtendedNegotiation(model, bytes(wanted))] if any(wanted) else []


def questions(args: argparse.Namespace) -> list[Dataset]:
    """Return the identifiers that options ask for; warn of one without a level.

    Raises
    ------
    WrongUse
        See `keys.identifiers`.
    """
    files = [*args.query_file, *([args.file] if args.file else [])]
    made = identifiers(files, args.keys)
    if (args.model or PATIENT) in _WITH_LEVELS:
        for identifier in made:
            _check_level(identifier)
    return [identifier for _ in range(args.repeat) for identifier in made]


def _check_level(identifier: Dataset) -> None:
    level = identifier.get("QueryRetrieveLevel")
    if not level:
        log.warning("No Query/Retrieve Level: most peers want one; add -k QueryRetrieveLevel=STUDY")
    elif level not in LEVELS:
        log.warning("%r is no Query/Retrieve Level: give one of %s", level, ", ".join(LEVELS))

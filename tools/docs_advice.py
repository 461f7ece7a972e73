"""Error texts, the standard's codes and what to check into docs/troubleshooting.md."""

from __future__ import annotations

from collections.abc import Callable

from dicomwire.network.handshakes import tls_failure
from dicomwire.protocol.errors import (
    Aborted,
    AssociateTimedOut,
    ConnectTimedOut,
    DimseTimedOut,
    Error,
    IdleTimedOut,
    InvalidParameter,
    NoContextAccepted,
    Released,
    UnexpectedPDU,
    UnrecognizedPDU,
)
from dicomwire.standard import statuses
from dicomwire.standard.rejections import ABORT_REASONS, ABORT_SOURCES, REJECTIONS, SOURCES
from dicomwire.standard.statuses import StatusTable, row_of
from tools.docs_tables import code, table

# What the errors say in `what` and `check`, with numbers for what depends on the peer.
ENDED: tuple[Error, ...] = (
    ConnectTimedOut(10),
    AssociateTimedOut(30),
    NoContextAccepted(),
    tls_failure(ValueError("wrong version number")),
    tls_failure(ValueError("tlsv1 alert unknown ca")),
    DimseTimedOut(30),
    IdleTimedOut(60),
    Released(by_peer=True),
    Aborted(0, 0, by_peer=True),
    Aborted(0, 0, by_peer=False),
    Aborted(2, 1, by_peer=False, cause=UnrecognizedPDU("Received a PDU of type 0x47")),
    Aborted(2, 2, by_peer=False, cause=UnexpectedPDU("Received an A-ASSOCIATE-RQ in Sta6")),
    Aborted(2, 6, by_peer=False, cause=InvalidParameter("A P-DATA-TF longer than announced")),
)

# Reason/diagnostic of an A-ABORT of the peer's service-provider: what is behind it, mostly.
ABORTED: dict[int, str] = {
    0: "the peer's log; many send this for everything, an unknown AE title included",
    1: "whether both ends speak DICOM: TLS on one of them only, or another protocol on that port",
    2: "the order of PDUs: the debug log of both sides; a proxy that mixes connections",
    4: "an extended negotiation item that the peer does not know: leave `ext_neg` out",
    5: "likewise",
    6: "a length or UID that the peer does not take: `maximum_pdu_size`, private UIDs, titles with "
    "spaces",
}

# Statuses that people meet: where they stand, and what to look at.
MET: tuple[tuple[int, str, str, str], ...] = (
    (0x0105, "GENERAL_STATUS", "N-GET, N-SET", "the attributes asked for: not all SCPs have all"),
    (0x0106, "GENERAL_STATUS", "N-CREATE, N-SET", "the values: PS3.4 has a table of them"),
    (0x0110, "GENERAL_STATUS", "any", "the peer's log; Error Comment when there is one"),
    (0x0111, "GENERAL_STATUS", "N-CREATE", "the SOP Instance UID: it is used already"),
    (0x0112, "GENERAL_STATUS", "N-SET, N-GET, N-ACTION", "the SOP Instance UID: nobody created it"),
    (0x0117, "GENERAL_STATUS", "C-STORE", "the SOP Instance UID of the object is none"),
    (0x0120, "GENERAL_STATUS", "any", "what the request lacks: Attribute Identifier List names it"),
    (0x0122, "GENERAL_STATUS", "any", "the presentation context: it is for another SOP class, or "
     "the roles are the other way round"),
    (0x0124, "GENERAL_STATUS", "any", "what our AE title, or the user, may do at the peer"),
    (0x0211, "GENERAL_STATUS", "any", "the peer does not serve this request at all"),
    (0xA700, "STORAGE_SERVICE_CLASS_STATUS", "C-STORE", "the peer's disk is full, or its database "
     "does not answer"),
    (0xA900, "STORAGE_SERVICE_CLASS_STATUS", "C-STORE", "elements that the object has to have: "
     "Patient ID, Study, Series and SOP Instance UIDs"),
    (0xB000, "STORAGE_SERVICE_CLASS_STATUS", "C-STORE", "nothing: it is stored; the peer changed "
     "elements, mostly the patient's"),
    (0xC000, "STORAGE_SERVICE_CLASS_STATUS", "C-STORE", "whether the file is whole; whether the "
     "peer takes this transfer syntax"),
    (0xA700, "QR_FIND_SERVICE_CLASS_STATUS", "C-FIND", "the query: it matches too much"),
    (0xA900, "QR_FIND_SERVICE_CLASS_STATUS", "C-FIND", "QueryRetrieveLevel, and a unique key for "
     "each level above it; keys of lower levels are not allowed"),
    (0xFF01, "QR_FIND_SERVICE_CLASS_STATUS", "C-FIND", "nothing: an optional key was ignored"),
    (0xA701, "QR_MOVE_SERVICE_CLASS_STATUS", "C-MOVE, C-GET", "the peer's load: ask for less"),
    (0xA702, "QR_MOVE_SERVICE_CLASS_STATUS", "C-MOVE, C-GET", "the receiver refused all: its SOP "
     "classes and transfer syntaxes; for C-GET the roles"),
    (0xA801, "QR_MOVE_SERVICE_CLASS_STATUS", "C-MOVE", "the peer's list of AEs: title with its "
     "capitals, host, port; whether the receiver runs"),
    (0xB000, "QR_MOVE_SERVICE_CLASS_STATUS", "C-MOVE, C-GET", "FailedSOPInstanceUIDList, and the "
     "log of the receiver"),
    (0xFE00, "GENERAL_STATUS", "C-FIND, C-GET, C-MOVE", "nothing: somebody asked to stop"),
)  # fmt: skip


def rejections() -> str:
    """Return the table of reasons of an A-ASSOCIATE-RJ."""
    rows = [(f"*{row.text}*", SOURCES[row.source], row.check) for row in REJECTIONS]
    return table(("the peer said", "which part of it", "check"), rows)


def aborts() -> str:
    """Return the table of reasons of an A-ABORT."""
    user = "the peer's log: its application gave up"
    rows = [(f"*{ABORT_SOURCES[0]}*", user)]
    rows += [(f"*{ABORT_SOURCES[2]}: {text}*", ABORTED[key]) for key, text in ABORT_REASONS.items()]
    return table(("the peer said", "check"), rows)


def ended() -> str:
    """Return the table of what `Association.ended` says."""
    rows = [(f"*{each.what}*", each.fault.value, each.check or "nothing") for each in ENDED]
    return table(("it says", "look at", "check"), rows)


def met() -> str:
    """Return the table of statuses."""
    rows = []
    for status, name, where, check in MET:
        found: StatusTable = getattr(statuses, name)
        row = row_of(status, found)
        assert row is not None, f"{name} has no {status:04X}"
        rows.append((code(status), row.category.value, row.text or "Cancel", where, check))
    return table(("status", "category", "meaning", "answer to", "check"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "rejections": rejections,
    "aborts": aborts,
    "ended": ended,
    "statuses-met": met,
}

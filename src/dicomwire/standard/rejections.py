"""A-ASSOCIATE-RJ and A-ABORT codes into words: what the standard calls each, as rows."""

from __future__ import annotations

from typing import NamedTuple

# PS3.8 Table 9-21: result, source, reason/diagnostic of an A-ASSOCIATE-RJ.
RESULTS = {1: "rejected-permanent", 2: "rejected-transient"}
SOURCES = {
    1: "DICOM UL service-user",
    2: "DICOM UL service-provider (ACSE related function)",
    3: "DICOM UL service-provider (Presentation related function)",
}


class Rejection(NamedTuple):
    """One row of PS3.8 Table 9-21.

    Parameters
    ----------
    source : int
        Who rejects: 1 service-user, 2 service-provider (ACSE), 3 service-provider (presentation).
    reason : int
        The reason/diagnostic, whose meaning depends on the source.
    text : str
        The standard's words for it.
    check : str
        What the person on the requesting side should look at.
    """

    source: int
    reason: int
    text: str
    check: str


_ASK_PEER = "the peer's log says more; its operator can tell why it refuses"
_TRY_LATER = "the peer is busy: try again later, or with fewer associations at once"

REJECTIONS = (
    Rejection(1, 1, "no reason given", _ASK_PEER),
    Rejection(
        1,
        2,
        "application context name not supported",
        "the peer does not speak DICOM as of PS3.7 A.2.1: check the port number",
    ),
    Rejection(
        1,
        3,
        "calling AE title not recognised",
        "the peer does not know us: register this calling AE title with it, "
        "or call with a title that it knows",
    ),
    Rejection(
        1,
        7,
        "called AE title not recognised",
        "the peer goes by another name: check the called AE title",
    ),
    Rejection(2, 1, "no reason given", _ASK_PEER),
    Rejection(2, 2, "protocol version not supported", _ASK_PEER),
    Rejection(3, 1, "temporary congestion", _TRY_LATER),
    Rejection(3, 2, "local limit exceeded", _TRY_LATER),
)
_BY_CODE = {(row.source, row.reason): row for row in REJECTIONS}

# PS3.8 Table 9-26: source and reason/diagnostic of an A-ABORT.
ABORT_SOURCES = {0: "DICOM UL service-user", 2: "DICOM UL service-provider"}
ABORT_REASONS = {
    0: "reason not specified",
    1: "unrecognised PDU",
    2: "unexpected PDU",
    4: "unrecognised PDU parameter",
    5: "unexpected PDU parameter",
    6: "invalid PDU parameter value",
}


def rejection(source: int, reason: int) -> Rejection:
    """Return the row for a source and reason of an A-ASSOCIATE-RJ.

    Parameters
    ----------
    source, reason : int
        The two octets as received; codes that the standard does not define get a row of their own.

    Returns
    -------
    Rejection
        PS3.8 Table 9-21.
    """
    row = _BY_CODE.get((source, reason))
    return row or Rejection(source, reason, f"reserved reason {reason}", _ASK_PEER)


def abort_text(source: int, reason: int) -> str:
    """Say what an A-ABORT means, in the words of PS3.8 Table 9-26."""
    who = ABORT_SOURCES.get(source, f"reserved source {source}")
    if source != 2:  # PS3.8 9.3.8: the reason is not significant when the user aborted
        return who
    return f"{who}: {ABORT_REASONS.get(reason, f'reserved reason {reason}')}"

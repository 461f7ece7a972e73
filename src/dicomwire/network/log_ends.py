"""How an association ended into the lines of the log."""

from __future__ import annotations

import logging

from dicomwire.network.addresses import Address
from dicomwire.network.log_text import visible
from dicomwire.network.rejected import rejection_of
from dicomwire.protocol.errors import (
    Aborted,
    AssociateTimedOut,
    ConnectTimedOut,
    DimseError,
    DimseTimedOut,
    Error,
    Lost,
    NoContextAccepted,
    Rejected,
)
from dicomwire.standard.dimse import BY_NAME

logger = logging.getLogger("dicomwire.association")


def caller(title: str, address: Address | None) -> str:
    """Return who has asked for an association, for the lines about its end.

    Parameters
    ----------
    title : str
        The calling AE title; empty while nothing was asked for.
    address : Address or None
        Where it comes from.
    """
    where = "an unknown address"
    if address is not None:
        host = f"[{address.host}]" if address.is_ipv6 else address.host
        where = f"{host}:{address.port}"
    return f"{visible(title)} at {where}" if title else where


def log_rejection(error: Rejected, peer: str) -> None:
    """Say that an association was rejected, and why.

    Parameters
    ----------
    error : Rejected
        How.
    peer : str
        Whom this side rejects, see `caller`; empty when it was rejected itself.
    """
    if peer:
        logger.info("Rejecting Association: %s, asked for by %s", error.what, peer)
        return
    said = rejection_of(error)
    logger.error("Association Rejected")
    logger.error("Result: %s, Source: %s", said.result_str, said.source_str)
    logger.error("Reason: %s. Check: %s", said.reason_str, error.check)


def log_abort(error: Error | None, was_asking: bool, operation: str = "", peer: str = "") -> None:
    """Say that an association is over without a release, and why.

    Parameters
    ----------
    error : Error or None
        How it ended.
    was_asking : bool
        Whether this side had asked for it and was still waiting for the answer.
    operation : str
        What this side was waiting for an answer to otherwise, e.g. "C-STORE".
    peer : str
        Who had asked for it, see `caller`; empty when this side had.
    """
    cause = error.__cause__ if isinstance(error, Aborted) else error
    if isinstance(cause, Lost | ConnectTimedOut) and was_asking:
        logger.error("Association request failed: unable to connect to remote")
        system = cause.error if isinstance(cause, Lost) and cause.error else cause
        logger.error("TCP Initialisation Error: %s", system)
    elif isinstance(cause, NoContextAccepted):
        logger.error("No accepted presentation contexts")
    elif isinstance(cause, DimseTimedOut):
        logger.error("DIMSE timeout reached while waiting for message response")
    elif isinstance(cause, AssociateTimedOut) and was_asking:
        logger.error("ACSE timeout reached while waiting for response to association request")
    elif cause is not None:
        if operation in BY_NAME and isinstance(cause, Lost):
            logger.error("Connection closed while waiting for DIMSE message")
        elif operation in BY_NAME and isinstance(cause, DimseError):
            logger.error("Received an invalid %s response from the peer", operation)
        logger.error("%s%s", f"{peer}: " if peer else "", error)
    elif peer and error is not None:  # the peer gave no cause, and nobody else says who it was
        logger.info("%s: %s", peer, error)
    provider = isinstance(error, Aborted) and error.source == 2
    logger.info("Association Aborted%s", " (A-P-ABORT)" if provider else "")

"""What handlers ask of the association control service into PDUs, under pynetdicom's names."""

from __future__ import annotations

from typing import Protocol

from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Aborted
from dicomwire.protocol.pdus import Abort, AssociateRJ, ReleaseRQ
from dicomwire.standard.rejections import ABORT_REASONS, ABORT_SOURCES, REJECTIONS, RESULTS


class Stepping(Protocol):
    """What is needed of a driver."""

    connection: Connection

    def step(self, pdu: AssociateRJ | Abort) -> None:
        """Send a PDU besides the conversation under way."""


class Acse:
    """The association control service of one association (PS3.8 7).

    Parameters
    ----------
    driver : Stepping
        The association's.
    """

    def __init__(self, driver: Stepping) -> None:
        self._driver = driver

    def send_reject(self, result: int, source: int, diagnostic: int) -> None:
        """Reject the association that is being asked for (PS3.8 Table 9-21).

        Parameters
        ----------
        result : int
            1 permanent, 2 transient.
        source : int
            1 service-user, 2 service-provider (ACSE), 3 service-provider (presentation).
        diagnostic : int
            The reason, as the source has it.

        Raises
        ------
        ValueError
            When the standard does not define the combination.
        LocalError
            When no association is being asked for.
        """
        known = {(row.source, row.reason) for row in REJECTIONS}
        if result not in RESULTS or (source, diagnostic) not in known:
            raise ValueError(
                f"An A-ASSOCIATE-RJ with result {result}, source {source} and diagnostic "
                f"{diagnostic} is not defined (PS3.8 Table 9-21)"
            )
        self._driver.step(AssociateRJ(result, source, diagnostic))

    def send_abort(self, source: int) -> None:
        """Abort the association as service-user (0) or service-provider (2); PS3.8 9.3.8."""
        if source not in ABORT_SOURCES:
            raise ValueError(f"The source of an A-ABORT is 0 or 2, not {source}")
        self._driver.step(Abort(source, 0))

    def send_ap_abort(self, reason: int) -> None:
        """Abort the association as service-provider, with a reason of PS3.8 Table 9-26."""
        if reason not in ABORT_REASONS:
            raise ValueError(f"An A-P-ABORT with reason {reason} is not defined")
        self._driver.step(Abort(2, reason))

    def is_aborted(self, abort_type: str = "both") -> bool:
        """Whether the peer aborted: as user ("a-abort"), as provider ("a-p-abort"), or "both"."""
        ended = self._driver.connection.ended
        if not isinstance(ended, Aborted) or not ended.by_peer:
            return False
        wanted = {"a-abort": (0,), "a-p-abort": (2,)}.get(abort_type, (0, 2))
        return ended.source in wanted

    def is_release_requested(self) -> bool:
        """Whether the peer has asked to release and was not answered yet."""
        return any(isinstance(each, ReleaseRQ) for each in self._driver.connection.events)

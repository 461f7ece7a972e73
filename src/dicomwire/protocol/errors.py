"""What went wrong into whose fault it is, what to answer, and what to check."""

from __future__ import annotations

from enum import Enum

from dicomwire.standard.rejections import RESULTS, abort_text, rejection


class Fault(Enum):
    """Whose side a person should look at first."""

    LOCAL = "this side"
    PEER = "the peer"
    NETWORK = "the network or the address"
    SETTINGS = "the settings of either side"
    NOBODY = "nobody"


class Error(Exception):
    """Root of every error that dicomwire raises on purpose.

    Attributes
    ----------
    fault : Fault
        Whose side to look at first.
    check : str
        What to look at or to change; empty when there is nothing to do.
    """

    fault = Fault.LOCAL
    check = ""

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}. Check: {self.check}" if self.check else text

    @property
    def what(self) -> str:
        """What happened, without the advice."""
        return super().__str__()


class LocalError(Error):
    """What was asked for is forbidden by the state, the contexts or the sizes; nothing was sent."""


class RemoteError(Error):
    """The peer broke PS3.7 or PS3.8; carries the A-ABORT that it is answered with.

    Parameters
    ----------
    what : str
        What the peer did.
    """

    fault = Fault.PEER
    source = 2  # PS3.8 Table 9-26: service-provider
    reason = 0

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.check = "the peer's software and version; a log at debug level shows the PDUs"


class UnrecognizedPDU(RemoteError):
    """A PDU of a type that PS3.8 9.3.1 does not define."""

    reason = 1


class UnexpectedPDU(RemoteError):
    """A PDU that PS3.8 Table 9-10 does not allow in the state it came in."""

    reason = 2


class UnrecognizedParameter(RemoteError):
    """An item that PS3.8 9.3 does not define where it stands."""

    reason = 4


class UnexpectedParameter(RemoteError):
    """An item that may not stand where it does, or a second one where one is allowed."""

    reason = 5


class InvalidParameter(RemoteError):
    """A value or a length that PS3.8 9.3 or PS3.7 6.3 does not allow."""

    reason = 6


class LimitReached(RemoteError):
    """The peer reached one of this side's `Limits`.

    Parameters
    ----------
    what : str
        What it did.
    setting : str
        Which of them, by name.
    reason : int
        Of the A-ABORT, PS3.8 Table 9-26: 0 not specified, 6 invalid parameter value.
    """

    def __init__(self, what: str, setting: str, reason: int = 0) -> None:
        super().__init__(what)
        self.setting, self.reason = setting, reason
        self.check = f"whether the peer is one of yours: then raise Limits.{setting}"


class DimseError(RemoteError):
    """A message that PS3.7 does not allow here; answered by the service-user (PS3.8 Table 9-26)."""

    source = 0
    reason = 0


class Ended(Error):
    """The association is over, or never came to be."""


class Rejected(Ended):
    """The association was rejected with an A-ASSOCIATE-RJ (PS3.8 9.3.4).

    Parameters
    ----------
    result : int
        1 permanent, 2 transient.
    source, reason : int
        PS3.8 Table 9-21.
    """

    fault = Fault.SETTINGS

    def __init__(self, result: int, source: int, reason: int) -> None:
        row = rejection(source, reason)
        kind = RESULTS.get(result, f"reserved result {result}")
        super().__init__(f"Association Rejected: {row.text} ({kind})")
        self.result, self.source, self.reason = result, source, reason
        self.check = row.check
        if source == 3:
            self.fault = Fault.PEER


class Aborted(Ended):
    """The association was aborted with an A-ABORT (PS3.8 9.3.8), by the peer or by us.

    Parameters
    ----------
    source : int
        0 service-user, 2 service-provider.
    reason : int
        PS3.8 Table 9-26; significant only when the source is 2.
    by_peer : bool
        Whether the A-ABORT came from the peer.
    cause : Error, optional
        What made us abort.
    """

    def __init__(self, source: int, reason: int, by_peer: bool, cause: Error | None = None) -> None:
        who = "the peer" if by_peer else "this side"
        why = f": {cause.what}" if cause else f" ({abort_text(source, reason)})"
        super().__init__(f"Association Aborted by {who}{why}")
        self.source, self.reason, self.by_peer = source, reason, by_peer
        self.fault = cause.fault if cause else (Fault.PEER if by_peer else Fault.LOCAL)
        if cause:
            self.check = cause.check
        elif by_peer:
            self.check = "the peer's log says why it gave up"
        self.__cause__ = cause


class NoContextAccepted(Ended):
    """The peer accepted the association but none of its presentation contexts (PS3.8 9.3.3.2)."""

    fault = Fault.SETTINGS
    check = (
        "the peer supports none of the proposed SOP classes with the proposed transfer syntaxes: "
        "propose others, or enable the service on the peer"
    )

    def __init__(self) -> None:
        super().__init__("No accepted presentation contexts")


class Released(Ended):
    """The association ended in good order with A-RELEASE (PS3.8 7.2)."""

    fault = Fault.NOBODY

    def __init__(self, by_peer: bool = False) -> None:
        super().__init__("Association Released" + (" by the peer" if by_peer else ""))
        self.by_peer = by_peer


class Lost(Ended):
    """The transport connection could not be made, or broke without an A-RELEASE or A-ABORT.

    Parameters
    ----------
    what : str
        What happened.
    error : OSError, optional
        What the operating system said.
    check : str, optional
        What to look at.
    """

    fault = Fault.NETWORK

    def __init__(self, what: str, error: OSError | None = None, check: str = "") -> None:
        super().__init__(what)
        self.error = error
        self.check = check or "the peer may have stopped, or something between us cut the line"
        self.__cause__ = error


class TimedOut(Error):
    """A time-out passed; the association was ended because of it."""

    fault = Fault.PEER

    def __init__(self, what: str, seconds: float | None, check: str) -> None:
        after = "" if seconds is None else f" after {seconds:g} s"
        super().__init__(what + after)
        self.seconds = seconds
        self.check = check


class ConnectTimedOut(TimedOut, Ended):
    """The transport connection was not made in time."""

    fault = Fault.NETWORK

    def __init__(self, seconds: float | None) -> None:
        super().__init__(
            "Connecting timed out",
            seconds,
            "the host name, the port, and whether a firewall drops the connection",
        )


class AssociateTimedOut(TimedOut, Ended):
    """The other side did not finish negotiating in time (PS3.8 9.1.5, the ARTIM timer)."""

    def __init__(self, seconds: float | None, what: str = "Association negotiation") -> None:
        super().__init__(
            f"{what} timed out",
            seconds,
            "whether a DICOM application listens there, and whether it expects TLS",
        )


class DimseTimedOut(TimedOut, Ended):
    """The peer did not answer a request in time."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__(
            "Waiting for a DIMSE response timed out",
            seconds,
            "the peer may be slow: raise the DIMSE time-out, or look at the peer's log",
        )


class IdleTimedOut(TimedOut, Ended):
    """Nothing went over the association for longer than the network time-out."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__(
            "Nothing was received on the association: network time-out",
            seconds,
            "the peer keeps associations open without using them; raise the network time-out",
        )


class Failed(Error):
    """A DIMSE response with a failure status, for callers that ask for an exception.

    Parameters
    ----------
    status : int
        The status code (0000,0900).
    text : str
        What the status means for this service.
    """

    fault = Fault.PEER

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"0x{status:04X}: {text}")
        self.status = status

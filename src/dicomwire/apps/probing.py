"""An address and a port into what speaks there: DICOM, TLS, HTTP, something else, or nothing."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from contextlib import closing
from enum import Enum
from typing import NamedTuple

from dicomwire.network.options import IMPLEMENTATION_UID
from dicomwire.protocol.items import AnyUserItem, ImplementationClassUID, MaximumLength
from dicomwire.protocol.pdus import AssociateRQ, ProposedContext

ENOUGH = 64  # bytes that show what speaks
_HTTP = b"GET / HTTP/1.0\r\n\r\n"


class Reach(Enum):
    """What becomes of a TCP connection, in plain words."""

    CONNECTED = "connected"
    REFUSED = "refused: the machine is there, but nothing listens on this port"
    TIMED_OUT = "timed out: nothing at all comes back"
    UNREACHABLE = "unreachable: there is no way to this address"
    FORBIDDEN = "forbidden by this machine"
    FAILED = "failed"


class Speech(Enum):
    """What speaks at a port."""

    DICOM = "DICOM"
    TLS = "TLS"
    HTTP = "HTTP, the protocol of web servers"
    SSH = "SSH"
    OTHER = "something that is not DICOM"
    CLOSED = "nothing: it closes the connection when it hears DICOM"
    SILENT = "nothing: it takes the connection and stays silent"


class Reached(NamedTuple):
    """A try to connect.

    Parameters
    ----------
    reach : Reach
        What came of it.
    milliseconds : float
        How long that took.
    local : str
        The address of our end; empty when there is no connection.
    """

    reach: Reach
    milliseconds: float
    local: str = ""


_REACHES = {
    errno.ECONNREFUSED: Reach.REFUSED,
    errno.ETIMEDOUT: Reach.TIMED_OUT,
    errno.EHOSTUNREACH: Reach.UNREACHABLE,
    errno.ENETUNREACH: Reach.UNREACHABLE,
    errno.EADDRNOTAVAIL: Reach.UNREACHABLE,
    errno.EHOSTDOWN: Reach.UNREACHABLE,
    errno.EACCES: Reach.FORBIDDEN,
    errno.EPERM: Reach.FORBIDDEN,
}


def reach_of(error: OSError) -> Reach:
    """Return what an error of `connect` means."""
    if isinstance(error, TimeoutError):
        return Reach.TIMED_OUT
    return _REACHES.get(error.errno or 0, Reach.FAILED)


def reach(address: str, port: int, timeout: float) -> Reached:
    """Connect and hang up."""
    began = time.monotonic()
    try:
        with closing(socket.create_connection((address, port), timeout)) as sock:
            local = str(sock.getsockname()[0])
    except OSError as error:
        return Reached(reach_of(error), (time.monotonic() - began) * 1000)
    return Reached(Reach.CONNECTED, (time.monotonic() - began) * 1000, local)


def hello(called: str, calling: str) -> bytes:
    """Return an A-ASSOCIATE-RQ for Verification."""
    context = ProposedContext(1, "1.2.840.10008.1.1", ("1.2.840.10008.1.2",))
    items: list[AnyUserItem] = [MaximumLength(), ImplementationClassUID(IMPLEMENTATION_UID)]
    return AssociateRQ(called, calling, [context], items).encode()


def what_speaks(address: str, port: int, timeout: float, request: bytes) -> tuple[Speech, str]:
    """Find out what speaks at a port: by what comes back for DICOM, for TLS, and for HTTP.

    Parameters
    ----------
    address, port
        Where.
    timeout : float
        Seconds for each try.
    request : bytes
        See `hello`.

    Returns
    -------
    Speech
        The protocol.
    str
        What more is known: the version of TLS, or how the answer begins.
    """
    answer = _answer(address, port, timeout, request)
    speech = classify(answer)
    if speech in (Speech.DICOM, Speech.HTTP, Speech.SSH):
        return speech, ""
    spoken = _tls(address, port, timeout)
    if spoken is not None:
        return Speech.TLS, spoken
    if speech in (Speech.SILENT, Speech.CLOSED):
        web = _answer(address, port, timeout, _HTTP)
        return (Speech.HTTP if classify(web) is Speech.HTTP else speech), ""
    return speech, repr(answer)[2:-1] if speech is Speech.OTHER else ""


def classify(answer: bytes | None) -> Speech:
    """Return what an answer to an A-ASSOCIATE-RQ shows.

    Parameters
    ----------
    answer : bytes or None
        How it begins; empty when the peer closed, None when nothing came in time.
    """
    if answer is None:
        return Speech.SILENT
    if not answer:
        return Speech.CLOSED
    if answer[0] in (0x02, 0x03, 0x07) and answer[1:2] in (b"\x00", b""):  # PS3.8 9.3
        return Speech.DICOM
    if answer[0] in (0x15, 0x16) and answer[1:2] == b"\x03":  # RFC 8446 5.1: alert, handshake
        return Speech.TLS
    if answer.startswith(b"HTTP/") or b"<html" in answer.lower():
        return Speech.HTTP
    return Speech.SSH if answer.startswith(b"SSH-") else Speech.OTHER


def _answer(address: str, port: int, timeout: float, request: bytes) -> bytes | None:
    try:
        with closing(socket.create_connection((address, port), timeout)) as sock:
            sock.sendall(request)
            return sock.recv(ENOUGH)
    except TimeoutError:
        return None
    except OSError:  # reset
        return b""


def _tls(address: str, port: int, timeout: float) -> str | None:
    """Return the version of TLS that is spoken, None when none is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # who it is does not matter here, nothing is sent
    try:
        with (
            closing(socket.create_connection((address, port), timeout)) as sock,
            closing(context.wrap_socket(sock)) as secured,
        ):
            return secured.version() or "TLS"
    except ssl.SSLError as error:
        # an alert is what only TLS sends; all else may be any answer
        return "TLS" if "ALERT" in (error.reason or "").upper() else None
    except OSError:
        return None

"""What was found out about a peer into what is wrong, on whose side, and what to do: rules only."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from dicomwire.apps.exits import Exit
from dicomwire.apps.probing import Reach, Speech
from dicomwire.protocol.errors import Error, Fault, Rejected

CALLING, CALLED = (1, 3), (1, 7)  # source and reason of an A-ASSOCIATE-RJ, PS3.8 Table 9-21
NO_REASON = (1, 1)


class State(Enum):
    """How a step went."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"


class Finding(NamedTuple):
    """What one step showed.

    Parameters
    ----------
    step : str
        Its name.
    state : State
        How it went.
    text : str
        What was found, in plain words.
    details : dict
        The same and more for programs.
    """

    step: str
    state: State
    text: str
    details: Mapping[str, Any] = MappingProxyType({})


class Verdict(NamedTuple):
    """What is wrong.

    Parameters
    ----------
    text : str
        What, in a sentence.
    fault : Fault
        Whose side it is on.
    advice : str
        What to do; empty when there is nothing to do.
    code : Exit
        For scripts.
    """

    text: str
    fault: Fault
    advice: str
    code: Exit


def no_name(host: str, why: str) -> Verdict:
    """Judge a host name without an address."""
    return Verdict(
        f"The name {host} has no address here ({why})",
        Fault.NETWORK,
        "check its spelling, or give the peer's IP address; who runs your name server can add it",
        Exit.NO_ASSOCIATION,
    )


_REACH = {
    Reach.REFUSED: (
        "The machine answers, but nothing listens on port {port}",
        Fault.PEER,
        "start the DICOM application there, or ask for its port; common ones are 104, 11112 and "
        "4242. A firewall may refuse, too",
    ),
    Reach.TIMED_OUT: (
        "Nothing comes back from {host} port {port}",
        Fault.NETWORK,
        "check the address and that the machine is on; else a firewall in between drops the "
        "connection: who runs the network has to open the port",
    ),
    Reach.UNREACHABLE: (
        "There is no route to {host}",
        Fault.NETWORK,
        "check the address, and this machine's cable, Wi-Fi or VPN",
    ),
    Reach.FORBIDDEN: (
        "This machine does not allow the connection to {host} port {port}",
        Fault.LOCAL,
        "a firewall on this machine forbids it: let the program through",
    ),
    Reach.FAILED: (
        "There is no connection to {host} port {port}",
        Fault.NETWORK,
        "check the address and the network in between",
    ),
}


def not_reached(reach: Reach, host: str, port: int) -> Verdict:
    """Judge a TCP connection that could not be made."""
    text, fault, advice = _REACH[reach]
    return Verdict(text.format(host=host, port=port), fault, advice, Exit.NO_ASSOCIATION)


def not_dicom(speech: Speech, with_tls: bool, error: Error) -> Verdict | None:
    """Judge a port where an association ended without a DICOM answer.

    Parameters
    ----------
    speech : Speech
        What speaks there.
    with_tls : bool
        Whether the association was asked for over TLS.
    error : Error
        How it ended.

    Returns
    -------
    Verdict or None
        None when the port speaks as it was spoken to: the error says what is wrong.
    """
    if speech is Speech.DICOM:
        if not with_tls:
            return None
        text = "The peer speaks DICOM without TLS on this port, and we were to use TLS"
        advice = "leave out +tls or +tla, or ask for the peer's port for TLS (often 2762)"
        return Verdict(text, Fault.SETTINGS, advice, Exit.NO_ASSOCIATION)
    if speech is Speech.TLS:
        if with_tls:
            text = f"The peer speaks TLS, but not with us: {error.what}"
            return Verdict(text, Fault.SETTINGS, f"check {error.check}", Exit.NO_ASSOCIATION)
        text = "The peer speaks TLS on this port, and we did not"
        advice = "add +tls KEY CERT and +cf CA (or +tla without a key), or use its port without TLS"
        return Verdict(text, Fault.SETTINGS, advice, Exit.NO_ASSOCIATION)
    text = f"No DICOM application: what listens there speaks {speech.value}"
    if speech in (Speech.SILENT, Speech.CLOSED):
        text = f"What listens there says {speech.value}"
        advice = "look whether the DICOM application hangs, admits our address, or has another port"
        return Verdict(text, Fault.PEER, advice, Exit.NO_ASSOCIATION)
    advice = "check the port number: the DICOM application has another one"
    return Verdict(text, Fault.SETTINGS, advice, Exit.NO_ASSOCIATION)


def no_association(
    error: Error, called: str, calling: str, local: str, others: list[str]
) -> Verdict:
    """Judge an association that a DICOM application refused or ended.

    Parameters
    ----------
    error : Error
        Why it is over.
    called, calling : str
        The AE titles.
    local : str
        Our address as the peer sees it.
    others : list of str
        Called AE titles with which it did accept an association.
    """
    advice, fault = error.check, error.fault
    reason = (error.source, error.reason) if isinstance(error, Rejected) else None
    if others:
        text = f"The peer does not go by {called}, but accepts {' and '.join(others)}"
        return Verdict(text, Fault.SETTINGS, f"type -aec {others[0]}", Exit.NO_ASSOCIATION)
    if reason == CALLED:
        advice = f"{called} is not its AE title: ask for it, and type -aec TITLE"
    elif reason == CALLING:
        advice = (
            f"have the peer's administrator add our AE title {calling} at {local}, or type "
            "-aet TITLE with one that it knows"
        )
    return Verdict(f"No association: {error.what}", fault, advice, Exit.NO_ASSOCIATION)


def no_context() -> Verdict:
    """Judge a peer that accepts associations but nothing over them."""
    return Verdict(
        "The peer accepts associations, but no service over them",
        Fault.PEER,
        "enable the services at the peer, for our AE title; its conformance statement lists them",
        Exit.NO_ASSOCIATION,
    )


def no_echo(why: str) -> Verdict:
    """Judge a peer whose association stands but that does not answer a C-ECHO well."""
    return Verdict(
        f"The association stands, but the echo failed: {why}",
        Fault.PEER,
        "the peer's log says why it does not answer",
        Exit.FAILED,
    )


def well(echoed: bool) -> Verdict:
    """Judge a peer with which all is well."""
    text = "All is well: the peer takes our associations"
    text += " and echoes" if echoed else ", though it offers no echo"
    return Verdict(text, Fault.NOBODY, "", Exit.DONE)

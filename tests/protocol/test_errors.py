"""Each error says what happened, whose fault it is and what to look at, and no secret."""

from __future__ import annotations

import pytest

from dicomwire.protocol.errors import (
    Aborted,
    AssociateTimedOut,
    ConnectTimedOut,
    DimseError,
    DimseTimedOut,
    Ended,
    Error,
    Failed,
    Fault,
    IdleTimedOut,
    InvalidParameter,
    LimitReached,
    LocalError,
    Lost,
    NoContextAccepted,
    Rejected,
    Released,
    RemoteError,
    TimedOut,
    UnexpectedParameter,
    UnexpectedPDU,
    UnrecognizedParameter,
    UnrecognizedPDU,
)
from dicomwire.protocol.items import UserIdentity
from dicomwire.protocol.pdus import AssociateRQ
from tests.protocol.pairs import Watcher, feed, in_state
from tests.standard.test_rejections import REJECTIONS

REMOTE = [
    (UnrecognizedPDU("what"), 2, 1),
    (UnexpectedPDU("what"), 2, 2),
    (UnrecognizedParameter("what"), 2, 4),
    (UnexpectedParameter("what"), 2, 5),
    (InvalidParameter("what"), 2, 6),
    (DimseError("what"), 0, 0),
    (LimitReached("what", "rate"), 2, 0),
    (LimitReached("what", "command_set", 6), 2, 6),
    (RemoteError("what"), 2, 0),
]
# The error, whose fault it is, a word of what happened, a word of what to check
ADVICE = [
    (Rejected(1, 1, 1), Fault.SETTINGS, "no reason given", "log"),
    (Rejected(1, 1, 2), Fault.SETTINGS, "application context", "port"),
    (Rejected(1, 1, 3), Fault.SETTINGS, "calling AE title", "register"),
    (Rejected(1, 1, 7), Fault.SETTINGS, "called AE title", "called AE title"),
    (Rejected(1, 2, 2), Fault.SETTINGS, "protocol version", "log"),
    (Rejected(2, 3, 1), Fault.PEER, "congestion", "later"),
    (Rejected(2, 3, 2), Fault.PEER, "local limit", "later"),
    (Rejected(9, 8, 7), Fault.SETTINGS, "reserved reason 7", "log"),
    (Aborted(0, 0, True), Fault.PEER, "by the peer (DICOM UL service-user)", "log"),
    (Aborted(2, 6, True), Fault.PEER, "invalid PDU parameter value", "log"),
    (Aborted(1, 99, True), Fault.PEER, "reserved source 1", "log"),
    (Aborted(2, 6, False, InvalidParameter("bad length")), Fault.PEER, "bad length", "version"),
    (Aborted(0, 0, False, DimseTimedOut(30)), Fault.PEER, "after 30 s", "time-out"),
    (LimitReached("slow", "rate"), Fault.PEER, "slow", "Limits.rate"),
    (NoContextAccepted(), Fault.SETTINGS, "No accepted", "transfer syntaxes"),
    (Lost("Cut"), Fault.NETWORK, "Cut", "line"),
    (Lost("Refused", OSError(111, "no")), Fault.NETWORK, "Refused", "stopped"),
    (Lost("Refused", None, "the port"), Fault.NETWORK, "Refused", "the port"),
    (ConnectTimedOut(5), Fault.NETWORK, "after 5 s", "firewall"),
    (AssociateTimedOut(0.5), Fault.PEER, "after 0.5 s", "TLS"),
    (AssociateTimedOut(None, "Release"), Fault.PEER, "Release timed out", "listens"),
    (DimseTimedOut(None), Fault.PEER, "DIMSE response timed out", "raise"),
    (IdleTimedOut(60), Fault.PEER, "after 60 s", "raise"),
    *(
        (error, Fault.PEER, "what", "version")
        for error, _, _ in REMOTE
        if type(error) is not LimitReached
    ),
]


@pytest.mark.parametrize(("error", "fault", "what", "check"), ADVICE)
def test_what_whose_and_what_to_check(error: Error, fault: Fault, what: str, check: str) -> None:
    assert error.fault is fault
    assert what in error.what
    assert check in error.check
    assert str(error) == f"{error.what}. Check: {error.check}"


def test_every_kind_of_error_is_above() -> None:
    def kinds(kind: type[Error]) -> set[type[Error]]:
        return {kind}.union(*(kinds(each) for each in kind.__subclasses__()))

    abstract = {Error, Ended, TimedOut}
    elsewhere = {LocalError, Released, Failed}  # tested below
    shown = {type(error) for error, *_ in ADVICE}
    protocol = {each for each in kinds(Error) if each.__module__ == "dicomwire.protocol.errors"}
    assert protocol == abstract | elsewhere | shown


@pytest.mark.parametrize(("error", "source", "reason"), REMOTE)
def test_the_abort_that_a_remote_error_causes(error: RemoteError, source: int, reason: int) -> None:
    assert (error.source, error.reason) == (source, reason)  # PS3.8 Table 9-26


@pytest.mark.parametrize("row", REJECTIONS)
def test_a_rejection_has_its_numbers_and_the_standards_words(row: tuple[int, int, str]) -> None:
    source, reason, words = row
    for result, kind in ((1, "rejected-permanent"), (2, "rejected-transient")):
        error = Rejected(result, source, reason)
        assert (error.result, error.source, error.reason) == (result, source, reason)
        assert error.what == f"Association Rejected: {words} ({kind})"


def test_an_abort_keeps_its_cause() -> None:
    cause = UnexpectedPDU("P-DATA-TF in Sta3")
    error = Aborted(2, 2, False, cause)
    assert error.__cause__ is cause
    assert error.what == "Association Aborted by this side: P-DATA-TF in Sta3"
    assert (error.source, error.reason, error.by_peer) == (2, 2, False)
    ours = Aborted(0, 0, False)
    assert (ours.fault, ours.check) == (Fault.LOCAL, "")
    assert str(ours) == "Association Aborted by this side (DICOM UL service-user)"


def test_an_end_in_good_order_is_nobodys_fault() -> None:
    assert (Released().fault, Released().check) == (Fault.NOBODY, "")
    assert str(Released()) == "Association Released"
    assert str(Released(by_peer=True)) == "Association Released by the peer"


def test_lost_keeps_what_the_system_said() -> None:
    system = OSError(104, "reset")
    assert Lost("Cut", system).error is Lost("Cut", system).__cause__ is system


@pytest.mark.parametrize("kind", [ConnectTimedOut, AssociateTimedOut, DimseTimedOut, IdleTimedOut])
def test_a_time_out_is_an_end_too(kind: type[ConnectTimedOut]) -> None:
    assert issubclass(kind, Ended)
    assert kind(30).seconds == 30
    assert kind(None).seconds is None


def test_the_others() -> None:
    assert (LocalError("no").fault, str(LocalError("no"))) == (Fault.LOCAL, "no")
    failed = Failed(0xA700, "out of resources")
    assert (failed.status, failed.fault) == (0xA700, Fault.PEER)
    assert str(failed) == "0xA700: out of resources"


def test_no_secret_in_what_is_said_of_an_identity() -> None:
    secret = UserIdentity(2, True, b"someone", b"opensesame")
    texts = [repr(AssociateRQ("SCP", "SCU", [], [secret]))]
    for identity in (secret, UserIdentity(2, True, b"someone" * 9999, b"opensesame" * 9999)):
        with pytest.raises(LocalError) as caught:
            in_state("Sta1").step(AssociateRQ("A" * 17, "SCU", [], [identity]))
        texts.append(str(caught.value))
    # and when the peer sends one that is cut short
    raw = bytearray(AssociateRQ("SCP", "SCU", [], [secret]).encode())
    raw[-11] += 1
    connection, watcher = in_state("Sta2"), Watcher()
    connection.watch(watcher)
    feed(connection, bytes(raw))
    assert isinstance(connection.ended, Aborted)
    texts += [str(connection.ended), repr(connection.ended), repr(connection.ended.__cause__)]
    assert not [text for text in texts if "someone" in text or "opensesame" in text]


@pytest.mark.parametrize(
    ("state", "what", "check"),
    [
        ("Sta2", "closed by the peer", "cut the line"),
        ("Sta5", "before it answered", "TLS"),
        ("Sta6", "without a release", "cut the line"),
    ],
)
def test_what_a_lost_connection_says(state: str, what: str, check: str) -> None:
    connection = in_state(state)
    connection.closed()
    assert isinstance(connection.ended, Lost)
    assert what in connection.ended.what
    assert check in connection.ended.check
    torn = in_state("Sta6")
    feed(torn, b"\4\0\0")
    torn.closed(ConnectionResetError(104, "reset"))
    assert isinstance(torn.ended, Lost)
    assert "before the entire PDU was received" in torn.ended.what
    assert isinstance(torn.ended.error, ConnectionResetError)

"""Turns how an association ended, or began, into the lines that people look for in a log."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from dicomwire import evt
from dicomwire.network.addresses import Address
from dicomwire.network.log_ends import caller
from dicomwire.protocol.command import encode_command
from dicomwire.protocol.items import UserIdentity
from dicomwire.protocol.pdus import (
    Abort,
    AssociateRJ,
    PDataTF,
    PresentationDataValue,
    ReleaseRP,
    ReleaseRQ,
)
from tests.network.ends import (
    LOCAL,
    VERIFICATION,
    Peer,
    call,
    dial,
    dialled,
    entity,
    established,
    lines,
    port_of,
    scripted,
    serving,
)
from tests.protocol import pairs

COMMAND = 3  # of a message control header: a command set, its last fragment


@pytest.fixture(autouse=True)
def info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dicomwire")


def echo(script: Any) -> None:
    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port)
        assert not assoc.send_c_echo()
        assert assoc.is_aborted


def test_each_side_says_who_accepts(caplog: pytest.LogCaptureFixture) -> None:
    with established():
        said = lines(caplog)
    assert said.count("Accepting Association") == said.count("Association Accepted") == 1


def about(port: int, caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines about one peer: the threads of two speak in whatever order they come to it."""
    return [line for line in lines(caplog) if f"{LOCAL}:{port}" in line]


def test_who_was_refused_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with serving(entity("OTHER")) as server:
        server.ae.require_called_aet = True
        with dial(port_of(server)) as peer:
            port = peer.socket.getsockname()[1]
            peer.send(pairs.request())
            assert isinstance(peer.read(), AssociateRJ)
            peer.close()
        with dial(port_of(server)) as peer:
            other = peer.socket.getsockname()[1]
            peer.send(b"\x99\0\0\0\0\0")
            assert peer.read() == Abort(0, 0)
    refused, aborted = about(port, caplog), about(other, caplog)
    assert len(refused) == len(aborted) == 1
    assert refused[0].startswith("Rejecting Association: ")
    assert refused[0].endswith(f", asked for by SCU at {LOCAL}:{port}")
    assert aborted[0].startswith(f"{LOCAL}:{other}: Association Aborted by this side: Unknown PDU")


def test_who_went_away_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with serving() as server:
        with dialled(port_of(server)) as peer:
            port = peer.socket.getsockname()[1]
            peer.send(Abort())
            assert peer.read() is None
        with dialled(port_of(server)) as peer:
            other = peer.socket.getsockname()[1]
            stored = {**pairs.STORE, "CommandDataSetType": 1}
            peer.send(pairs.values((3, 3, encode_command(stored))), ReleaseRQ())
            assert peer.read() == ReleaseRP()
    said = [*about(port, caplog), *about(other, caplog)]
    assert [line.partition(": ")[::2] for line in said] == [
        (f"SCU at {LOCAL}:{port}", "Association Aborted by the peer (DICOM UL service-user)"
         ". Check: the peer's log says why it gave up"),
        (f"SCU at {LOCAL}:{other}",
         "Message dropped: the peer released the association in its middle"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "address", "words"),
    [
        ("A\nB", Address("::1", 104), "A\\nB at [::1]:104"),
        ("", Address("10.0.0.1", 104), "10.0.0.1:104"),
        ("A", None, "A at an unknown address"),
    ],
)
def test_how_a_caller_is_named(title: str, address: Address | None, words: str) -> None:
    assert caller(title, address) == words


@pytest.mark.parametrize("answer", [(False, None), None, "raises"])
def test_an_identity_that_is_not_verified(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    def verify(event: Any) -> Any:
        if answer == "raises":
            raise ValueError
        return answer

    with serving(None, (evt.EVT_USER_ID, verify)) as server:
        assert call(server, ext_neg=[UserIdentity(1, False, b"me")]).is_rejected
    assert "User identity failed verification" in lines(caplog)


def test_an_identity_that_is_verified(caplog: pytest.LogCaptureFixture) -> None:
    verify = (evt.EVT_USER_ID, lambda event: [True, None])
    with established(verify, ext_neg=[UserIdentity(1, False, b"me")]):
        assert "User identity failed verification" not in lines(caplog)


def test_a_connection_that_closes_before_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.command()

    echo(script)
    assert "Connection closed while waiting for DIMSE message" in lines(caplog)


def test_an_answer_to_something_else(caplog: pytest.LogCaptureFixture) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.command()
        response = {
            "AffectedSOPClassUID": VERIFICATION,
            "CommandField": 0x8030,
            "MessageIDBeingRespondedTo": 77,
            "CommandDataSetType": 0x0101,
            "Status": 0,
        }
        peer.send(PDataTF([PresentationDataValue(1, COMMAND, encode_command(response))]))
        peer.rest()

    echo(script)
    assert "Received an invalid C-ECHO response from the peer" in lines(caplog)

"""Turns how an association ended, or began, into the lines that people look for in a log."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from dicomwire import evt
from dicomwire.protocol.command import encode_command
from dicomwire.protocol.items import UserIdentity
from dicomwire.protocol.pdus import PDataTF, PresentationDataValue
from tests.network.ends import (
    LOCAL,
    VERIFICATION,
    Peer,
    call,
    entity,
    established,
    lines,
    scripted,
    serving,
)

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

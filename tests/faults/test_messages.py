"""Rows of group P that take more than bytes: what handlers do, what is awaited, what comes late."""

from __future__ import annotations

import socket

import pytest

from dicomwire.dataset.codec import encode
from dicomwire.protocol.items import MaximumLength
from dicomwire.protocol.pdus import Abort, AssociateRQ, PDataTF, ProposedContext, ReleaseRQ
from tests.faults.conftest import Start
from tests.faults.established import STORING, cancel, command, of_command, values
from tests.faults.rows import CLOSED, said
from tests.faults.scenarios import MESSAGES
from tests.faults.servers import Served, heard, port_of
from tests.faults.serving import (
    FIND,
    KILLS,
    RAISES,
    RETURNS_NOTHING,
    RETURNS_RUBBISH,
    SLEEPS,
)
from tests.network.ends import keys
from tests.protocol.pairs import ECHO, IMPLICIT, STORE, message


@pytest.fixture
def answer(request: pytest.FixtureRequest) -> str:
    """What the table expects of the test."""
    return MESSAGES[request.node.originalname.removeprefix("test_")].answer


@pytest.fixture(params=["threads", "asyncio"])
def ours(request: pytest.FixtureRequest, served: Start) -> Served:
    """A server of either API: with handlers that the tools do not have."""
    return served(request.param)


def test_a_data_set_that_never_comes(hasty: Served, answer: str) -> None:
    with hasty.established() as peer:
        port = port_of(peer)
        peer.send(STORING)
        assert heard(peer, 1) == answer
    hasty.is_well(port)


def test_words_after_the_release(server: Served, answer: str) -> None:
    with server.established() as peer:
        peer.send(ReleaseRQ())
        assert heard(peer, 1) == "ReleaseRP"
        peer.send(message(1, dict(ECHO)), STORING, values((3, 2, b"data")))
        peer.socket.shutdown(socket.SHUT_WR)
        assert f"ReleaseRP {heard(peer, 1)}" == answer
    server.is_well()


def test_an_abort_while_a_handler_runs(ours: Served, answer: str) -> None:
    with ours.established() as peer:
        port = port_of(peer)
        peer.send(of_command(command(MessageID=SLEEPS)), Abort())
        ours.echo()
        assert heard(peer, 1) == CLOSED
    ours.is_well(port)
    assert answer.startswith(CLOSED)


def test_a_query_is_cancelled(ours: Served, answer: str) -> None:
    asked = AssociateRQ("SCP", "SCU", [ProposedContext(1, FIND, (IMPLICIT,))], [MaximumLength(0)])
    query = {"AffectedSOPClassUID": FIND, "CommandField": 0x0020, "MessageID": 5, "Priority": 2}
    identifier = encode(keys(QueryRetrieveLevel="STUDY", PatientName="A*"), IMPLICIT)
    with ours.dialled() as peer:
        peer.send(asked)
        assert heard(peer, 1) == "AC 0"
        peer.send(message(1, query, identifier))
        assert heard(peer, 1) == "C-FIND-RSP FF00"
        peer.send(cancel(5))
        for _ in range(100_000):
            pdu = peer.read()
            assert isinstance(pdu, PDataTF)
            if pdu.values[0].control & 1 and said([pdu]) == answer:
                break
        else:
            raise AssertionError("it goes on")
        ours.release(peer)
    ours.is_well()


def stores(server: Served, message_id: int) -> str:
    """What a C-STORE with this Message ID is answered; the association works afterwards."""
    with server.established() as peer:
        peer.send(message(3, {**STORE, "MessageID": message_id}, b"data"))
        found = heard(peer, 1)
        server.goes_on(peer)
    return found


def test_a_handler_that_raises(ours: Served, answer: str) -> None:
    assert stores(ours, RAISES) == answer
    ours.is_well(traceback=True)  # of the user's code, for the user


def test_a_handler_that_says_nothing(ours: Served, answer: str) -> None:
    assert stores(ours, RETURNS_NOTHING) == answer
    ours.is_well()


def test_a_handler_that_says_rubbish(ours: Served, answer: str) -> None:
    assert stores(ours, RETURNS_RUBBISH) == answer
    ours.is_well()


def test_a_handler_that_aborts(ours: Served, answer: str) -> None:
    with ours.established() as peer:
        port = port_of(peer)
        peer.send(of_command(command(MessageID=KILLS)))
        assert heard(peer, 1) == answer
    ours.is_well(port)

"""Rows of group N that take more than one request: limits, titles, users, second attempts."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from dicomwire.protocol.items import UserIdentity, UserIdentityResponse
from dicomwire.protocol.pdus import Abort, AssociateAC, ReleaseRQ
from tests.faults.conftest import Start
from tests.faults.established import asking
from tests.faults.negotiation import titled, with_items
from tests.faults.scenarios import BEGINNINGS
from tests.faults.servers import PATIENT, Served, heard, port_of, until

LIMIT = 100  # associations at once, unless told otherwise


@pytest.fixture
def answer(request: pytest.FixtureRequest) -> str:
    """What the table expects of the test."""
    return BEGINNINGS[request.node.originalname.removeprefix("test_")].answer


@pytest.fixture(params=["threads", "asyncio"])
def ours(request: pytest.FixtureRequest, served: Start) -> Served:
    """A server of either API: with handlers that the tools do not have."""
    return served(request.param)


@pytest.fixture(params=["threads", "asyncio"])
def strict(request: pytest.FixtureRequest, served: Start) -> Served:
    """Servers that have to be called SCP, by SCU."""
    return served(request.param, (*PATIENT, "-strict"))


def from_to(calling: bytes, called: bytes) -> bytes:
    """A request from one title to another."""
    raw = titled(called)
    return raw[:26] + calling.ljust(16) + raw[42:]


def test_an_unknown_called_title(strict: Served, answer: str) -> None:
    ports = []
    for title in (b"STORE", b"..", b"../A", b"CON", b"scp"):
        with strict.dialled() as peer:
            ports.append(port_of(peer))
            peer.send(from_to(b"SCU", title))
            assert heard(peer, 1) == answer
    strict.is_well(*ports)


def test_an_unknown_calling_title(strict: Served, answer: str) -> None:
    with strict.dialled() as peer:
        port = port_of(peer)
        peer.send(from_to(b"NOBODY", b"SCP"))
        assert heard(peer, 1) == answer
    strict.is_well(port)


def test_a_user_is_confirmed(ours: Served) -> None:
    with ours.dialled() as peer:
        peer.send(with_items(UserIdentity(1, True, b"me")))
        found = peer.read()
        assert isinstance(found, AssociateAC)
        items = [each for each in found.user_information if isinstance(each, UserIdentityResponse)]
        assert items == [UserIdentityResponse(b"")]
        ours.goes_on(peer)
    ours.is_well()


def test_a_wrong_passcode(ours: Served, answer: str) -> None:
    with ours.dialled() as peer:
        port = port_of(peer)
        peer.send(with_items(UserIdentity(2, True, b"me", b"wrong")))
        assert heard(peer, 1) == answer
    ours.is_well(port)


def test_too_many_associations(server: Served, answer: str) -> None:
    with ExitStack() as stack:
        standing = [stack.enter_context(server.established()) for _ in range(LIMIT)]
        full, ports = server.state().descriptors, []
        for _ in range(3):
            with server.dialled() as peer:
                ports.append(port_of(peer))
                peer.send(asking(server.storage))
                assert heard(peer, 1) == answer
        server.goes_on(standing[-1])
        standing.pop().close()
        until(lambda: server.state().descriptors < full, server.log)
        server.echo()  # in its place: those that were refused have none
        for each in standing:
            server.release(each)
    server.is_well(*ports)


def test_aborted_beginnings(server: Served, answer: str) -> None:
    ports = []
    for _ in range(25):
        with server.dialled() as peer:
            ports.append(port_of(peer))
            peer.send(Abort())
            assert heard(peer, 1) == answer
    server.is_well(*ports)


def test_a_second_request(server: Served, answer: str) -> None:
    with server.established() as peer:
        peer.send(ReleaseRQ())
        assert heard(peer, 1) == "ReleaseRP"
        peer.send(asking(server.storage))
        peer.socket.shutdown(socket.SHUT_WR)
        assert f"ReleaseRP {heard(peer, 1)}" == answer
    server.is_well()

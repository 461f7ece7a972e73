"""Turns what a peer should not answer into what a requestor says about it, and is done with."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from dicomwire import AE, Options, aio
from dicomwire.protocol.errors import Error
from dicomwire.protocol.pdus import (
    AnyPDU,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ContextResult,
)
from tests.faults.rows import said
from tests.faults.scenarios import REQUESTORS
from tests.network.ends import (
    LOCAL,
    VERIFICATION,
    WAIT,
    Peer,
    call,
    descriptors,
    scripted,
    serving,
    until,
)
from tests.protocol.pairs import IMPLICIT, Connection, accept, feed, message, taken

SHORT = 0.5  # seconds, for the row where a time-out is the answer


def entity(seconds: float = WAIT) -> AE:
    """A requestor that waits so long for an association."""
    ae = AE("SCU", Options(linger=0.5))
    ae.add_requested_context(VERIFICATION, IMPLICIT)
    ae.acse_timeout = ae.dimse_timeout = seconds
    return ae


def with_threads(port: int, seconds: float) -> str:
    """Ask for C-ECHO with the blocking API; say how it ended."""
    assoc = entity(seconds).associate(LOCAL, port)
    if assoc.is_established:
        assert not assoc.send_c_echo()  # an empty Dataset
    assert not assoc.is_established
    return str(assoc.ended)


def in_a_loop(port: int, seconds: float) -> str:
    """The same with asyncio."""

    async def ask() -> None:
        async with aio.connect(LOCAL, port, ae=entity(seconds)) as assoc:
            await assoc.c_echo()

    with pytest.raises(Error) as caught:
        asyncio.run(ask())
    return str(caught.value)


def with_the_tool(port: int, seconds: float) -> str:
    """The same with echoscu."""
    command = [sys.executable, "-m", "dicomwire", "echoscu", LOCAL, str(port)]
    timeouts = ["-ta", str(seconds), "-td", str(seconds)]
    run = subprocess.run(
        [*command, *timeouts], capture_output=True, text=True, timeout=WAIT * 3, check=False
    )
    assert run.returncode in (1, 4), run
    assert "Traceback" not in run.stderr
    assert len(run.stderr.splitlines()) == 1, run.stderr
    return run.stderr


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """Have what a process keeps between associations before anything is counted."""
    with serving() as server:
        call(server).release()


@pytest.fixture(params=[with_threads, in_a_loop, with_the_tool], ids=["threads", "aio", "echoscu"])
def ask(request: pytest.FixtureRequest) -> Callable[[int, float], str]:
    """Ask for C-ECHO, and return what is said about why there was none."""
    found: Callable[[int, float], str] = request.param
    return found


def answer_of(request: AssociateRQ) -> AssociateAC:
    """An honest acceptance."""
    acceptor = Connection(False)
    acceptor.connected()
    feed(acceptor, request.encode())
    accept(acceptor)
    taken(acceptor)
    assert acceptor.answer is not None
    return acceptor.answer


def accepting(*results: ContextResult) -> Callable[[Peer], None]:
    """Accept with these contexts, whatever was proposed."""

    def script(peer: Peer) -> None:
        request = peer.read()
        assert isinstance(request, AssociateRQ)
        peer.send(answer_of(request).replace(presentation_contexts=[*results]))

    return script


def rejecting(peer: Peer) -> None:
    peer.read()
    peer.send(AssociateRJ(9, 8, 7))


def responding(**changes: int) -> Callable[[Peer], None]:
    """Answer C-ECHO with a response that has something changed."""

    def script(peer: Peer) -> None:
        peer.accept()
        asked = peer.command()
        response = {
            "AffectedSOPClassUID": VERIFICATION,
            "CommandField": 0x8030,
            "MessageIDBeingRespondedTo": asked["MessageID"],
            "Status": 0,
        }
        other = {name: (response[name] + by) & 0xFFFF for name, by in changes.items()}
        peer.send(message(1, {**response, **other}))

    return script


SCRIPTS: dict[str, tuple[Callable[[Peer], object], str]] = {
    "a_context_never_proposed": (accepting(ContextResult(99, 0, IMPLICIT)), "context"),
    "a_result_that_is_none": (accepting(ContextResult(1, 7, IMPLICIT)), "result"),
    "a_syntax_never_offered": (
        accepting(ContextResult(1, 0, "1.2.840.10008.1.2.4.50")),
        "was not proposed",
    ),
    "no_context_answered": (accepting(), "No accepted presentation contexts"),
    "a_rejection_of_reserved_codes": (rejecting, "reserved"),
    "no_answer": (Peer.read, "timed out"),
    "a_response_to_another_request": (responding(MessageIDBeingRespondedTo=1), "response to"),
    "a_response_of_another_kind": (responding(CommandField=-0x10), "instead of C-ECHO-RSP"),
}


@pytest.mark.parametrize("name", REQUESTORS)
def test_requestor(name: str, ask: Callable[[int, float], str]) -> None:
    script, words = SCRIPTS[name]
    heard: list[AnyPDU] = []

    def play(peer: Peer) -> None:
        script(peer)
        with suppress(ConnectionError):
            while (pdu := peer.read()) is not None:
                heard.append(pdu)
                if said(heard).startswith("ABORT"):
                    return

    threads, before = threading.active_count(), descriptors()
    with scripted(play) as port:
        why = ask(port, SHORT if name == "no_answer" else WAIT)
    assert words.lower() in why.lower()
    expected = REQUESTORS[name].answer
    assert said(heard) == (expected if expected.startswith("ABORT") else "")
    until(lambda: threading.active_count() <= threads and descriptors() <= before)

"""Turns what no honest peer sends into an abort, one line, and a server that goes on."""

from __future__ import annotations

import logging
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dicomwire import evt
from dicomwire.protocol.pdus import Abort, AssociateAC, AssociateRJ, ReleaseRP, ReleaseRQ
from tests.network.ends import (
    CT,
    VERIFICATION,
    WAIT,
    Box,
    Peer,
    call,
    dial,
    dialled,
    entity,
    lines,
    port_of,
    serving,
)
from tests.protocol import pairs

BY_USER, PROVIDER = 0, 2
UNRECOGNISED, UNEXPECTED, INVALID = 1, 2, 6


def p_data(body: bytes) -> bytes:
    return struct.pack(">BBI", 4, 0, len(body)) + body


def value(size: int, context_id: int = 1, control: int = 3, data: bytes = b"") -> bytes:
    return struct.pack(">IBB", size, context_id, control) + data


ECHO = pairs.message(1, pairs.ECHO)
ENCODED = pairs.encode_command({**pairs.ECHO, "CommandDataSetType": 0x0101})


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """A server with a bystander that keeps echoing while others misbehave."""
    ae, over, failures = entity("SCP", VERIFICATION, CT), threading.Event(), Box()
    with serving(ae, (evt.EVT_C_STORE, lambda event: 0)) as running:
        bystander = call(running)

        def echo() -> None:
            while not over.wait(0.002):
                if bystander.send_c_echo().get("Status") != 0:
                    failures.put(bystander.ended)
                    return

        thread = threading.Thread(target=echo)
        thread.start()
        yield running
        over.set()
        thread.join(WAIT)
        assert failures.things == []
        bystander.release()
        assert bystander.is_released


@pytest.fixture
def gone(server: Any) -> Iterator[Callable[[Peer], Any]]:
    """Close a peer and return the association it had; afterwards the server has to serve."""
    box = Box()
    server.bind(evt.EVT_CONN_CLOSE, box.put)

    def close(peer: Peer) -> Any:
        port = peer.socket.getsockname()[1]
        peer.close()
        for count in range(1, 100):
            event = box.wait(count)[count - 1]
            if event.address[1] == port:
                return event.assoc
        raise AssertionError(box.things)

    yield close
    server.unbind(evt.EVT_CONN_CLOSE, box.put)
    with call(server) as assoc:
        assert assoc.send_c_echo().Status == 0


Gone = Callable[[Peer], Any]


def text(error: Any) -> str:
    return str(error.__cause__ or error)


FIRST = [
    ("unknown PDU", b"\x08\0\0\0\0\0", BY_USER, "0x08"),
    ("P-DATA", ECHO, BY_USER, "Unexpected PDU received: P-DATA-TF"),
    ("release request", ReleaseRQ().encode(), BY_USER, "ReleaseRQ in Sta2"),
    ("release response", ReleaseRP().encode(), BY_USER, "ReleaseRP in Sta2"),
    ("acceptance", AssociateAC("A", "B").encode(), BY_USER, "AssociateAC in Sta2"),
    ("rejection", AssociateRJ(1, 1, 1).encode(), BY_USER, "AssociateRJ in Sta2"),
    ("HTTP", b"GET / HTTP/1.1\r\nHost: pacs\r\n\r\n", BY_USER, "speaks HTTP, not DICOM"),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", BY_USER, "speaks TLS"),
    ("2 GiB", b"\x01\0\x7f\xff\xff\xff" + bytes(1000), BY_USER, "claims 2147483647 bytes"),
    ("short request", b"\x01\0\0\0\0\x0a" + bytes(10), BY_USER, "of 10 bytes"),
]


@pytest.mark.parametrize(
    ("data", "source", "words"), [case[1:] for case in FIRST], ids=[case[0] for case in FIRST]
)
def test_who_does_not_begin_with_a_request_is_aborted(
    server: Any, gone: Gone, caplog: Any, data: bytes, source: int, words: str
) -> None:
    with dial(port_of(server)) as peer:
        peer.send(data)
        assert peer.read() == Abort(source, 0)
        acceptor = gone(peer)
    assert acceptor.is_aborted
    assert words in text(acceptor.ended)
    assert len([line for line in lines(caplog, logging.ERROR) if words in line]) == 1


BROKEN = [
    ("unknown type", b"\x99\0\0\0\0\0", UNRECOGNISED, "0x99"),
    ("second request", pairs.request().encode(), UNEXPECTED, "AssociateRQ in Sta6"),
    ("acceptance", AssociateAC("A", "B").encode(), UNEXPECTED, "AssociateAC in Sta6"),
    ("rejection", AssociateRJ(1, 1, 1).encode(), UNEXPECTED, "AssociateRJ in Sta6"),
    ("release response", ReleaseRP().encode(), UNEXPECTED, "ReleaseRP in Sta6"),
    ("value beyond its PDU", p_data(value(100, data=b"x" * 10)), INVALID, "claims 100 bytes"),
    ("value of nothing", p_data(value(0)), INVALID, "claims 0 bytes"),
    ("value of 1", p_data(value(1)), INVALID, "claims 1 bytes"),
    ("value of 4 GiB", p_data(value(0xFFFFFFFF)), INVALID, "claims 4294967295 bytes"),
    ("no value", p_data(b""), INVALID, "without a presentation data value"),
    ("too long by one", p_data(value(16379, data=bytes(16377))), INVALID, "16383 bytes"),
    ("4 GiB", b"\x04\0\xff\xff\xff\xff" + bytes(100), INVALID, "4294967295 bytes"),
    ("context never proposed", pairs.message(99, pairs.ECHO), INVALID, "context 99"),
    ("context rejected", pairs.message(5, pairs.ECHO), INVALID, "context 5"),
    ("data set first", pairs.values((3, 2, b"data")), INVALID, "without a command set"),
    ("command in a data set",
     pairs.message(3, pairs.STORE, b"data")[:-4 - 12] + ECHO, INVALID, "middle of a data set"),
    ("data set elsewhere",
     pairs.values((3, 3, pairs.encode_command({**pairs.STORE, "CommandDataSetType": 1})),
                  (1, 2, b"data")), INVALID, "another presentation context"),
    ("endless command", pairs.values((1, 1, bytes(16000))) * 5, INVALID, "65536"),
    ("command without field", pairs.values((1, 3, b"")), INVALID, "Command Field"),
    ("command cut short", pairs.values((1, 3, ENCODED[:-1])), INVALID, "claims"),
    ("command of rubbish", pairs.values((1, 3, b"\xff" * 50)), INVALID, "claims"),
    ("explicit VR command", pairs.values((1, 3, b"\0\0\0\0UL\4\0\x38\0\0\0")), INVALID, "claims"),
    ("empty fragments", pairs.values((1, 1, b"")) * 1001, INVALID, "empty fragments"),
]  # fmt: skip


@pytest.mark.box("9.4", "10.4")
@pytest.mark.parametrize(
    ("data", "reason", "words"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_who_breaks_the_protocol_is_aborted_with_the_reason(
    server: Any, gone: Gone, caplog: Any, data: bytes, reason: int, words: str
) -> None:
    contexts = [*pairs.request().presentation_contexts]
    contexts.append(pairs.ProposedContext(5, "1.2.3.4.5", (pairs.IMPLICIT,)))
    with dial(port_of(server)) as peer:
        peer.send(pairs.request(contexts=contexts))
        assert isinstance(peer.read(), AssociateAC)
        peer.send(data)
        assert peer.read() == Abort(PROVIDER, reason)
        acceptor = gone(peer)
    assert acceptor.is_aborted
    assert acceptor.ended.source == PROVIDER
    assert words in text(acceptor.ended)
    errors = lines(caplog, logging.ERROR)
    assert len(errors) == 1, errors
    assert words in errors[0]


STRAY = {"AffectedSOPClassUID": VERIFICATION, "CommandField": 0x8030, "Status": 0}


def test_a_response_that_nobody_asked_for_is_aborted_by_the_user(server: Any, gone: Gone) -> None:
    with dialled(port_of(server)) as peer:
        peer.send(pairs.message(1, {**STRAY, "MessageIDBeingRespondedTo": 1}))
        assert peer.read() == Abort(BY_USER, 0)
        assert "that nobody asked for" in text(gone(peer).ended)


@pytest.mark.box("10.4")
@pytest.mark.parametrize("cut", [1, 5, 6, 11, 12, 40, -1])
def test_a_pdu_that_breaks_off_is_a_lost_connection(
    server: Any, gone: Gone, caplog: Any, cut: int
) -> None:
    with dialled(port_of(server)) as peer:
        peer.send(ECHO[:cut])
        acceptor = gone(peer)
    assert acceptor.is_aborted
    assert "Connection closed before the entire PDU was received" in str(acceptor.ended)
    assert len(lines(caplog, logging.ERROR)) == 1


@pytest.mark.parametrize("cut", [0, 1, 6, 30, 80, -1])
def test_a_request_that_breaks_off_is_a_lost_connection(server: Any, gone: Gone, cut: int) -> None:
    with dial(port_of(server)) as peer:
        peer.send(pairs.request().encode()[:cut])
        assert gone(peer).is_aborted


def test_an_abort_as_the_first_word_is_an_end(server: Any, gone: Gone) -> None:
    with dial(port_of(server)) as peer:
        peer.send(Abort())
        assert peer.rest() == []
        assert gone(peer).is_aborted


def test_what_follows_an_abort_of_ours_is_ignored(server: Any, gone: Gone) -> None:
    with dialled(port_of(server)) as peer:
        peer.send(b"\x99\0\0\0\0\0", ECHO, pairs.request(), b"\xff" * 100)
        assert peer.read() == Abort(PROVIDER, UNRECOGNISED)
        gone(peer)


def test_pipelined_requests_are_answered_in_order(server: Any, gone: Gone) -> None:
    def drain(peer: Peer, numbers: range) -> None:
        for number in numbers:
            assert peer.command()["MessageIDBeingRespondedTo"] == number

    numbers = range(1, 501)
    with dialled(port_of(server)) as peer:
        peer.send(*[pairs.message(1, {**pairs.ECHO, "MessageID": n}) for n in numbers])
        drain(peer, numbers)
        peer.send(ReleaseRQ())
        assert peer.read() == ReleaseRP()


@pytest.mark.parametrize(
    ("title", "codes"),
    [(b"A\r\nE: forged" + b" " * 4, (1, 1, 3)), (b"\x1b[31mRED" + b" " * 8, (1, 1, 3)),
     (b"\xff" * 16, (1, 1, 3)), (b"A\\B" + b" " * 13, (1, 1, 3))],
    ids=["lines", "colours", "bytes", "backslash"],
)  # fmt: skip
def test_a_title_cannot_forge_a_log_line(
    server: Any, gone: Gone, caplog: Any, title: bytes, codes: tuple[int, int, int]
) -> None:
    caplog.set_level(logging.DEBUG, "dicomwire")
    request = bytearray(pairs.request().encode())
    request[26:42] = title[:16].ljust(16)
    with dial(port_of(server)) as peer:
        peer.send(bytes(request))
        assert peer.read() == AssociateRJ(*codes)
        gone(peer)
    for record in caplog.records:
        message = record.getMessage()
        assert message.isprintable(), repr(message)


def test_128_contexts_are_fine_and_more_are_not(server: Any, gone: Gone) -> None:
    def asked(count: int) -> bytes:
        contexts = [pairs.ProposedContext(1, VERIFICATION, (pairs.IMPLICIT,))] * count
        body = b"".join(
            pairs.ProposedContext((2 * n + 1) % 256, VERIFICATION, (pairs.IMPLICIT,)).encode()
            for n in range(len(contexts))
        )
        plain = pairs.request(contexts=contexts[:1]).encode()
        single = contexts[0].encode()
        at = plain.index(single)
        return struct.pack(">BBI", 1, 0, len(plain) - 6 - len(single) + len(body)) + (
            plain[6:at] + body + plain[at + len(single) :]
        )

    with dial(port_of(server)) as peer:
        peer.send(asked(128))
        answer = peer.read()
        assert isinstance(answer, AssociateAC)
        assert len(answer.presentation_contexts) == 128
        peer.send(ReleaseRQ())
        assert peer.read() == ReleaseRP()
        gone(peer)
    with dial(port_of(server)) as peer:
        peer.send(asked(129))
        assert isinstance(peer.read(), Abort)

"""Turns silence of every length into the time-out that bounds it: small values, no sleep."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire import evt
from dicomwire.protocol.errors import (
    AssociateTimedOut,
    DimseTimedOut,
    Error,
    IdleTimedOut,
    Lost,
)
from dicomwire.protocol.pdus import Abort, AssociateAC, ReleaseRP, ReleaseRQ
from tests.network.ends import (
    LOCAL,
    WAIT,
    Box,
    Peer,
    dial,
    dialled,
    entity,
    established,
    image,
    lines,
    port_of,
    scripted,
    serving,
)
from tests.protocol import pairs

SOON = 0.2


def reason(assoc: Any) -> Error | None:
    """What made an association end: the cause of our abort, or the end itself."""
    cause = assoc.ended.__cause__
    return cause if isinstance(cause, Error) else assoc.ended  # type: ignore[no-any-return]


def test_a_request_that_is_not_answered_times_out(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dicomwire")
    got: list[Any] = []

    def script(peer: Peer) -> None:
        peer.accept()
        peer.command()
        got.extend(peer.rest())

    with scripted(script) as port:
        ae = entity(linger=0.1)
        ae.dimse_timeout = SOON
        assoc = ae.associate(LOCAL, port)
        began = time.monotonic()
        assert assoc.send_c_echo() == Dataset()
        assert SOON <= time.monotonic() - began < WAIT
    assert got == [Abort(0, 0)]
    assert assoc.is_aborted
    assert isinstance(reason(assoc), DimseTimedOut)
    assert "after 0.2 s" in str(assoc.ended)
    assert "DIMSE timeout reached while waiting for message response" in lines(caplog)


def test_the_dimse_timeout_begins_when_the_request_has_been_sent() -> None:
    """A peer that takes long to take a large object is not late with its answer."""

    def script(peer: Peer) -> None:
        peer.accept()
        for _ in range(12):  # slowly: in all longer than the time-out
            peer.exactly(1_500_000)
            go.wait(0.05)
        peer.exactly(30_000_000 - 12 * 1_500_000)
        peer.send(Abort(0, 0))
        while peer.socket.recv(1 << 20):
            pass

    go = threading.Event()
    with scripted(script) as port:
        ae = entity(linger=0.1)
        ae.dimse_timeout = 0.4
        ae.network_timeout = WAIT
        assoc = ae.associate(LOCAL, port)
        assert assoc.send_c_store(image(size=30_000_000)) == Dataset()
    assert assoc.ended.by_peer


def test_a_peer_that_takes_nothing_any_more_is_given_up(tmp_path: Path) -> None:
    # from a file: to encode a data set takes longer than the time-out of this test
    big, over = tmp_path / "big.dcm", threading.Event()
    image(size=30_000_000).save_as(big, enforce_file_format=True)

    def script(peer: Peer) -> None:
        peer.accept()
        assert over.wait(WAIT)

    with scripted(script) as port:
        ae = entity(linger=0.1)
        ae.network_timeout = SOON
        assoc = ae.associate(LOCAL, port)
        assert assoc.send_c_store(big) == Dataset()
        over.set()
    assert assoc.is_aborted
    assert isinstance(assoc.ended, Lost)
    assert "does not take what we send" in assoc.ended.what


@pytest.mark.parametrize("when", ["before", "while idle", "through the AE"])
def test_an_idle_requestor_is_aborted_after_the_network_timeout(
    when: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dicomwire")
    with serving() as server:
        ae = entity()
        if when == "before":
            ae.network_timeout = SOON
        assoc = ae.associate(LOCAL, port_of(server))
        if when == "while idle":
            assoc.network_timeout = SOON
        elif when == "through the AE":
            ae.network_timeout = SOON
        assoc.join(WAIT)
        assert assoc.is_aborted
        assert isinstance(reason(assoc), IdleTimedOut)
    assert lines(caplog).count("Network timeout reached") == 1


def test_an_idle_requestor_can_release_instead() -> None:
    with serving() as server:
        assoc = entity().associate(LOCAL, port_of(server))
        assoc.network_timeout_response = "A-RELEASE"
        assoc.network_timeout = SOON
        assoc.join(WAIT)
        assert assoc.is_released
        assert not assoc.is_aborted


@pytest.mark.box("10.3")
def test_an_idle_acceptor_is_aborted_after_the_network_timeout() -> None:
    box = Box()
    ae = entity("SCP")
    ae.network_timeout = SOON
    with (
        serving(ae, (evt.EVT_ABORTED, box.put)) as server,
        dialled(port_of(server)) as peer,
    ):
        assert peer.rest() == [Abort(0, 0)]
        peer.close()
        assert isinstance(reason(box.wait()[0].assoc), IdleTimedOut)


def test_an_idle_acceptor_can_release_instead() -> None:
    box = Box()

    def on_established(event: Any) -> None:
        event.assoc.network_timeout_response = "A-RELEASE"
        event.assoc.network_timeout = SOON

    handlers = [(evt.EVT_ESTABLISHED, on_established), (evt.EVT_RELEASED, box.put)]
    with serving(None, *handlers) as server, dialled(port_of(server)) as peer:
        assert peer.read() == ReleaseRQ()
        peer.send(ReleaseRP())
        assert peer.rest() == []
        assert box.wait()[0].assoc.is_released


def test_a_network_timeout_of_zero_gives_up_at_once_and_none_never() -> None:
    with serving() as server:
        ae = entity()
        ae.network_timeout = 0
        assoc = ae.associate(LOCAL, port_of(server))
        assoc.join(WAIT)
        assert assoc.is_aborted
        ae.network_timeout = None
        with ae.associate(LOCAL, port_of(server)) as assoc:
            assert assoc.idle_until() == float("inf")
            assert assoc.send_c_echo().Status == 0


@pytest.mark.box("10.3")
def test_activity_puts_the_network_timeout_off() -> None:
    with established() as (assoc, _):
        assoc.network_timeout = 60
        before = assoc.idle_until()
        assert assoc.send_c_echo().Status == 0
        assert assoc.idle_until() > before


@pytest.mark.box("10.3")
def test_a_handler_may_take_longer_than_the_network_timeout() -> None:
    """Who waits for an answer is not idle, and who works on it is not either."""
    done = threading.Event()

    def slow(event: Any) -> int:
        done.wait(3 * SOON)
        return 0

    ae = entity("SCP")
    ae.network_timeout = SOON
    with serving(ae, (evt.EVT_C_ECHO, slow)) as server:
        scu = entity()
        scu.network_timeout = SOON
        with scu.associate(LOCAL, port_of(server)) as assoc:
            assert assoc.send_c_echo().Status == 0


def test_who_connects_and_says_nothing_is_hung_up_on() -> None:
    box = Box()
    ae = entity("SCP")
    ae.acse_timeout = SOON
    with serving(ae, (evt.EVT_ABORTED, box.put)) as server, dial(port_of(server)) as peer:
        assert peer.rest() == []
        ended = box.wait()[0].assoc.ended
        assert isinstance(ended, AssociateTimedOut)


def test_who_sends_half_a_request_is_hung_up_on_as_soon() -> None:
    ae = entity("SCP")
    ae.acse_timeout = 2 * SOON
    with serving(ae) as server, dial(port_of(server)) as peer:
        began = time.monotonic()
        data = pairs.request().encode()
        peer.send(data[:30])
        ticking = threading.Event()
        closed = False
        for byte in data[30:80]:  # slowly: no byte may buy more time
            ticking.wait(SOON / 4)
            try:
                peer.send(bytes([byte]))
            except OSError:
                closed = True
                break
        assert closed
        assert time.monotonic() - began < 50 * SOON / 4


def test_half_a_pdu_in_an_association_is_subject_to_the_network_timeout() -> None:
    ae = entity("SCP")
    ae.network_timeout = SOON
    with serving(ae) as server, dialled(port_of(server)) as peer:
        peer.send(pairs.message(1, pairs.ECHO)[:20])
        assert peer.rest() == [Abort(0, 0)]


def test_a_peer_that_never_closes_is_waited_for_only_so_long() -> None:
    box = Box()
    ae = entity("SCP", linger=SOON)
    with (
        serving(ae, (evt.EVT_CONN_CLOSE, box.put)) as server,
        dialled(port_of(server)) as peer,
    ):
        peer.send(ReleaseRQ())
        assert peer.read() == ReleaseRP()
        assert peer.read() is None  # and not we
        assert box.wait()[0].assoc.is_released


def test_a_failed_send_tells_what_the_peer_said_before() -> None:
    """The A-ABORT that waits unread is the reason, not the broken pipe."""
    closed = threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        peer.exactly(100)
        peer.send(Abort(2, 6))
        peer.close()
        closed.set()

    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port)
        assert assoc.send_c_store(image(size=30_000_000)) == Dataset()
        assert closed.wait(WAIT)
    assert assoc.is_aborted
    assert "invalid PDU parameter value" in str(assoc.ended)


def test_what_the_peer_says_while_it_takes_nothing_is_read() -> None:
    """With both windows full neither side may wait for the other to read first."""
    answered = Box()

    def script(peer: Peer) -> None:
        peer.accept()
        peer.exactly(100)
        peer.send(ReleaseRQ())  # nothing of what comes is read until this is answered...
        answered.put(True)
        while peer.socket.recv(1 << 20):
            pass

    with scripted(script) as port:
        assoc = entity(linger=0.1).associate(LOCAL, port)
        assoc.dimse_timeout = SOON
        assoc.send_c_store(image(size=10_000_000))
        assert answered.wait() == [True]
    assert assoc.is_released


def test_an_operation_that_is_interrupted_leaves_no_half_message_behind() -> None:
    def interrupt(event: Any) -> None:
        raise KeyboardInterrupt

    with established() as (assoc, acceptor):
        assoc.bind(evt.EVT_DIMSE_SENT, interrupt)
        with pytest.raises(KeyboardInterrupt):
            assoc.send_c_echo()
        assert assoc.is_aborted
        acceptor.join(WAIT)
        assert acceptor.is_aborted


def test_an_established_association_survives_many_timeouts_changes() -> None:
    with established() as (assoc, _):
        for seconds in (5, None, 0.5, 3.25, None, 7):
            assoc.dimse_timeout = seconds
            assert assoc.send_c_echo().Status == 0


def test_the_acceptor_answers_on_one_connection_only() -> None:
    with serving() as server, dialled(port_of(server)) as peer:
        peer.send(pairs.request())  # a second one: PS3.8 Table 9-10, AA-8
        assert peer.rest() == [Abort(2, 2)]
        with dial(port_of(server)) as again:
            again.send(pairs.request())
            assert isinstance(again.read(), AssociateAC)

"""Turns peers of every kind into flags, a reason that a person understands, and log lines."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire import AE, Options, evt
from dicomwire.protocol.errors import (
    Aborted,
    AssociateTimedOut,
    ConnectTimedOut,
    Ended,
    Fault,
    Lost,
    NoContextAccepted,
    Rejected,
    Released,
)
from dicomwire.protocol.items import MaximumLength
from dicomwire.protocol.pdus import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    ContextResult,
    ProposedContext,
    ReleaseRP,
    ReleaseRQ,
)
from dicomwire.standard.rejections import REJECTIONS
from tests.network.ends import (
    IMPLICIT,
    LOCAL,
    VERIFICATION,
    WAIT,
    Box,
    Peer,
    call,
    dial,
    entity,
    established,
    image,
    lines,
    port_of,
    scripted,
    serving,
    until,
)
from tests.protocol import pairs


def flags(assoc: Any) -> str:
    """The one flag that is set."""
    names = ("established", "rejected", "aborted", "released")
    return " ".join(name for name in names if getattr(assoc, f"is_{name}"))


def asked(script: Callable[[Peer], object], **settings: Any) -> Any:
    """The association with a peer that follows a script."""
    ae = entity(linger=0.2)
    for name, value in settings.items():
        setattr(ae, name, value)
    with scripted(script) as port:
        return ae.associate(LOCAL, port)


def test_an_accepted_association_is_established_and_released(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "dicomwire")
    with established() as (assoc, acceptor):
        assert flags(assoc) == flags(acceptor) == "established"
        assert assoc.ended is None
        assert assoc.is_alive()
        assert [c.context_id for c in assoc.accepted_contexts] == [1, 3]
        assert assoc.rejected_contexts == []
        assoc.release()
        acceptor.join(WAIT)
    assert flags(assoc) == flags(acceptor) == "released"
    for each in (assoc, acceptor):
        assert isinstance(each.ended, Released)
        assert each.ended.fault is Fault.NOBODY
        assert not each.is_alive()
    assert str(assoc.ended) == "Association Released"
    assert str(acceptor.ended) == "Association Released by the peer"
    said = lines(caplog)
    assert said[0] == "Requesting Association"
    assert "Association Accepted" in said
    assert said.index("Releasing Association") < said.index("Association Released")


# -- rejected --------------------------------------------------------------------------------

CODES = [(result, row.source, row.reason) for row in REJECTIONS for result in (1, 2)]
RESERVED = [(9, 1, 1), (1, 9, 9), (1, 1, 4), (0, 0, 0), (255, 255, 255)]


@pytest.mark.parametrize("codes", CODES + RESERVED, ids=str)
def test_every_rejection_is_told_with_its_reason(
    codes: tuple[int, int, int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dicomwire")

    def script(peer: Peer) -> None:
        assert isinstance(peer.read(), AssociateRQ)
        peer.send(AssociateRJ(*codes))
        assert peer.rest() == []

    assoc = asked(script)
    assert flags(assoc) == "rejected"
    assert isinstance(assoc.ended, Rejected)
    assert (assoc.ended.result, assoc.ended.source, assoc.ended.reason) == codes
    text = next(
        (r.text.lower() for r in REJECTIONS if codes[1:] == (r.source, r.reason)), "reserved"
    )
    assert text in str(assoc.ended).lower()
    assert ". Check: " in str(assoc.ended)
    assert "\n" not in str(assoc.ended)
    assert assoc.ended.fault is (Fault.PEER if codes[1] == 3 else Fault.SETTINGS)
    errors = lines(caplog, logging.ERROR)
    assert errors[0] == "Association Rejected"
    assert errors[1].startswith("Result: ")
    assert errors[2].startswith("Reason: ")
    assert text in errors[2].lower()
    assert len(errors) == 3


def called(ae: AE) -> None:
    ae.require_called_aet = True


def calling(ae: AE) -> None:
    ae.require_calling_aet = ["SOMEBODY", "ELSE"]


def full(ae: AE) -> None:
    ae.maximum_associations = 1


def nothing(ae: AE) -> None:
    """As it comes."""


def spoiled(**changes: Any) -> AssociateRQ:
    request = pairs.request()
    for name, value in changes.items():
        setattr(request, name, value)
    return request


ACCEPTORS = [
    ("called title", called, spoiled(called_ae_title="OTHER"), (1, 1, 7)),
    ("calling title", calling, pairs.request(), (1, 1, 3)),
    ("application context", nothing, spoiled(application_context_name="1.2.3"), (1, 1, 2)),
    ("protocol version", nothing, spoiled(protocol_version=2), (1, 2, 2)),
    ("no contexts", nothing, spoiled(presentation_contexts=[]), (1, 2, 1)),
    ("empty called", nothing, spoiled(called_ae_title=""), (1, 1, 7)),
    ("empty calling", nothing, spoiled(calling_ae_title=""), (1, 1, 3)),
    ("tiny PDUs", nothing, pairs.request(MaximumLength(8)), (1, 2, 1)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("prepare", "request_", "codes"), [a[1:] for a in ACCEPTORS], ids=[a[0] for a in ACCEPTORS]
)
def test_the_acceptor_rejects_with_the_reason_and_serves_on(
    prepare: Callable[[AE], None],
    request_: AssociateRQ,
    codes: tuple[int, int, int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "dicomwire")
    box = Box()
    ae = entity("SCP")
    prepare(ae)
    with serving(ae, (evt.EVT_REJECTED, box.put), (evt.EVT_CONN_CLOSE, box.put)) as server:
        with dial(port_of(server)) as peer:
            peer.send(request_)
            assert peer.read() == AssociateRJ(*codes)
            peer.close()
        rejected = box.wait(2)[0].assoc
        assert flags(rejected) == "rejected"
        assert isinstance(rejected.ended, Rejected)
        assert server.active_associations in ([], [rejected])
        ae.require_called_aet, ae.require_calling_aet = False, []
        with call(server) as assoc:
            assert assoc.is_established
    said = [line for line in lines(caplog) if line.startswith("Rejecting Association: ")]
    assert len(said) == 1
    assert "Association Rejected" in said[0]


def test_the_limit_rejects_for_now_and_frees_its_slot() -> None:
    ae = entity("SCP")
    ae.maximum_associations = 1
    with serving(ae) as server:
        first = call(server)
        second = call(server)
        assert (flags(first), flags(second)) == ("established", "rejected")
        assert isinstance(second.ended, Rejected)
        assert (second.ended.result, second.ended.source, second.ended.reason) == (2, 3, 2)
        first.release()
        for acceptor in server.active_associations:
            acceptor.join(WAIT)
        assert flags(call(server)) == "established"


def test_a_user_who_is_not_verified_is_rejected(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dicomwire")
    from dicomwire.protocol.items import UserIdentity

    user = UserIdentity(2, True, b"me", b"open sesame")
    with serving(None, (evt.EVT_USER_ID, lambda event: (False, None))) as server:
        assoc = call(server, ext_neg=[user])
    assert flags(assoc) == "rejected"
    assert isinstance(assoc.ended, Rejected)
    assert (assoc.ended.source, assoc.ended.reason) == (2, 1)
    assert "sesame" not in caplog.text


# -- no answer ---------------------------------------------------------------------------------


def test_a_refused_connection_says_what_to_check(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dicomwire")
    with socket.create_server((LOCAL, 0)) as free:
        port = free.getsockname()[1]
    assoc = entity().associate(LOCAL, port)
    assert flags(assoc) == "aborted"
    assert isinstance(assoc.ended, Lost)
    assert assoc.ended.fault is Fault.NETWORK
    assert str(port) in assoc.ended.what
    assert "refused" in assoc.ended.what
    assert "port" in assoc.ended.check
    said = lines(caplog)
    assert said[0] == "Requesting Association"
    assert said[-1] == "Association Aborted"
    first, second = lines(caplog, logging.ERROR)
    assert first == "Association request failed: unable to connect to remote"
    assert second.startswith("TCP Initialisation Error: ")


def test_a_silent_peer_is_given_up_after_the_acse_timeout(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "dicomwire")
    got: list[Any] = []

    def script(peer: Peer) -> None:
        peer.read()
        got.extend(peer.rest())

    assoc = asked(script, acse_timeout=0.2)
    assert flags(assoc) == "aborted"
    assert got == [Abort(0, 0)]
    assert isinstance(assoc.ended, Ended)
    assert isinstance(assoc.ended.__cause__ or assoc.ended, AssociateTimedOut)
    assert "timed out after 0.2 s" in assoc.ended.what
    assert "TLS" in assoc.ended.check
    assert "ACSE timeout reached while waiting for response to association request" in lines(caplog)


def test_a_peer_that_trickles_does_not_prolong_the_acse_timeout() -> None:
    ticking = threading.Event()

    def script(peer: Peer) -> None:
        peer.read()
        answer = AssociateAC("A", "B").encode()
        for byte in answer[:60]:
            if ticking.wait(0.05):
                return
            try:
                peer.send(bytes([byte]))
            except OSError:
                return

    with scripted(script) as port:
        ae = entity(linger=0.0)
        ae.acse_timeout = 0.3
        assoc = ae.associate(LOCAL, port)
        ticking.set()
    assert isinstance(assoc.ended.__cause__ or assoc.ended, AssociateTimedOut)


def test_a_peer_that_closes_instead_of_answering_says_so() -> None:
    assoc = asked(lambda peer: peer.read())
    assert flags(assoc) == "aborted"
    assert isinstance(assoc.ended, Lost)
    assert "before it answered the association request" in assoc.ended.what
    assert "TLS" in assoc.ended.check


def test_a_peer_that_aborts_instead_of_answering_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "dicomwire")

    def script(peer: Peer) -> None:
        peer.read()
        peer.send(Abort(2, 6))

    assoc = asked(script)
    assert flags(assoc) == "aborted"
    assert isinstance(assoc.ended, Aborted)
    assert assoc.ended.by_peer
    assert "invalid PDU parameter value" in assoc.ended.what
    assert lines(caplog)[-1] == "Association Aborted (A-P-ABORT)"


def test_an_answer_that_breaks_the_protocol_is_aborted() -> None:
    got: list[Any] = []

    def script(peer: Peer) -> None:
        peer.read()
        results = [ContextResult(99, 0, IMPLICIT)]
        peer.send(AssociateAC("A", "B", results))
        got.extend(peer.rest())

    assoc = asked(script)
    assert flags(assoc) == "aborted"
    assert got == [Abort(2, 6)]
    assert "99 was never proposed" in str(assoc.ended)
    assert assoc.ended.fault is Fault.PEER


def test_no_context_accepted_aborts_and_names_the_settings(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "dicomwire")
    with serving(entity("SCP", "1.2.3")) as server:
        assoc = call(server)
    assert flags(assoc) == "aborted"
    assert isinstance(assoc.ended, Ended)
    assert isinstance(assoc.ended.__cause__ or assoc.ended, NoContextAccepted)
    assert assoc.ended.fault is Fault.SETTINGS
    assert "No accepted presentation contexts" in lines(caplog, logging.ERROR)
    assert [c.result for c in assoc.rejected_contexts] == [3, 3]
    assert assoc.accepted_contexts == []


def test_a_connection_that_is_never_made_times_out() -> None:
    with socket.socket() as listener:  # a full backlog answers nobody
        listener.bind((LOCAL, 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        ae = entity()
        ae.connection_timeout = 0.2
        assoc = ae.associate(*address)
        for filler in fillers:
            filler.close()
    assert flags(assoc) == "aborted"
    assert isinstance(assoc.ended, ConnectTimedOut)
    assert "firewall" in assoc.ended.check


def test_what_is_not_established_can_do_nothing_and_says_why() -> None:
    with socket.create_server((LOCAL, 0)) as free:
        port = free.getsockname()[1]
    assoc = entity().associate(LOCAL, port)
    with pytest.raises(RuntimeError, match="refused"):
        assoc.send_c_echo()
    with pytest.raises(RuntimeError, match="refused"):
        assoc.send_c_store(image())
    assoc.release()
    assoc.abort()
    assoc.join()
    assert flags(assoc) == "aborted"


# -- release and abort -------------------------------------------------------------------------


def test_an_idle_requestor_notices_a_release_and_answers_it() -> None:
    got: list[Any] = []

    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(ReleaseRQ())
        got.extend(peer.rest())

    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port)
        assoc.join(WAIT)
        assert flags(assoc) == "released"
    assert got == [ReleaseRP()]


def test_an_idle_requestor_notices_an_abort() -> None:
    box = Box()

    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(Abort(0, 0))

    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port, evt_handlers=[(evt.EVT_ABORTED, box.put)])
        box.wait()
        assoc.join(WAIT)
    assert flags(assoc) == "aborted"
    assert isinstance(assoc.ended, Aborted)
    assert assoc.ended.by_peer
    assert not assoc.is_alive()
    with pytest.raises(RuntimeError, match="Aborted by the peer"):
        assoc.send_c_echo()


def test_an_idle_requestor_notices_that_the_line_is_cut() -> None:
    with scripted(lambda peer: peer.accept()) as port:
        assoc = entity().associate(LOCAL, port)
        assoc.join(WAIT)
    assert flags(assoc) == "aborted"
    assert isinstance(assoc.ended, Lost)
    assert assoc.ended.fault is Fault.NETWORK


def test_an_idle_requestor_answers_garbage_with_an_abort() -> None:
    got: list[Any] = []

    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(b"\x99\0\0\0\0\0")
        got.extend(peer.rest())

    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port)
        assoc.join(WAIT)
    assert got == [Abort(2, 1)]
    assert "0x99" in str(assoc.ended)


@pytest.mark.box("6.6")
def test_a_release_collision_ends_released_on_both_sides() -> None:
    got: list[Any] = []

    def script(peer: Peer) -> None:
        peer.accept()
        assert peer.read() == ReleaseRQ()
        peer.send(ReleaseRQ())  # as if it had crossed ours
        got.append(peer.read())
        peer.send(ReleaseRP())
        got.extend(peer.rest())

    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port)
        assoc.release()
    assert flags(assoc) == "released"
    assert got == [ReleaseRP()]


@pytest.mark.box("6.6")
def test_a_release_collision_seen_from_the_acceptor() -> None:
    box = Box()

    def on_echo(event: Any) -> int:
        event.assoc.release()
        box.put(flags(event.assoc))
        return 0

    with serving(None, (evt.EVT_C_ECHO, on_echo)) as server, dial(port_of(server)) as peer:
        peer.send(pairs.request())
        assert isinstance(peer.read(), AssociateAC)
        peer.send(pairs.message(1, pairs.ECHO))
        assert peer.read() == ReleaseRQ()
        peer.send(ReleaseRQ())
        peer.send(ReleaseRP())  # the requestor answers first
        assert peer.read() == ReleaseRP()
        peer.close()
        assert box.wait() == ["released"]


def test_a_release_that_is_never_answered_is_aborted() -> None:
    got: list[Any] = []

    def script(peer: Peer) -> None:
        peer.accept()
        got.extend(peer.rest())

    with scripted(script) as port:
        ae = entity()
        assoc = ae.associate(LOCAL, port)
        assoc.acse_timeout = 0.2
        assoc.release()
        assert flags(assoc) == "aborted"
    assert got == [ReleaseRQ(), Abort(0, 0)]
    assert isinstance(assoc.ended.__cause__ or assoc.ended, AssociateTimedOut)
    assert "release" in str(assoc.ended)


def test_releasing_or_aborting_again_does_nothing() -> None:
    with established() as (assoc, acceptor):
        assoc.release()
        assoc.release()
        assoc.abort()
        acceptor.join(WAIT)
        acceptor.release()
        acceptor.abort()
        assert flags(assoc) == flags(acceptor) == "released"


def test_many_threads_may_release_at_once() -> None:
    with established() as (assoc, _):
        start = threading.Barrier(8)

        def release() -> None:
            start.wait(WAIT)
            assoc.release()

        with ThreadPoolExecutor(8) as pool:
            for released in [pool.submit(release) for _ in range(8)]:
                assert released.result(WAIT) is None
        assert flags(assoc) == "released"


@pytest.mark.parametrize("who", [0, 1], ids=["requestor", "acceptor"])
def test_an_abort_from_either_side_ends_both(who: int) -> None:
    box = Box()
    handlers = [(evt.EVT_ABORTED, box.put)]
    with established(*handlers, evt_handlers=handlers) as ends:
        ends[who].abort()
        assert flags(ends[who]) == "aborted"
        ends[1 - who].join(WAIT)
        assert flags(ends[1 - who]) == "aborted"
        assert [end.ended.by_peer for end in ends] == [who == 1, who == 0]
        assert len(box.wait(2)) == 2
    assert len(box.things) == 2


def test_an_abort_in_another_thread_ends_an_operation_that_waits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "dicomwire")
    box, go = Box(), threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        peer.command()
        go.set()
        box.put(peer.rest())

    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port)
        waiting = threading.Thread(target=lambda: box.put(assoc.send_c_echo()))
        waiting.start()
        assert go.wait(WAIT)
        assoc.abort()
        waiting.join(WAIT)
        assert flags(assoc) == "aborted"
    assert box.things.count(Dataset()) == 1
    assert [Abort(0, 0)] in box.things
    said = lines(caplog)
    assert said.count("Aborting Association") == said.count("Association Aborted") == 1


def free(lock: threading.Lock) -> bool:
    """Whether nobody holds a lock for long."""
    if not lock.acquire(timeout=0.3):
        return False
    lock.release()
    return True


def test_an_abort_reaches_a_store_that_is_stuck_in_sending() -> None:
    stuck, over = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.accept()
        peer.exactly(1000)
        stuck.set()
        assert over.wait(WAIT), "the abort did not get through"

    box = Box()
    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port)
        big = image(size=30_000_000)
        sending = threading.Thread(target=lambda: box.put(assoc.send_c_store(big)))
        sending.start()
        assert stuck.wait(WAIT)
        until(lambda: not free(assoc.driver.lock))
        assoc.abort()
        sending.join(WAIT)
        assert box.wait() == [Dataset()]
        assert flags(assoc) == "aborted"
        over.set()


@pytest.mark.parametrize("ending", ["abort", "release"])
def test_a_handler_may_end_the_association_and_nothing_more_is_sent(ending: str) -> None:
    box = Box()

    def on_echo(event: Any) -> int:
        getattr(event.assoc, ending)()
        box.put(flags(event.assoc))
        return 0

    with established((evt.EVT_C_ECHO, on_echo), evt_handlers=[]) as (assoc, acceptor):
        pdus = Box()
        assoc.bind(evt.EVT_PDU_RECV, lambda event: pdus.put(event.pdu))
        assert assoc.send_c_echo() == Dataset()
        acceptor.join(WAIT)
        expected = "aborted" if ending == "abort" else "released"
        assert box.wait() == [expected]
        assert flags(assoc) == flags(acceptor) == expected
        last = Abort(0, 0) if ending == "abort" else ReleaseRQ()
        assert [each.encode() for each in pdus.things] == [last.encode()]


@pytest.mark.parametrize("event", [evt.EVT_REQUESTED, evt.EVT_ACCEPTED, evt.EVT_ESTABLISHED])
@pytest.mark.parametrize("side", ["requestor", "acceptor"])
def test_a_notification_handler_may_abort(event: Any, side: str) -> None:
    box = Box()
    aborting = [(event, lambda event: event.assoc.abort())]
    mine = aborting if side == "requestor" else []
    theirs = aborting if side == "acceptor" else []
    closing = [(evt.EVT_CONN_CLOSE, box.put)]
    with serving(None, *theirs, *closing) as server:
        assoc = call(server, evt_handlers=mine)
        assoc.join(WAIT)
        assert flags(assoc) == "aborted"
        assert isinstance(assoc.ended, Aborted)
        assert assoc.driver.transport is None
        if not (side == "requestor" and event is evt.EVT_REQUESTED):  # it never called
            box.wait()


def test_an_abort_while_connecting_is_no_accident() -> None:
    opened, go = threading.Event(), threading.Event()
    found: list[Any] = []

    def on_open(event: Any) -> None:
        found.append(event.assoc)
        opened.set()
        assert go.wait(WAIT)

    with serving() as server:
        thread = threading.Thread(
            target=lambda: call(server, evt_handlers=[(evt.EVT_CONN_OPEN, on_open)])
        )
        thread.start()
        assert opened.wait(WAIT)
        aborting = threading.Thread(target=found[0].abort)
        aborting.start()
        while found[0].ended is None:
            aborting.join(0.001)
        go.set()
        for each in (thread, aborting):
            each.join(WAIT)
        assert flags(found[0]) == "aborted"


def test_a_context_manager_releases() -> None:
    with established() as (assoc, acceptor):
        with assoc as same:
            assert same is assoc
        assert flags(assoc) == "released"
        acceptor.join(WAIT)
        assert flags(acceptor) == "released"


def test_a_context_manager_aborts_on_an_exception_and_passes_it_on() -> None:
    with established() as (assoc, acceptor):
        with pytest.raises(KeyError), assoc:
            raise KeyError
        assert flags(assoc) == "aborted"
        acceptor.join(WAIT)
        assert flags(acceptor) == "aborted"


def test_kill_closes_without_a_word() -> None:
    got: list[Any] = []

    def script(peer: Peer) -> None:
        peer.accept()
        got.extend(peer.rest())

    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port)
        assoc.kill()
        assert flags(assoc) == "aborted"
        assert isinstance(assoc.ended, Lost)
    assert got == []


def test_an_acceptor_can_be_killed() -> None:
    with established() as (assoc, acceptor):
        acceptor.kill()
        acceptor.join(WAIT)
        assoc.join(WAIT)
        assert flags(acceptor) == flags(assoc) == "aborted"


# -- what it is --------------------------------------------------------------------------------


def test_the_mode_is_one_of_two() -> None:
    from dicomwire.network.association import Association
    from dicomwire.network.events import Handlers
    from dicomwire.services.association import Identity

    ae, identity = entity(), Identity(0, "1.2", None)
    assert Association(ae, "Requestor", identity, Handlers(), Options()).mode == "requestor"
    with pytest.raises(ValueError, match="mode"):
        Association(ae, "spectator", identity, Handlers(), Options())


def test_both_ends_know_each_other() -> None:
    with established(scp=entity("THEM"), scu=entity("US"), ae_title="THEM") as (assoc, acceptor):
        assert (assoc.mode, acceptor.mode) == ("requestor", "acceptor")
        assert (assoc.is_requestor, assoc.is_acceptor) == (True, False)
        for one, other in ((assoc, acceptor), (acceptor, assoc)):
            assert one.local["ae_title"] == other.remote["ae_title"]
            assert one.local["port"] == other.remote["port"]
            assert one.local["address"] == LOCAL
        assert assoc.local["ae_title"] == "US"
        assert assoc.remote["pdv_size"] == 16382


def test_a_message_id_and_a_priority_have_to_fit() -> None:
    with established() as (assoc, _):
        for msg_id in (-1, 65536):
            with pytest.raises(ValueError, match="Message ID"):
                assoc.send_c_echo(msg_id)
        for wrong in ("1", None, 1.0, True):
            with pytest.raises(TypeError, match="Message ID"):
                assoc.send_c_echo(wrong)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="priority"):
            assoc.send_c_store(image(), priority=3)
        for msg_id in (0, 65535):
            assert assoc.send_c_echo(msg_id).Status == 0


def test_a_service_that_was_not_accepted_cannot_be_used() -> None:
    with established(scp=entity("SCP", pairs.CT)) as (assoc, _):
        with pytest.raises(ValueError, match="'Verification SOP Class' has been accepted"):
            assoc.send_c_echo()
        assert assoc.is_established


def test_a_context_that_is_rejected_is_listed_as_such() -> None:
    with established(scp=entity("SCP", VERIFICATION)) as (assoc, acceptor):
        assert [c.abstract_syntax for c in assoc.rejected_contexts] == [pairs.CT]
        assert [c.abstract_syntax for c in acceptor.rejected_contexts] == [pairs.CT]
        assert [c.abstract_syntax for c in acceptor.accepted_contexts] == [VERIFICATION]


def test_an_answer_may_leave_contexts_out() -> None:
    def script(peer: Peer) -> None:
        request = peer.read()
        assert isinstance(request, AssociateRQ)
        assert [type(c) for c in request.presentation_contexts] == [ProposedContext] * 2
        peer.send(AssociateAC("A", "B", [ContextResult(1, 0, IMPLICIT)]))
        assert peer.read() == ReleaseRQ()
        peer.send(ReleaseRP())

    with scripted(script) as port, entity().associate(LOCAL, port) as assoc:
        assert [c.context_id for c in assoc.accepted_contexts] == [1]
        assert [c.context_id for c in assoc.rejected_contexts] == [3]

"""Sends and takes primitives by hand, and looks at what is below an association."""

from __future__ import annotations

from typing import Any

import pytest

from dicomwire.compat.dul import DULServiceProvider
from dicomwire.compat.fsm import InvalidEventError, StateMachine
from dicomwire.compat.transport import AssociationSocket
from dicomwire.dimse_messages import C_ECHO_RQ, DIMSEMessage
from dicomwire.dimse_primitives import C_ECHO
from dicomwire.pdu_primitives import A_ABORT, A_ASSOCIATE, A_P_ABORT, A_RELEASE, P_DATA
from dicomwire.protocol.errors import LocalError
from dicomwire.protocol.pdus import Abort, ReleaseRQ
from tests.network.ends import LOCAL, VERIFICATION, WAIT, Box, entity, established, scripted

pytestmark = [pytest.mark.socket, pytest.mark.box("10.1")]


def echo_fragments() -> list[P_DATA]:
    echo = C_ECHO()
    echo.MessageID, echo.AffectedSOPClassUID = 9, VERIFICATION
    message = C_ECHO_RQ()
    message.primitive_to_message(echo)
    return list(message.encode_msg(1, 30))


def test_it_shows_where_the_association_stands() -> None:
    with established() as (assoc, acceptor):
        for end in (assoc, acceptor):
            dul = end.dul
            assert isinstance(dul, DULServiceProvider)
            assert dul is end.dul
            assert dul.assoc is end
            assert dul.is_alive()
            assert isinstance(dul.socket, AssociationSocket)
            assert isinstance(dul.state_machine, StateMachine)
            assert dul.state_machine.current_state == "Sta6"
            assert dul.network_timeout == end.network_timeout
            assert not dul.idle_timer_expired()
            assert not dul.stop_dul()
            assert dul.peek_next_pdu() is None
            assert dul.to_user_queue.empty()
        assoc.release()
        assert assoc.dul.stop_dul()
        assert not assoc.dul.is_alive()
        assoc.dul.run_reactor()


@pytest.mark.box("10.3")
def test_the_timers_are_those_of_the_association() -> None:
    with established() as (assoc, _):
        assoc.acse_timeout = 5
        timer = assoc.dul.artim_timer
        assert (timer.timeout, timer.remaining) == (5, 5)
        assert not timer.expired
        assoc.network_timeout = 0
        assert assoc.dul.idle_timer_expired()
        assoc.connection.artim = True
        assert assoc.dul.artim_timer.remaining < 5


def test_fragments_sent_by_hand_are_a_message() -> None:
    with established() as (assoc, _):
        first, *others = echo_fragments()
        assoc.dul.send_pdu(first)  # nothing goes out before the message is whole
        assert assoc.send_c_echo().Status == 0
        for each in others:
            assoc.dul.to_provider_queue.put(each)
        answer = assoc.dul.receive_pdu(wait=True, timeout=WAIT)
        assert isinstance(answer, P_DATA)
        read = DIMSEMessage()
        assert read.decode_msg(answer)
        assert read.command_set.MessageIDBeingRespondedTo == 9
        assert assoc.send_c_echo().Status == 0


def test_a_release_by_hand() -> None:
    def script(peer: Any) -> None:
        peer.accept()
        assert isinstance(peer.read(), ReleaseRQ)
        peer.send(b"\6\0\0\0\0\4\0\0\0\0")
        assert peer.rest() == []

    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port)
        assoc.dul.send_pdu(A_RELEASE())
        answer = assoc.dul.receive_pdu(wait=True, timeout=WAIT)
        assert isinstance(answer, A_RELEASE)
        assert answer.result == "affirmative"
        assert assoc.is_released


def test_a_release_that_the_peer_asks_for_is_taken_and_answered_by_hand() -> None:
    def script(peer: Any) -> None:
        peer.accept()
        peer.read()  # the program has taken the association into its hands
        peer.send(ReleaseRQ())
        assert [each.pdu_type for each in peer.rest()] == [6]

    with scripted(script) as port:
        assoc = entity(linger=0.1).associate(LOCAL, port)
        for each in echo_fragments():
            assoc.dul.send_pdu(each)
        asked = assoc.dul.receive_pdu(wait=True, timeout=WAIT)
        assert isinstance(asked, A_RELEASE)
        assert asked.result is None
        answer = A_RELEASE()
        answer.result = "affirmative"
        assoc.dul.send_pdu(answer)
        assert assoc.is_released


@pytest.mark.parametrize(
    ("pdu", "kind"), [(Abort(0, 0), A_ABORT), (Abort(2, 6), A_P_ABORT), (b"", A_P_ABORT)]
)
def test_the_end_is_told_once(pdu: Any, kind: type) -> None:
    def script(peer: Any) -> None:
        peer.accept()
        peer.read()
        peer.send(pdu)

    with scripted(script) as port:
        assoc = entity(linger=0.1).associate(LOCAL, port)
        for each in echo_fragments():
            assoc.dul.send_pdu(each)
        ended = assoc.dul.receive_pdu(wait=True, timeout=WAIT)
        assert isinstance(ended, kind)
        assert assoc.dul.peek_next_pdu() is None
        assert assoc.dul.receive_pdu() is None
        assert assoc.is_aborted


def test_an_abort_by_hand_and_what_is_not_done_by_hand() -> None:
    with established() as (assoc, acceptor):
        for primitive in (A_ASSOCIATE(), accepted()):
            primitive.application_context_name = "1.2.840.10008.3.1.1.1"
            with pytest.raises(LocalError):
                assoc.dul.send_pdu(primitive)
        with pytest.raises(TypeError):
            assoc.dul.send_pdu("abort")
        abort = A_P_ABORT()
        abort.provider_reason = 2
        assoc.dul.send_pdu(abort)
        acceptor.join(WAIT)
        assert (acceptor.ended.source, acceptor.ended.reason) == (2, 2)


def accepted() -> A_ASSOCIATE:
    made = A_ASSOCIATE()
    made.result = 0
    return made


def test_killing_it_closes_the_connection() -> None:
    with established() as (assoc, acceptor):
        assoc.dul.kill_dul()
        acceptor.join(WAIT)
        assert acceptor.is_aborted
        assert assoc.dul.stop_dul()


@pytest.mark.box("10.2")
def test_events_that_a_program_lets_happen() -> None:
    with established() as (assoc, acceptor):
        machine = assoc.dul.state_machine
        with pytest.raises(InvalidEventError):
            machine.do_action("Evt1")
        with pytest.raises(RuntimeError, match="primitive"):
            machine.do_action("Evt9")
        with pytest.raises(ValueError):
            machine.transition("Sta14")
        assoc.dul.event_queue.put("Evt15")
        assert (machine.current_state, assoc.is_aborted) == ("Sta1", True)
        acceptor.join(WAIT)
        assert acceptor.is_aborted
        machine.transition("Sta6")
        assert machine.current_state == "Sta6"
        machine.transition("Sta1")


def test_what_waits_can_be_looked_at() -> None:
    box = Box()

    def script(peer: Any) -> None:
        peer.accept()
        peer.read()
        peer.send(ReleaseRQ())
        box.wait()
        peer.send(Abort(0, 0))

    with scripted(script) as port:
        assoc = entity(linger=0.1).associate(LOCAL, port)
        held = assoc.dul.held
        for each in echo_fragments():
            assoc.dul.send_pdu(each)
        event = held.next(WAIT, ReleaseRQ)
        assoc.connection.events.append(event)
        assert isinstance(assoc.dul.peek_next_pdu(), A_RELEASE)
        assert isinstance(assoc.dul.to_user_queue.get_nowait(), A_RELEASE)
        assert isinstance(assoc.dul.receive_pdu(), A_RELEASE)
        assert held.next(0, ReleaseRQ) is None
        box.put("go on")
        assert isinstance(assoc.dul.receive_pdu(wait=True, timeout=WAIT), A_ABORT)

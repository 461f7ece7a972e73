"""Sends and takes messages by hand, over an association of its own."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Any

import pytest
from pydicom import Dataset

from dicomwire import evt
from dicomwire.compat.dimse import DIMSEServiceProvider
from dicomwire.dataset.codec import encode
from dicomwire.dimse_messages import C_ECHO_RQ
from dicomwire.dimse_primitives import C_CANCEL, C_ECHO, C_FIND, C_STORE
from dicomwire.pdu_primitives import P_DATA
from dicomwire.protocol.errors import Ended
from tests.network.ends import (
    CT,
    LOCAL,
    VERIFICATION,
    WAIT,
    Box,
    entity,
    established,
    scripted,
)

pytestmark = [pytest.mark.socket, pytest.mark.box("9.1")]

FIND = "1.2.840.10008.5.1.4.1.2.2.1"
NOTHING = (None, None)


def echo(message_id: int = 9) -> C_ECHO:
    made = C_ECHO()
    made.MessageID, made.AffectedSOPClassUID = message_id, VERIFICATION
    return made


def test_a_request_sent_by_hand_is_answered() -> None:
    with established((evt.EVT_C_ECHO, lambda event: 0xB000)) as (assoc, _):
        assert isinstance(assoc.dimse, DIMSEServiceProvider)
        assert assoc.dimse is assoc.dimse
        assert assoc.dimse.dul is assoc.dul or assoc.dimse.dul.assoc is assoc
        assoc.dimse.send_msg(echo(), 1)
        context_id, answer = assoc.dimse.get_msg(block=True)
        assert (context_id, type(answer)) == (1, C_ECHO)
        assert (answer.MessageIDBeingRespondedTo, answer.Status) == (9, 0xB000)
        assert assoc.dimse.get_msg() == NOTHING
        assert assoc.send_c_echo().Status == 0xB000  # and the library goes on by itself
        assert assoc.dimse.maximum_pdu_size == 16382
        assert assoc.dimse.dimse_timeout == assoc.dimse_timeout


def test_a_data_set_goes_with_it() -> None:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.PatientName = CT, "1.2.3", "Doe^Jane"
    box = Box()
    with established((evt.EVT_C_STORE, lambda event: box.put(event.dataset) or 0)) as (assoc, _):
        (context,) = [c for c in assoc.accepted_contexts if c.abstract_syntax == CT]
        store = C_STORE()
        store.MessageID, store.AffectedSOPClassUID = 5, CT
        store.AffectedSOPInstanceUID = "1.2.3"
        store.DataSet = BytesIO(encode(dataset, context.transfer_syntax[0]))
        assoc.dimse.send_msg(store, context.context_id)
        assert assoc.dimse.get_msg(block=True)[1].Status == 0
    assert box.things[0].PatientName == "Doe^Jane"


def test_many_responses_are_taken_one_by_one_and_a_cancel_goes_between() -> None:
    box = Box()

    def on_find(event: Any) -> Any:
        match = Dataset()
        match.PatientID = "1"
        yield 0xFF00, match
        box.wait()
        yield 0xFE00, None

    scu, scp = entity("SCU", FIND), entity("SCP", FIND)
    with established((evt.EVT_C_FIND, on_find), scu=scu, scp=scp) as (assoc, acceptor):
        find, cancel = C_FIND(), C_CANCEL()
        find.MessageID, find.AffectedSOPClassUID, find.Identifier = 7, FIND, BytesIO(b"")
        query = Dataset()
        query.PatientID = "*"
        find.Identifier = BytesIO(encode(query, assoc.accepted_contexts[0].transfer_syntax[0]))
        assoc.dimse.send_msg(find, 1)
        _, answer = assoc.dimse.get_msg(block=True)
        assert answer.Status == 0xFF00
        assert len(answer.Identifier.getvalue()) > 0
        cancel.MessageIDBeingRespondedTo = 7
        assoc.dimse.send_msg(cancel, 1)
        box.put("cancelled")
        assert assoc.dimse.get_msg(block=True)[1].Status == 0xFE00
        assoc.release()
        assert assoc.is_released
        acceptor.join(WAIT)
        assert acceptor.is_released


def test_who_hears_nothing_is_told_so() -> None:
    def script(peer: Any) -> None:
        peer.accept()
        assert peer.command()["MessageID"] == 9
        assert peer.rest()  # an abort

    with scripted(script) as port:
        assoc = entity().associate(LOCAL, port)
        assoc.dimse_timeout = 0.05
        assoc.dimse.send_msg(echo(), 1)
        assert assoc.dimse.get_msg(block=True) == NOTHING
        assoc.abort()
        assert assoc.is_aborted
        assert assoc.dimse.get_msg() == NOTHING
        with pytest.raises(Ended):
            assoc.dimse.send_msg(echo(), 1)


def test_inside_a_handler_the_acceptor_asks_by_hand() -> None:
    box = Box()

    def on_echo(event: Any) -> int:
        if event.message_id == 1:
            event.assoc.dimse.send_msg(echo(77), event.context.context_id)
            box.put(event.assoc.dimse.get_msg(block=True)[1])
        return 0

    both = [(evt.EVT_C_ECHO, lambda event: 0)]
    with established((evt.EVT_C_ECHO, on_echo), evt_handlers=both) as (assoc, _):
        assert assoc.send_c_echo(msg_id=1).Status == 0
    (answer,) = box.things
    assert answer.MessageIDBeingRespondedTo == 77


def test_who_is_served_elsewhere_cannot_be_asked_to_receive() -> None:
    with established() as (_, acceptor), pytest.raises(RuntimeError):
        acceptor.dimse.get_msg()


def test_cancels_that_have_come() -> None:
    seen: list[Any] = []

    def on_find(event: Any) -> Any:
        match = Dataset()
        match.PatientID = "1"
        while not event.is_cancelled:
            yield 0xFF00, match
        seen.append(event.assoc.dimse.cancel_req)
        yield 0xFE00, None

    scu, scp = entity("SCU", FIND), entity("SCP", FIND)
    with established((evt.EVT_C_FIND, on_find), scu=scu, scp=scp) as (assoc, _):
        query = Dataset()
        query.PatientID = "*"
        responses = assoc.send_c_find(query, FIND, msg_id=7)
        next(responses)
        assoc.send_c_cancel(7, query_model=FIND)
        assert [status.Status for status, _ in responses][-1] == 0xFE00
    (cancelled,) = seen
    assert list(cancelled) == [7]
    assert isinstance(cancelled[7], C_CANCEL)
    assert cancelled[7].MessageIDBeingRespondedTo == 7


def test_fragments_that_are_given_by_hand_wait_to_be_taken() -> None:
    message = C_ECHO_RQ()
    message.primitive_to_message(echo())
    first, *others = message.encode_msg(3, 20)
    with established() as (assoc, _):
        assoc.dimse.receive_primitive(first)
        assert assoc.dimse.message is not None
        assert assoc.dimse.peek_msg() == NOTHING
        for each in others:
            assoc.dimse.receive_primitive(each)
        assert assoc.dimse.message is None
        assert assoc.dimse.msg_queue.qsize() == 1
        assert assoc.dimse.peek_msg()[1].MessageID == 9
        context_id, taken = assoc.dimse.get_msg()
        assert (context_id, taken.MessageID) == (3, 9)
        assert assoc.dimse.peek_msg() == NOTHING


@pytest.mark.box("9.4")
def test_fragments_that_are_no_message_abort(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "dicomwire")
    broken = P_DATA()
    broken.presentation_data_value_list = [(1, b"\3\0\0")]
    with established() as (assoc, acceptor):
        assoc.dimse.receive_primitive(broken)
        assert "invalid DIMSE message" in caplog.text
        acceptor.join(WAIT)
        assert acceptor.is_aborted
        assert (acceptor.ended.source, acceptor.ended.reason) == (2, 6)


def test_before_there_is_a_peer_there_is_nothing_to_see() -> None:
    from dicomwire import Association

    loose = Association(entity(), "requestor")
    assert loose.dimse.peek_msg() == NOTHING
    assert loose.dul.state_machine.current_state == "Sta1"
    assert loose.dul.socket is None

"""Turns what happens on an association into calls of handlers: which, when, with what."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from dicomwire import evt, pdu
from dicomwire.network.events import BY_NAME, INTERVENTIONS, NOTIFICATIONS, Event, Handlers
from dicomwire.pdu_primitives import A_ASSOCIATE, A_RELEASE
from dicomwire.protocol.pdus import (
    Abort,
)
from dicomwire.services.wants import Unbound
from tests.network.ends import (
    CT,
    LOCAL,
    VERIFICATION,
    WAIT,
    Box,
    call,
    entity,
    established,
    image,
    lines,
    port_of,
    serving,
)

STANDARD_NAMES = """ABORTED ACCEPTED ACSE_RECV ACSE_SENT CONN_CLOSE CONN_OPEN DATA_RECV DATA_SENT
    DIMSE_RECV DIMSE_SENT ESTABLISHED FSM_TRANSITION PDU_RECV PDU_SENT REJECTED RELEASED
    REQUESTED""".split()
LIFE = [evt.EVT_CONN_OPEN, evt.EVT_REQUESTED, evt.EVT_ACCEPTED, evt.EVT_ESTABLISHED,
        evt.EVT_REJECTED, evt.EVT_RELEASED, evt.EVT_ABORTED, evt.EVT_CONN_CLOSE]  # fmt: skip


def note(event: Any, box: Box) -> None:
    box.put(event)


def told(events: Any = NOTIFICATIONS) -> tuple[Box, list[Any]]:
    """A box and the bindings that put these events into it."""
    box = Box()
    return box, [(event, note, [box]) for event in events]


def names(box: Box) -> list[str]:
    return [event.event.name for event in box.things]


def test_there_are_the_events_that_users_know() -> None:
    assert [event.name for event in NOTIFICATIONS] == [f"EVT_{name}" for name in STANDARD_NAMES]
    assert len(INTERVENTIONS) == 15
    for event in (*NOTIFICATIONS, *INTERVENTIONS):
        assert getattr(evt, event.name) is event is BY_NAME[event.name]
        assert str(event) == event.name
        assert event.is_intervention is not event.is_notification
        assert event.description


def test_the_life_of_an_association_is_told_in_order_on_both_sides() -> None:
    mine, my_handlers = told(LIFE)
    theirs, their_handlers = told(LIFE)
    with established(*their_handlers, evt_handlers=my_handlers) as (assoc, acceptor):
        assert assoc.send_c_echo().Status == 0
        assoc.release()
        acceptor.join(WAIT)
    assert names(mine) == ["EVT_REQUESTED", "EVT_CONN_OPEN", "EVT_ACCEPTED", "EVT_ESTABLISHED",
                           "EVT_RELEASED", "EVT_CONN_CLOSE"]  # fmt: skip
    assert names(theirs) == ["EVT_CONN_OPEN", "EVT_REQUESTED", "EVT_ACCEPTED", "EVT_ESTABLISHED",
                             "EVT_RELEASED", "EVT_CONN_CLOSE"]  # fmt: skip
    assert {event.assoc for event in mine.things} == {assoc}
    assert {event.assoc for event in theirs.things} == {acceptor}
    assert all(event.timestamp.tzinfo is None for event in mine.things)
    addresses = [event.address for event in mine.things if "CONN" in event.event.name]
    assert len(addresses) == 2
    assert addresses[0] == addresses[1]
    assert addresses[0][0] == LOCAL
    opened = theirs.things[0].address
    assert opened == (assoc.requestor.address, assoc.requestor.port)


@pytest.mark.parametrize("side", ["requestor", "acceptor"])
def test_an_abort_and_a_rejection_are_told(side: str) -> None:
    mine, my_handlers = told(LIFE)
    theirs, their_handlers = told(LIFE)
    ae = entity("SCP")
    with serving(ae, *their_handlers) as server:
        assoc = call(server, evt_handlers=my_handlers)
        theirs.wait(4)
        acceptor = theirs.things[0].assoc
        (assoc if side == "requestor" else acceptor).abort()
        assoc.join(WAIT)
        acceptor.join(WAIT)
        assert names(mine)[-2:] == names(theirs)[-2:] == ["EVT_ABORTED", "EVT_CONN_CLOSE"]
        ae.require_called_aet = True
        mine.things.clear()
        theirs.things.clear()
        call(server, evt_handlers=my_handlers)
        assert names(mine) == ["EVT_REQUESTED", "EVT_CONN_OPEN", "EVT_REJECTED", "EVT_CONN_CLOSE"]
        theirs.wait(4)
        assert names(theirs) == ["EVT_CONN_OPEN", "EVT_REQUESTED", "EVT_REJECTED",
                                 "EVT_CONN_CLOSE"]  # fmt: skip


KINDS = [evt.EVT_PDU_SENT, evt.EVT_PDU_RECV]


def pdus(box: Box, event: Any) -> list[type]:
    return [type(each.pdu) for each in box.things if each.event is event]


def test_every_pdu_is_shown_with_its_bytes_and_transitions() -> None:
    mine, my_handlers = told()
    theirs, their_handlers = told()
    with established(*their_handlers, evt_handlers=my_handlers) as (assoc, acceptor):
        assert assoc.send_c_echo().Status == 0
        assoc.release()
        acceptor.join(WAIT)
    sent = [pdu.A_ASSOCIATE_RQ, pdu.P_DATA_TF, pdu.A_RELEASE_RQ]
    received = [pdu.A_ASSOCIATE_AC, pdu.P_DATA_TF, pdu.A_RELEASE_RP]
    for box, pair in ((mine, (sent, received)), (theirs, (received, sent))):
        assert (pdus(box, evt.EVT_PDU_SENT), pdus(box, evt.EVT_PDU_RECV)) == pair
        for way in ("SENT", "RECV"):
            raw = [e.data for e in box.things if e.event.name == f"EVT_DATA_{way}"]
            shown = [e.pdu for e in box.things if e.event.name == f"EVT_PDU_{way}"]
            assert raw == [each.encode() for each in shown]
            acse = [e.primitive for e in box.things if e.event.name == f"EVT_ACSE_{way}"]
            assert [type(each) for each in acse] == [A_ASSOCIATE, A_RELEASE]
    moves = [e for e in mine.things if e.event is evt.EVT_FSM_TRANSITION]
    assert [(m.current_state, m.fsm_event, m.action, m.next_state) for m in moves] == [
        ("Sta1", "Evt1", "AE-1", "Sta4"),
        ("Sta4", "Evt2", "AE-2", "Sta5"),
        ("Sta5", "Evt3", "AE-3", "Sta6"),
        ("Sta6", "Evt9", "DT-1", "Sta6"),
        ("Sta6", "Evt10", "DT-2", "Sta6"),
        ("Sta6", "Evt11", "AR-1", "Sta7"),
        ("Sta7", "Evt13", "AR-3", "Sta1"),
    ]


def test_every_message_is_shown_with_its_data_set() -> None:
    mine, my_handlers = told([evt.EVT_DIMSE_SENT, evt.EVT_DIMSE_RECV])
    theirs, their_handlers = told([evt.EVT_DIMSE_SENT, evt.EVT_DIMSE_RECV])
    store = (evt.EVT_C_STORE, lambda event: 0)
    with established(store, *their_handlers, evt_handlers=my_handlers) as (assoc, _):
        assoc.send_c_store(image("1.2.3"), msg_id=5)
        assoc.send_c_echo()
        seen = [(e.event.name, e.message.name) for e in theirs.wait(4)]
        assert seen == [
            ("EVT_DIMSE_RECV", "C-STORE-RQ"),
            ("EVT_DIMSE_SENT", "C-STORE-RSP"),
            ("EVT_DIMSE_RECV", "C-ECHO-RQ"),
            ("EVT_DIMSE_SENT", "C-ECHO-RSP"),
        ]
        assert [(e.event.name, e.message.name) for e in mine.things] == [
            (("EVT_DIMSE_SENT" if name.endswith("RECV") else "EVT_DIMSE_RECV"), message)
            for name, message in seen
        ]
        request = theirs.things[0].message
        assert request.context_id == 3
        assert request.command_set.MessageID == 5
        assert request.command_set.AffectedSOPInstanceUID == "1.2.3"
        assert len(request.data_set.getvalue()) > 0
        assert theirs.things[2].message.data_set.getvalue() == b""


def test_a_large_store_is_shown_fragment_by_fragment() -> None:
    mine, my_handlers = told([evt.EVT_PDU_SENT, evt.EVT_DATA_SENT])
    theirs, their_handlers = told([evt.EVT_PDU_RECV, evt.EVT_DATA_RECV])
    got = Box()

    def on_store(event: Any) -> int:
        return got.put(event.encoded_dataset(include_meta=False))

    store = (evt.EVT_C_STORE, on_store)
    with established(store, *their_handlers, evt_handlers=my_handlers) as (assoc, _):
        assert assoc.send_c_store(image(size=200_000)).Status == 0
    sent = [e.data for e in mine.things if e.event is evt.EVT_DATA_SENT]
    received = [e.data for e in theirs.things if e.event is evt.EVT_DATA_RECV]
    assert sent == received
    fragments = b"".join(
        value.data[1:]
        for e in theirs.things
        if e.event is evt.EVT_PDU_RECV and isinstance(e.pdu, pdu.P_DATA_TF)
        for value in e.pdu.presentation_data_value_items
        if value.message_control_header_byte[-1] == "0"
    )
    assert [fragments] == got.things


# -- several, bad and changing handlers ----------------------------------------------------------


def test_one_that_raises_keeps_none_of_the_others_from_being_called(
    caplog: pytest.LogCaptureFixture,
) -> None:
    order: list[int] = []

    def first(event: Any) -> None:
        order.append(1)
        raise ValueError("of a handler")

    def second(event: Any, number: int) -> None:
        order.append(number)

    handlers = [(evt.EVT_ESTABLISHED, first), (evt.EVT_ESTABLISHED, second, [2])]
    handlers.append((evt.EVT_ESTABLISHED, second, [3]))  # the same with other arguments
    with established(evt_handlers=handlers) as (assoc, _):
        assert order == [1, 2, 3]
        assert assoc.is_established
    text = "Exception raised in user's 'evt.EVT_ESTABLISHED' event handler 'first'"
    assert text in lines(caplog, logging.ERROR)


@pytest.mark.parametrize("event", [e for e in NOTIFICATIONS if e.name != "EVT_REJECTED"])
def test_whatever_raises_the_association_goes_on(event: Any) -> None:
    def raising(event: Any) -> None:
        raise ValueError("of a handler")

    both = [(event, raising)]
    with established(*both, (evt.EVT_C_STORE, lambda e: 0), evt_handlers=both) as (assoc, _):
        assert assoc.send_c_echo().Status == 0
        assert assoc.send_c_store(image()).Status == 0
        if event is evt.EVT_ABORTED:
            assoc.abort()
        else:
            assoc.release()
        assert assoc.is_released or assoc.is_aborted


def test_a_handler_can_be_bound_and_unbound_while_the_association_runs() -> None:
    box = Box()
    with established() as (assoc, _):
        assert assoc.get_events() == []
        assoc.bind(evt.EVT_PDU_SENT, note, [box])
        assoc.bind(evt.EVT_PDU_SENT, note, [box])  # once is enough
        assert assoc.get_handlers(evt.EVT_PDU_SENT) == [(note, [box])]
        assoc.send_c_echo()
        assert len(box.things) == 1
        assoc.bind(evt.EVT_DIMSE_RECV, note, [box])
        assert [e.name for e in assoc.get_events()] == ["EVT_DIMSE_RECV", "EVT_PDU_SENT"]
        assoc.send_c_echo()
        assert len(box.things) == 3
        assoc.unbind(evt.EVT_PDU_SENT, note)
        assoc.unbind(evt.EVT_DIMSE_RECV, note)
        assoc.unbind(evt.EVT_DIMSE_RECV, note)
        assoc.send_c_echo()
        assert len(box.things) == 3
        assert assoc.get_events() == []
        assert assoc.get_handlers(evt.EVT_PDU_SENT) == []


def test_a_handler_of_the_server_is_for_running_and_future_associations() -> None:
    box = Box()
    with serving(None, (evt.EVT_C_ECHO, lambda event: 0xB000)) as server:
        first = call(server)
        assert first.send_c_echo().Status == 0xB000
        server.bind(evt.EVT_C_ECHO, lambda event: 0xB006)
        server.bind(evt.EVT_DIMSE_RECV, note, [box])
        assert [e.name for e in server.get_events()] == ["EVT_C_ECHO", "EVT_DIMSE_RECV"]
        second = call(server)
        assert [assoc.send_c_echo().Status for assoc in (first, second)] == [0xB006] * 2
        assert len(box.wait(2)) == 2
        server.unbind(evt.EVT_DIMSE_RECV, note)
        assert server.get_handlers(evt.EVT_DIMSE_RECV) == []
        assert [assoc.send_c_echo().Status for assoc in (first, second)] == [0xB006] * 2
        assert len(box.things) == 2
        assert first.get_events() == []  # the requestor's are its own


def test_of_an_intervention_event_the_last_handler_counts() -> None:
    def one(event: Any) -> int:
        return 0xB000

    def other(event: Any) -> int:
        return 0xB006

    handlers = [(evt.EVT_C_ECHO, one), (evt.EVT_C_ECHO, other)]
    with established(*handlers) as (assoc, acceptor):
        assert assoc.send_c_echo().Status == 0xB006
        assert acceptor.get_handlers(evt.EVT_C_ECHO) == (other, [])
        acceptor.unbind(evt.EVT_C_ECHO, one)  # not the one that is bound
        assert assoc.send_c_echo().Status == 0xB006
        acceptor.unbind(evt.EVT_C_ECHO, other)
        assert assoc.send_c_echo().Status == 0x0000
        assert acceptor.get_handlers(evt.EVT_C_ECHO) == []


def test_handlers_run_in_the_thread_where_it_happens() -> None:
    threads: list[Any] = []

    def remember(event: Any) -> int:
        threads.append(threading.current_thread())
        return 0

    both = [(evt.EVT_ESTABLISHED, remember), (evt.EVT_DIMSE_SENT, remember)]
    with established(evt_handlers=both) as (assoc, _):
        assoc.send_c_echo()
    assert set(threads) == {threading.current_thread()}


def test_trigger_calls_what_is_bound() -> None:
    box = Box()
    with established() as (assoc, _):
        assert evt.trigger(assoc, evt.EVT_C_ECHO) is None
        assoc.bind(evt.EVT_C_ECHO, lambda event, more: (event.number, more), ["x"])
        assoc.bind(evt.EVT_RELEASED, note, [box])
        assert evt.trigger(assoc, evt.EVT_C_ECHO, {"number": 1}) == (1, "x")
        assert evt.trigger(assoc, evt.EVT_RELEASED, {"number": 2}) is None
        assert box.things[0].number == 2
        box.things.clear()


def test_a_copy_of_the_handlers_is_changed_on_its_own() -> None:
    handlers = Handlers([(evt.EVT_ABORTED, print), (evt.EVT_C_ECHO, print)])
    other = handlers.copy()
    other.unbind(evt.EVT_ABORTED, print)
    other.unbind(evt.EVT_C_ECHO, print)
    assert other.events() == []
    assert [event.name for event in handlers.events()] == ["EVT_ABORTED", "EVT_C_ECHO"]
    assert handlers.listens(evt.EVT_REJECTED, evt.EVT_ABORTED)
    assert not handlers.listens(evt.EVT_REJECTED)


def test_an_event_says_what_it_has_not() -> None:
    event = Event(None, evt.EVT_RELEASED, {"here": 1})
    assert event.here == 1
    with pytest.raises(AttributeError, match="EVT_RELEASED, which has no 'dataset' parameter"):
        _ = event.dataset


def test_the_last_word_is_an_event_too() -> None:
    mine, my_handlers = told([evt.EVT_PDU_SENT, evt.EVT_ACSE_SENT])
    with established(evt_handlers=my_handlers) as (assoc, _):
        assoc.abort()
        assert mine.things[-1].pdu.encode() == Abort(0, 0).encode()
        assert mine.things[-2].primitive.abort_source == 0


def test_several_servers_have_handlers_of_their_own() -> None:
    ae = entity("SCP", VERIFICATION, CT)
    with serving(ae, (evt.EVT_C_ECHO, lambda event: 0xB000)) as one:
        other = ae.start_server((LOCAL, 0), block=False, evt_handlers=[])
        assert other is not None
        assert call(one).send_c_echo().Status == 0xB000
        assert call(other).send_c_echo().Status == 0x0000
        assert port_of(one) != port_of(other)


def test_what_is_bound_to_one_association_is_its_own() -> None:
    box = Box()
    with serving(None, (evt.EVT_ESTABLISHED, lambda event: box.put(event.assoc))) as server:
        one, other = call(server), call(server)
        by_port = {acceptor.requestor.port: acceptor for acceptor in box.wait(2)}
        by_port[one.requestor.port].bind(evt.EVT_C_ECHO, lambda event: 0xB000)
        assert [assoc.send_c_echo().Status for assoc in (one, other)] == [0xB000, 0x0000]
        assert server.get_handlers(evt.EVT_C_ECHO) == []


def test_the_default_handler_leaves_it_to_the_library() -> None:
    handler = evt.get_default_handler(evt.EVT_C_ECHO)
    with established((evt.EVT_C_ECHO, handler)) as (assoc, _):
        assert assoc.send_c_echo().Status == 0x0000
    with pytest.raises(Unbound):
        handler(None)
    with pytest.raises(KeyError, match="EVT_ABORTED"):
        evt.get_default_handler(evt.EVT_ABORTED)

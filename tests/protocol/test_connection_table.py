"""A connection does what PS3.8 Table 9-10 says, cell by cell, with the real bytes of each PDU."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import (
    Aborted,
    Ended,
    LocalError,
    Lost,
    Rejected,
    Released,
)
from dicomwire.protocol.messages import Message
from dicomwire.protocol.pdus import (
    Abort,
    AnyPDU,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    PDataTF,
    ReleaseRP,
    ReleaseRQ,
)
from tests.examples import examples
from tests.protocol.pairs import (
    ARRIVING,
    ECHO,
    STATES,
    STORE,
    Watcher,
    feed,
    in_state,
    message,
    pdus_of,
    request,
    taken,
)
from tests.standard.table_9_10 import CELLS, EVENTS, Cell, choose


def ask_for_messages(connection: Connection) -> None:
    connection.send_message(1, dict(ECHO))


LOCAL: dict[str, Callable[[Connection], None]] = {
    "Evt1": lambda it: it.step(request()),
    "Evt2": Connection.connected,
    "Evt5": Connection.connected,
    "Evt7": lambda it: it.accept(AssociateAC("SCP", "SCU"), []),
    "Evt8": lambda it: it.step(AssociateRJ(1, 1, 7)),
    "Evt9": ask_for_messages,
    "Evt11": lambda it: it.step(ReleaseRQ()),
    "Evt14": lambda it: it.step(ReleaseRP()),
    "Evt15": lambda it: it.step(Abort(0, 0)),
    "Evt17": Connection.closed,
    "Evt18": Connection.timer_expired,
}

# What "send" sends and "tell" tells, by action; AA-1, AA-7 and AA-8 are below.
SENT: dict[str, type[AnyPDU]] = {
    "AE-2": AssociateRQ,
    "AE-7": AssociateAC,
    "AE-8": AssociateRJ,
    "DT-1": PDataTF,
    "AR-1": ReleaseRQ,
    "AR-4": ReleaseRP,
    "AR-7": PDataTF,
    "AR-9": ReleaseRP,
}
TOLD: dict[str, type] = {
    "AE-3": AssociateAC,
    "AE-6": AssociateRQ,
    "DT-2": Message,
    "AR-2": ReleaseRQ,
    "AR-6": Message,
    "AR-8": ReleaseRQ,
    "AR-10": ReleaseRP,
}
ENDS: dict[str, type[Ended]] = {
    "AE-4": Rejected,
    "AE-8": Rejected,
    "AR-3": Released,
    "AR-4": Released,
    "AA-1": Aborted,
    "AA-3": Aborted,
    "AA-4": Lost,
    "AA-8": Aborted,
}


def abort_for(event: str, action: str) -> Abort:
    """PS3.8 9.3.8: the user's abort has no reason, the provider's 1 unrecognised, 2 unexpected."""
    return Abort(0, 0) if action == "AA-1" else Abort(2, 1 if event == "Evt19" else 2)


def ended_by(event: str, cell: Cell) -> type[Ended] | None:
    if cell.action in ("AA-2", "AA-5"):  # of a connection without an association yet
        return {"Evt15": Aborted, "Evt16": Aborted, "Evt17": Lost}.get(event)
    return ENDS.get(cell.action)


def check(connection: Connection, event: str, cell: Cell, artim: bool, ended: Ended | None) -> None:
    """Compare everything that a driver looks at with the cell."""
    sent, told = pdus_of(taken(connection)), list(connection.events)
    assert connection.machine.state == cell.after
    if cell.action in ("AA-1", "AA-7", "AA-8"):
        assert sent == [abort_for(event, cell.action)]
    elif cell.action == "AE-6" and "send" in cell.verbs:
        assert sent == [AssociateRJ(1, 2, 2)]
    else:
        assert [type(pdu) for pdu in sent] == ([SENT[cell.action]] if "send" in cell.verbs else [])
    tells = "tell" in cell.verbs and cell.action in TOLD
    assert [type(one) for one in told] == ([TOLD[cell.action]] if tells else [])
    starts, stops = "start" in cell.verbs, "stop" in cell.verbs
    assert connection.artim == (starts or (artim and not stops))
    assert connection.wants_close == ("close" in cell.verbs)
    if ended is not None:
        assert connection.ended is ended
    else:
        assert type(connection.ended) is (ended_by(event, cell) or type(None))


def perform(event: str, state: str, requestor: bool, watcher: Watcher | None) -> None:
    connection = in_state(state, requestor)
    connection.watch(watcher)
    artim, ended = connection.artim, connection.ended
    cell = choose(event, state, connection.is_requestor)
    if event in ARRIVING:
        feed(connection, ARRIVING[event])
    else:
        LOCAL[event](connection)
    check(connection, event, cell, artim, ended)
    if watcher:
        assert watcher.moves == [(event, cell.action, state, cell.after)]


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("requestor", [True, False])
@pytest.mark.parametrize(("event", "state"), [place for place in CELLS if place[0] != "Evt5"])
def test_defined_cell(event: str, state: str, requestor: bool, watched: bool) -> None:
    if event in ("Evt1", "Evt2"):
        requestor = True
    perform(event, state, requestor, Watcher() if watched else None)


@pytest.mark.parametrize("watched", [False, True])
def test_the_acceptors_first_cell(watched: bool) -> None:
    perform("Evt5", "Sta1", False, Watcher() if watched else None)


def test_the_other_half_of_ae_6() -> None:
    connection = in_state("Sta2")
    feed(connection, AssociateRQ("SCP", "SCU", protocol_version=2).encode())
    check(connection, "Evt6", choose("Evt6", "Sta2", False, refuse=True), True, connection.ended)
    assert isinstance(connection.ended, Rejected)


@pytest.mark.parametrize(
    ("event", "state"), [(e, s) for e in EVENTS for s in STATES if (e, s) not in CELLS]
)
def test_undefined_cell(event: str, state: str) -> None:
    connection = in_state(state)
    before = connection.ended, connection.artim, connection.wants_close
    if event in ARRIVING:
        feed(connection, ARRIVING[event])  # no transport connection, no bytes: nothing happens
    elif event == "Evt17":
        connection.closed()
    elif not (event in ("Evt2", "Evt5") and (event == "Evt2") != connection.is_requestor):
        with pytest.raises(LocalError if connection.ended is None else (LocalError, Ended)):
            LOCAL[event](connection)
    assert connection.machine.state == state
    assert (connection.ended, connection.artim, connection.wants_close) == before
    assert not connection.out
    assert not connection.events


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("state", ["Sta6", "Sta7"])
def test_the_fast_path_is_the_table(state: str, watched: bool) -> None:
    connection = in_state(state)
    connection.watch(Watcher() if watched else None)
    feed(connection, message(3, dict(STORE), bytes(9000)) + message(1, dict(ECHO)))
    assert connection.machine.state == state
    assert [each.context_id for each in connection.events if isinstance(each, Message)] == [3, 1]
    assert not connection.out
    assert connection.ended is None


class Walk(RuleBasedStateMachine):
    """A random walk of one connection beside the table: whatever happens, both agree."""

    @initialize(state=st.sampled_from(STATES), requestor=st.booleans())
    def begin(self, state: str, requestor: bool) -> None:
        self.connection = in_state(state, requestor)
        self.state, self.artim = state, self.connection.artim
        self.deaf = state == "Sta1"

    @precondition(lambda self: self.state == "Sta1")
    @rule(requestor=st.booleans())
    def connects(self, requestor: bool) -> None:
        self.connection, self.state, self.artim = Connection(requestor), "Sta1", False
        if requestor:
            self.happened("Evt1")
        self.happened("Evt2" if requestor else "Evt5")
        self.deaf = False

    def happened(self, event: str) -> None:
        """Let an event happen to both."""
        arrives, connection = event in ARRIVING, self.connection
        data = ARRIVING.get(event, b"")
        if (event, self.state) == ("Evt3", "Sta5"):
            answer = in_state("Sta6", False).answer
            assert answer is not None
            data = answer.encode()

        def act() -> None:
            feed(connection, data, step=5) if arrives else LOCAL[event](connection)

        if (event, self.state) not in CELLS:
            if arrives or event == "Evt17":
                act()  # never raises, never does a thing
            else:
                with pytest.raises((LocalError, Ended)):
                    act()
            return
        if arrives and self.deaf:
            act()  # after a framing error what comes has no meaning
            return
        cell, ended = choose(event, self.state, connection.is_requestor), connection.ended
        act()
        check(connection, event, cell, self.artim, ended)
        connection.events.clear()
        self.state, self.artim = cell.after, connection.artim
        self.deaf = self.deaf or event == "Evt19" or cell.after == "Sta1"

    @rule(event=st.sampled_from([*ARRIVING]))
    def arrives(self, event: str) -> None:
        self.happened(event)

    @rule(event=st.sampled_from(["Evt8", "Evt9", "Evt11", "Evt14", "Evt15", "Evt17", "Evt18"]))
    def local(self, event: str) -> None:
        if event != "Evt9" or self.connection.contexts:
            self.happened(event)

    @precondition(lambda self: self.state not in ("Sta1", "Sta13"))
    @rule(data=st.data())
    def carries_on(self, data: st.DataObject) -> None:
        """What neither ends nor breaks the association: else most walks are short."""
        side = self.connection.is_requestor
        choices = [
            event
            for event in EVENTS
            if (event, self.state) in CELLS
            and choose(event, self.state, side).after not in ("Sta1", "Sta13")
        ]
        if choices:
            event = data.draw(st.sampled_from(choices))
            self.accepts() if event == "Evt7" else self.happened(event)

    def accepts(self) -> None:
        offered = in_state("Sta6", False)
        answer, contexts = offered.answer, list(offered.contexts.values())
        assert answer is not None
        self.connection.accept(answer, contexts)
        check(self.connection, "Evt7", choose("Evt7", "Sta3", False), self.artim, None)
        self.state = "Sta6"

    @invariant()
    def agrees(self) -> None:
        assert self.connection.machine.state == self.state
        assert not self.connection.out
        assert (self.connection.ended is not None) or self.state != "Sta13"


TestWalk = Walk.TestCase
TestWalk.settings = settings(examples(250), stateful_step_count=30)

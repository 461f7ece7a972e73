"""Two connections take random steps, legal and not, each beside PS3.8 Table 9-10: all agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import Ended, LocalError
from dicomwire.protocol.items import MaximumLength
from dicomwire.protocol.messages import Message
from dicomwire.protocol.negotiation import answer_contexts
from dicomwire.protocol.pdus import HEADER, Abort, AssociateAC
from tests.examples import examples
from tests.protocol.pairs import (
    ARRIVING,
    ECHO,
    STORE,
    SUPPORTED,
    feed,
    pdus_of,
    plain,
    request,
    taken,
)
from tests.protocol.test_connection_table import LOCAL, SENT, TOLD, abort_for, ended_by
from tests.standard.table_9_10 import CELLS, choose

P_DATA = 4
ABORTS = ("AA-1", "AA-7", "AA-8")


@dataclass
class OnWire:
    """A PDU on its way, and the message that it completes."""

    data: bytes
    completes: Any = None


@dataclass
class Side:
    """A connection, and what the table says of it.

    `way` leads to it, `arrived` bytes of its first PDU are there already; the transport connection
    is `cut` when nothing more will be put on the way. `told`, `sent` and `messages` are expected of
    the step under way.
    """

    connection: Connection
    state: str = "Sta1"
    artim: bool = False
    deaf: bool = False
    ended: type[Ended] | None = None
    way: list[OnWire] = field(default_factory=list)
    arrived: int = 0
    cut: bool = False
    told: list[type] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)
    messages: list[Any] = field(default_factory=list)

    def happens(self, event: str) -> None:
        """Let the table do what it does for an event."""
        cell = choose(event, self.state, self.connection.is_requestor)
        self.ended = self.ended or ended_by(event, cell)
        if "send" in cell.verbs:
            abort = cell.action in ABORTS
            self.sent.append(abort_for(event, cell.action) if abort else SENT[cell.action])
        if "tell" in cell.verbs and cell.action in TOLD and event != "Evt10":
            self.told.append(TOLD[cell.action])
        if {"start", "stop"} & set(cell.verbs):
            self.artim = "start" in cell.verbs
        self.state = cell.after
        self.deaf = self.deaf or event == "Evt19" or cell.after == "Sta1"

    def arrives(self, count: int) -> bytes:
        """Take some bytes off the way, as the table takes them; return them."""
        taken_off = b"".join(each.data for each in self.way)[self.arrived :][:count]
        self.arrived += len(taken_off)
        header_at = self.arrived - len(taken_off)
        while self.way:
            first = self.way[0]
            kind = first.data[0]
            # of a P-DATA-TF the header is enough to know that it may not come
            begun = header_at < HEADER.size <= self.arrived
            if not self.deaf and begun:
                if kind == P_DATA and self.state not in ("Sta6", "Sta7"):
                    self.happens("Evt10")
                elif kind not in range(1, 8):
                    self.happens("Evt19")
            if self.arrived < len(first.data):
                break
            if not self.deaf:
                self._whole(kind, first)
            self.arrived -= len(first.data)
            header_at = 0
            del self.way[0]
        return taken_off

    def _whole(self, kind: int, pdu: OnWire) -> None:
        if kind == P_DATA:
            if self.state not in ("Sta6", "Sta7"):
                return
            if not set(self.connection.contexts):  # of an answer that accepted nothing
                self.happens("Evt19")
            elif pdu.completes is not None:
                self.messages.append(pdu.completes)
        elif kind in range(1, 8):
            self.happens(_EVENTS[kind])


_EVENTS = {1: "Evt6", 2: "Evt3", 3: "Evt4", 5: "Evt12", 6: "Evt13", 7: "Evt16"}
ON_PURPOSE = ["Evt7", "Evt8", "Evt11", "Evt14", "Evt15"]
WAITING = {"Sta3": "Evt7", "Sta8": "Evt14", "Sta9": "Evt14", "Sta12": "Evt14"}
"""States in which a program is asked something, and what it answers."""
WHICH = st.sampled_from([0, 1])
MOSTLY = st.sampled_from([True] * 7 + [False])


class Pair(RuleBasedStateMachine):
    """A requestor and an acceptor, the bytes between them, and somebody who puts others there."""

    @initialize(stands=MOSTLY)
    def begin(self, stands: bool) -> None:
        """Connect, and mostly go on until the association stands."""
        self.sides = Side(Connection(True)), Side(Connection(False))
        requestor, acceptor = self.sides
        requestor.connection.step(request())
        requestor.happens("Evt1")
        requestor.connection.connected()
        requestor.happens("Evt2")
        acceptor.connection.connected()
        acceptor.happens("Evt5")
        for side in self.sides:
            self.settled(side)
        if stands:
            self.delivers(1, 1, True, 0)
            self.asks(1, "Evt7", True)
            self.delivers(0, 1, True, 0)

    @precondition(lambda self: any(side.state == "Sta1" for side in self.sides))
    @rule(stands=MOSTLY)
    def again(self, stands: bool) -> None:
        """Connect anew."""
        self.begin(stands)

    def settled(self, side: Side, completes: Any = None) -> None:
        """Compare a connection with the table after a step; what it sends is on its way."""
        connection, other = side.connection, self.sides[side is self.sides[0]]
        raw = taken(connection)
        sent = [pdu if isinstance(pdu, Abort) else type(pdu) for pdu in pdus_of(raw)]
        if completes is None:
            assert sent == side.sent
        told = [event for event in connection.events if not isinstance(event, Message)]
        messages = [plain(event) for event in connection.events if isinstance(event, Message)]
        assert [type(event) for event in told] == side.told
        assert messages == side.messages
        assert connection.machine.state == side.state
        assert connection.artim == side.artim
        assert type(connection.ended) is (side.ended or type(None))
        connection.events.clear()
        side.told, side.sent, side.messages = [], [], []
        if not other.cut and other.state != "Sta1":
            put_on(other.way, raw, completes)

    @rule(which=WHICH, event=st.sampled_from(ON_PURPOSE), patient=MOSTLY)
    def asks(self, which: int, event: str, patient: bool) -> None:
        """A program asks for something, at the right time or not; mostly for nothing that ends."""
        side = self.sides[which]
        if patient and event in ("Evt8", "Evt15"):
            event = "Evt7" if side.state == "Sta3" else "Evt14"
        act = accepts if event == "Evt7" else LOCAL[event]
        if (event, side.state) in CELLS:
            act(side.connection)
            side.happens(event)
        else:
            with pytest.raises((LocalError, Ended)):
                act(side.connection)
        self.settled(side)

    @precondition(lambda self: all(side.state == "Sta6" for side in self.sides))
    @rule()
    def collide(self) -> None:
        """Both release at the same time (PS3.8 9.2.3, AR-8)."""
        for which in (0, 1):
            self.asks(which, "Evt11", True)
        for which in (0, 1):
            self.delivers(which, 1, True, 0)

    @precondition(lambda self: any(side.state in WAITING for side in self.sides))
    @rule()
    def answers(self) -> None:
        """A program answers what waits for it, and the answer arrives."""
        for which, side in enumerate(self.sides):
            if side.state in WAITING:
                self.asks(which, WAITING[side.state], True)
        self.delivers(0, 1, True, 0)

    @precondition(lambda self: any(side.arrived for side in self.sides))
    @rule(event=st.sampled_from(["Evt11", "Evt15"]))
    def has_enough(self, event: str) -> None:
        """A program releases or aborts in the middle of a PDU that arrives."""
        for which, side in enumerate(self.sides):
            if side.arrived:
                self.asks(which, event, False)

    @rule(which=WHICH, size=st.sampled_from([None, 0, 7, 40000]))
    def sends(self, which: int, size: int | None) -> None:
        """A program sends a message, at the right time or not."""
        side = self.sides[which]
        command = dict(ECHO if size is None else STORE)
        data = None if size is None else bytes(size)
        if ("Evt9", side.state) not in CELLS or not side.connection.contexts:
            with pytest.raises((LocalError, Ended)):
                side.connection.send_message(1 if size is None else 3, command, data)
            self.settled(side)
            return
        context_id = 1 if size is None else 3
        side.connection.send_message(context_id, command, data)
        self.settled(side, (context_id, command, data))

    @precondition(lambda self: any(side.way for side in self.sides))
    @rule(
        which=WHICH,
        count=st.sampled_from([1, 5, 6, 12, 90, 9000]),
        all_of_it=st.booleans(),
        step=st.integers(0, 9),
    )
    def delivers(self, which: int, count: int, all_of_it: bool, step: int) -> None:
        """Bytes arrive, as many as there are or fewer, cut anywhere."""
        side = self.sides[which if self.sides[which].way else 1 - which]
        feed(side.connection, side.arrives(1 << 20 if all_of_it else count), step)
        self.settled(side)

    @rule(which=WHICH, event=st.sampled_from([*ARRIVING]), honest=MOSTLY)
    def forges(self, which: int, event: str, honest: bool) -> None:
        """Somebody puts a PDU on the way that the other side never sent."""
        side = self.sides[which]
        event = "Evt10" if honest else event
        if side.state != "Sta1" and not side.cut:
            known = plain_echo() if event == "Evt10" else None
            put_on(side.way, ARRIVING[event], known)

    @precondition(lambda self: any(side.connection.wants_close for side in self.sides))
    @rule()
    def hangs_up(self) -> None:
        """Who wants it closes the transport connection."""
        for side, other in (self.sides, self.sides[::-1]):
            if side.connection.wants_close:
                self._closed(side)
                other.cut = True

    @precondition(lambda self: any(side.cut for side in self.sides))
    @rule()
    def hears_of_it(self) -> None:
        """The end of the transport connection arrives, after all that was sent before."""
        for side in self.sides:
            if not side.cut:
                continue
            feed(side.connection, side.arrives(1 << 20))
            self.settled(side)
            self._closed(side)

    @precondition(lambda self: any(side.state == "Sta13" for side in self.sides))
    @rule()
    def breaks(self) -> None:
        """The transport connection is lost, with all that is on the way."""
        for side in self.sides:
            self._closed(side)

    @rule(holds=MOSTLY)
    def breaks_early(self, holds: bool) -> None:
        """So it is while an association stands, but mostly it goes on."""
        if not holds:
            for side in self.sides:
                self._closed(side)

    def _closed(self, side: Side) -> None:
        side.connection.closed()
        if side.state != "Sta1":
            side.happens("Evt17")
        side.way.clear()
        side.arrived = 0
        self.settled(side)

    @precondition(lambda self: any(side.artim for side in self.sides))
    @rule()
    def expires(self) -> None:
        """The ARTIM timer expires, where it runs."""
        for side in self.sides:
            if side.artim:
                side.connection.timer_expired()
                side.happens("Evt18")
                self.settled(side)

    @invariant()
    def nothing_piles_up(self) -> None:
        """No side keeps what is over."""
        for side in self.sides:
            assert not side.connection.out
            if side.state == "Sta1":
                assert not side.connection.reader.in_message


def accepts(connection: Connection) -> None:
    """Accept what was asked for; where nothing was, something."""
    asked = connection.request or request()
    answer = answer_contexts(asked.presentation_contexts, SUPPORTED)
    pdu = AssociateAC("SCP", "SCU", answer.results, [MaximumLength(16382)])
    connection.accept(pdu, answer.accepted)


def put_on(way: list[OnWire], raw: bytes, completes: Any) -> None:
    """Put PDUs on the way; the last one completes the message."""
    while raw:
        end = HEADER.size + HEADER.unpack_from(raw)[1]
        last = end >= len(raw)
        way.append(OnWire(raw[:end], completes if last else None))
        raw = raw[end:]


def plain_echo() -> Any:
    """What `ARRIVING["Evt10"]` says, which comes as two PDUs or one."""
    return 1, {**ECHO, "CommandDataSetType": 0x0101}, None


TestPair = Pair.TestCase
TestPair.settings = settings(examples(200), stateful_step_count=50)
# What fails is made small before it is shown, for up to 300 seconds.
TestPair.pytestmark = [pytest.mark.timeout(400)]  # type: ignore[attr-defined]

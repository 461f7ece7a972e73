"""The upper layer of an association as pynetdicom's users know it: `assoc.dul`.

There is no thread and no queue behind it. What is put into a queue is done at once; what a queue
shows is what has come and nobody took.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import Queue
from typing import Any

from dicomwire.compat.dimse_messages import DIMSEMessage
from dicomwire.compat.fsm import StateMachine
from dicomwire.compat.held import Held
from dicomwire.compat.indications import Primitive, end_of, indication_of
from dicomwire.compat.pdu import pdu_for
from dicomwire.compat.pdu_primitives import P_DATA
from dicomwire.compat.timer import Timer
from dicomwire.compat.transport import AssociationSocket
from dicomwire.network.upper_layer import UpperLayer
from dicomwire.protocol.connection import Connection
from dicomwire.protocol.errors import LocalError
from dicomwire.protocol.pdus import AssociateAC, AssociateRQ, ReleaseRQ
from dicomwire.standard.dimse import RESPONSE


class Inlet(Queue[Any]):
    """A queue whose items are dealt with when they are put into it.

    Parameters
    ----------
    deal : callable
        With an item.
    """

    def __init__(self, deal: Callable[[Any], None]) -> None:
        super().__init__()
        self._deal = deal

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Deal with an item, now."""
        self._deal(item)


class DULServiceProvider(UpperLayer):
    """The upper layer of an association (PS3.8 9).

    Parameters
    ----------
    assoc : Association
        The association.
    """

    def __init__(self, assoc: Any) -> None:
        super().__init__(assoc)
        self.held = Held(assoc)
        self._message = DIMSEMessage()
        self._told_end = False

    @property
    def socket(self) -> AssociationSocket | None:
        """The socket; None before there is a connection, and after."""
        found = self.assoc.raw_socket
        return None if found is None else AssociationSocket(self.assoc, found)

    @property
    def state_machine(self) -> StateMachine:
        """The state machine."""
        return StateMachine(self)

    @property
    def artim_timer(self) -> Timer:
        """The ARTIM timer (PS3.8 9.1.5): its time-out, and whether it runs."""
        timer = Timer(self.assoc.acse_timeout)
        if self.assoc.connection.artim:
            timer.start()
        return timer

    @property
    def event_queue(self) -> Inlet:
        """Takes events of the state machine; see `StateMachine.do_action`."""
        return Inlet(self.state_machine.do_action)

    @property
    def to_provider_queue(self) -> Inlet:
        """Takes primitives to be sent; see `send_pdu`."""
        return Inlet(self.send_pdu)

    @property
    def to_user_queue(self) -> Queue[Primitive]:
        """The primitives that have come and that nobody took, in a queue of their own."""
        waiting: Queue[Primitive] = Queue()
        for event in list(self.assoc.connection.events):
            waiting.put(indication_of(event, self.assoc.connection.request))
        return waiting

    def send_pdu(self, primitive: Primitive) -> None:
        """Send a primitive as its PDU; fragments of a message once the message is complete.

        After an A-RELEASE request `receive_pdu` returns the answer to it.

        Parameters
        ----------
        primitive : A_ASSOCIATE, A_RELEASE, A_ABORT, A_P_ABORT or P_DATA
            A rejection, a release, an abort or data; to ask for an association is the business of
            `AE.associate`, to accept one that of a server.

        Raises
        ------
        LocalError
            When PS3.8 Table 9-10 has no cell for that in the present state.
        """
        if isinstance(primitive, P_DATA):
            self._send_data(primitive)
            return
        wire = pdu_for(primitive).wire()
        if isinstance(wire, AssociateRQ | AssociateAC):
            raise LocalError("An association is asked for and accepted by the library itself")
        if isinstance(wire, ReleaseRQ):
            self.held.await_answer("send_pdu")
        self.perform(lambda connection: connection.step(wire))
        self.held.settle()

    def _send_data(self, primitive: P_DATA) -> None:
        if not self._message.decode_msg(primitive):
            return
        message, self._message = self._message, DIMSEMessage()
        command, data = message.command, message.data_set.getvalue()
        if not command["CommandField"] & RESPONSE:
            self.held.await_answer("send_pdu")
        context_id = message.context_id or 0
        self.perform(lambda connection: connection.send_message(context_id, command, data or None))

    def perform(self, act: Callable[[Connection], None]) -> None:
        """Do something to the connection besides the conversation under way, and send what it says.

        Parameters
        ----------
        act : callable
            What to do.
        """
        driver = self.assoc.driver
        with driver.lock:
            act(driver.connection)
        driver.flush()

    def receive_pdu(self, wait: bool = False, timeout: float | None = None) -> Primitive | None:
        """Return the next primitive that comes; None when none does.

        Parameters
        ----------
        wait : bool
            Whether to wait for it.
        timeout : float, optional
            Seconds to wait at most; None waits for ever.
        """
        event = self.held.receive("receive_pdu", timeout if wait else 0)
        if event is not None:
            return indication_of(event, self.assoc.connection.request)
        told, self._told_end = self._told_end, self.assoc.connection.ended is not None
        return None if told else end_of(self.assoc.connection.ended)

    def peek_next_pdu(self) -> Primitive | None:
        """Return what `receive_pdu` would, without taking it, and of what has come already."""
        for event in list(self.assoc.connection.events):
            return indication_of(event, self.assoc.connection.request)
        return None if self._told_end else end_of(self.assoc.connection.ended)

    def run_reactor(self) -> None:
        """Return at once: there is no reactor."""


__all__ = ["DULServiceProvider"]

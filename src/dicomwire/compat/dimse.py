"""The DIMSE messages of an association as pynetdicom's users know them: `assoc.dimse`."""

from __future__ import annotations

import logging
from queue import Queue
from typing import Any

from dicomwire.compat import dimse_messages
from dicomwire.compat.dimse_messages import DIMSEMessage
from dicomwire.compat.dimse_primitives import C_CANCEL, DIMSEPrimitive
from dicomwire.compat.indications import request_of
from dicomwire.compat.pdu_primitives import P_DATA
from dicomwire.network.upper_layer import Messages
from dicomwire.protocol.errors import RemoteError
from dicomwire.protocol.messages import Message
from dicomwire.protocol.pdus import Abort
from dicomwire.standard.dimse import RESPONSE

logger = logging.getLogger("dicomwire.dimse")


Received = tuple[int, DIMSEPrimitive] | tuple[None, None]


class DIMSEServiceProvider(Messages):
    """Sends and takes messages by hand (PS3.7 6.3).

    A request that is sent keeps the association for its responses, until the last of them was
    taken with `get_msg`.

    Parameters
    ----------
    assoc : Association
        The association.

    Attributes
    ----------
    message : DIMSEMessage or None
        What `receive_primitive` has begun to take.
    msg_queue : Queue
        What `receive_primitive` has completed: (context ID, primitive).
    """

    def __init__(self, assoc: Any) -> None:
        super().__init__(assoc)
        self.message: DIMSEMessage | None = None
        self.msg_queue: Queue[Any] = Queue()

    @property
    def cancel_req(self) -> dict[int, C_CANCEL]:
        """Message ID -> C-CANCEL, of the requests that the peer has cancelled."""
        found = {}
        for message_id in sorted(self.assoc.connection.cancelled):
            found[message_id] = C_CANCEL()
            found[message_id].MessageIDBeingRespondedTo = message_id
        return found

    def send_msg(self, primitive: DIMSEPrimitive | C_CANCEL, context_id: int) -> None:
        """Send a message.

        Parameters
        ----------
        primitive : DIMSEPrimitive or C_CANCEL
            A request when it has a Message ID, else a response.
        context_id : int
            An accepted presentation context.

        Raises
        ------
        LocalError, Ended
            When it cannot be sent.
        """
        message = _message_for(primitive)
        command, data = message.command, message.data_set.getvalue()
        if not command["CommandField"] & RESPONSE and isinstance(primitive, DIMSEPrimitive):
            self.assoc.dul.held.await_answer("send_msg")
        self.assoc.dul.perform(
            lambda connection: connection.send_message(context_id, command, data or None)
        )

    def get_msg(self, block: bool = False) -> Received:
        """Return (context ID, primitive) of the next message; (None, None) when there is none.

        Parameters
        ----------
        block : bool
            Whether to wait for it, `dimse_timeout` seconds at most.
        """
        if not self.msg_queue.empty():
            received: Received = self.msg_queue.get()
            return received
        timeout = self.dimse_timeout if block else 0
        message = self.assoc.dul.held.receive("get_msg", timeout, Message)
        return (None, None) if message is None else (message.context_id, request_of(message))

    def peek_msg(self) -> Received:
        """Return what `get_msg` would, without taking it, and of what has come already."""
        if not self.msg_queue.empty():
            waiting: Received = self.msg_queue.queue[0]
            return waiting
        context_id, message = super().peek_msg()
        return (None, None) if message is None else (context_id or 0, request_of(message))

    def receive_primitive(self, primitive: P_DATA) -> None:
        """Take fragments as if they had come; a complete message waits for `get_msg`.

        What breaks PS3.7 is an error in the log and aborts the association.

        Parameters
        ----------
        primitive : P_DATA
            The fragments.
        """
        message = self.message = self.message or DIMSEMessage()
        try:
            if not message.decode_msg(primitive, self.assoc):
                return
        except RemoteError as error:
            logger.error("Received an invalid DIMSE message: %s", error.what)
            self.message = None
            self.assoc.driver.step(Abort(error.source, error.reason))
            return
        self.message = None
        self.msg_queue.put((message.context_id, message.message_to_primitive()))


def _message_for(primitive: DIMSEPrimitive | C_CANCEL) -> DIMSEMessage:
    """Return the message of a primitive: the request when it has a Message ID."""
    is_request = isinstance(primitive, C_CANCEL) or primitive.MessageID is not None
    name = f"{type(primitive).__name__}_{'RQ' if is_request else 'RSP'}"
    message: DIMSEMessage = getattr(dimse_messages, name)()
    message.primitive_to_message(primitive)
    return message


__all__ = ["DIMSEServiceProvider"]

"""What a connection does into log lines and notification events."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from dicomwire.network.events import (
    EVT_ACSE_RECV,
    EVT_ACSE_SENT,
    EVT_DATA_RECV,
    EVT_DATA_SENT,
    EVT_DIMSE_RECV,
    EVT_DIMSE_SENT,
    EVT_FSM_TRANSITION,
    EVT_PDU_RECV,
    EVT_PDU_SENT,
    EventType,
    Handlers,
)
from dicomwire.network.log_identifiers import IDENTIFIED, identifier_lines, identifier_title
from dicomwire.network.log_messages import message_lines
from dicomwire.network.log_pdus import pdu_lines
from dicomwire.network.log_progress import Progress
from dicomwire.network.options import Options
from dicomwire.network.views import Later
from dicomwire.protocol.command import Command
from dicomwire.protocol.connection import Buffer
from dicomwire.protocol.messages import Memory, Message
from dicomwire.protocol.pdus import AnyPDU, AssociateRQ, PDataTF
from dicomwire.standard.dimse import BY_COMMAND_FIELD, NO_DATA_SET, RESPONSE

pdu_logger = logging.getLogger("dicomwire.acse")
message_logger = logging.getLogger("dicomwire.dimse")

_DATA_EVENTS = (EVT_DATA_RECV, EVT_DATA_SENT, EVT_PDU_RECV, EVT_PDU_SENT, EVT_FSM_TRANSITION)


class EventTap:
    """Watches a connection for one association.

    What it sees it only notes: the driver holds a lock meanwhile. `dispatch` then calls the
    handlers, sent things after they were sent.

    Parameters
    ----------
    assoc : Association
        Whose events these are.
    handlers : Handlers
        Who listens.
    options : Options
        Whether PDUs, messages and identifiers go to the log.
    """

    def __init__(self, assoc: Any, handlers: Handlers, options: Options) -> None:
        self._assoc = assoc
        self._handlers = handlers
        self._logs = options.log_messages
        self._options = options
        self._notes: deque[Callable[[], None]] = deque()
        self._request: AssociateRQ | None = None
        self._progress = Progress()

    @property
    def wants_data(self) -> bool:
        """Whether somebody listens to each PDU."""
        return self._handlers.listens(*_DATA_EVENTS)

    @property
    def wants_messages(self) -> bool:
        """Whether somebody listens to DIMSE messages."""
        return (self._logs and message_logger.isEnabledFor(logging.INFO)) or self._handlers.listens(
            EVT_DIMSE_RECV, EVT_DIMSE_SENT
        )

    def dispatch(self) -> None:
        """Call the handlers for what was noted."""
        notes = self._notes
        while notes:
            try:
                note = notes.popleft()
            except IndexError:  # another thread took it
                return
            note()

    def _note(self, event: EventType, **attributes: Any) -> None:
        if self._handlers.listens(event):
            self._notes.append(lambda: self._handlers.notify(self._assoc, event, **attributes))

    def received(self, pdu: AnyPDU, raw: bytes) -> None:
        """See a PDU that came."""
        if self._handlers.are_silent:
            self._pdu(pdu, outgoing=False)
            return
        self._note(EVT_DATA_RECV, data=raw)
        self._pdu(pdu, outgoing=False)
        self._note(EVT_PDU_RECV, pdu=Later("pdu_of", pdu))
        if not isinstance(pdu, PDataTF):
            self._note(EVT_ACSE_RECV, primitive=Later("primitive_of", pdu, self._request))

    def sent(self, pdu: AnyPDU, raw: bytes) -> None:
        """See a PDU that goes out."""
        self._pdu(pdu, outgoing=True)
        if self._handlers.are_silent:
            return
        if not isinstance(pdu, PDataTF):
            self._note(EVT_ACSE_SENT, primitive=Later("primitive_of", pdu, self._request))
        self._note(EVT_PDU_SENT, pdu=Later("pdu_of", pdu))
        self._note(EVT_DATA_SENT, data=raw)

    def _pdu(self, pdu: AnyPDU, outgoing: bool) -> None:
        if isinstance(pdu, AssociateRQ):
            self._request = pdu
        if self._logs and pdu_logger.isEnabledFor(logging.DEBUG):
            for line in pdu_lines(pdu, outgoing, self._request):
                pdu_logger.debug("%s", line)

    def message_received(self, message: Message) -> None:
        """See a message that came."""
        self._message(message.context_id, message.command, message.data is not None, False)
        if isinstance(message.data, Memory) and getattr(message.data, "is_in_memory", True):
            self._identifier(message.context_id, message.command, message.data.data, False)
        if self._handlers.listens(EVT_DIMSE_RECV):
            data = message.data.data if isinstance(message.data, Memory) else None
            shown = Later("message_of", message.context_id, message.command, data)
            self._note(EVT_DIMSE_RECV, message=shown)

    def message_sent(self, context_id: int, command: Command, data: Buffer | None) -> None:
        """See a message that goes out."""
        self._message(context_id, command, command["CommandDataSetType"] != NO_DATA_SET, True)
        if data is not None:
            self._identifier(context_id, command, data, True)
        if self._handlers.listens(EVT_DIMSE_SENT):
            own = None if data is None else bytes(data)  # the buffer is the sender's
            self._note(EVT_DIMSE_SENT, message=Later("message_of", context_id, dict(command), own))

    def _message(self, context_id: int, command: Command, has_data: bool, outgoing: bool) -> None:
        if self._logs and message_logger.isEnabledFor(logging.INFO):
            for line in self._progress.lines(command, outgoing):
                message_logger.info("%s", line)
        if self._logs and message_logger.isEnabledFor(logging.DEBUG):
            for line in message_lines(context_id, command, has_data, outgoing):
                message_logger.debug("%s", line)

    def _identifier(self, context_id: int, command: Command, data: Buffer, outgoing: bool) -> None:
        field = command["CommandField"]
        service = BY_COMMAND_FIELD.get(field & ~RESPONSE)
        if service is None or service.name not in IDENTIFIED:
            return
        options, answers = self._options, bool(field & RESPONSE)
        wanted = options.log_response_identifiers if answers else options.log_request_identifiers
        level = logging.DEBUG if answers and outgoing else logging.INFO  # what we know already
        if not (self._logs and wanted and message_logger.isEnabledFor(level)):
            return
        title = identifier_title(service.name, answers, outgoing)
        syntax = self._assoc.connection.contexts[context_id].transfer_syntax
        for line in identifier_lines(title, data, syntax):
            message_logger.log(level, "%s", line)

    def moved(self, event: str, action: str, before: str, after: str) -> None:
        """See a step of the state machine."""
        if self._handlers.are_silent:
            return
        self._note(
            EVT_FSM_TRANSITION,
            action=action,
            current_state=before,
            fsm_event=event,
            next_state=after,
        )

"""Responses of C-FIND, C-GET and C-MOVE into the lines that count them."""

from __future__ import annotations

from dicomwire.protocol.command import Command
from dicomwire.standard.dimse import BY_COMMAND_FIELD, C_CANCEL_RQ, C_STORE, RESPONSE, Service
from dicomwire.standard.sop_classes import service_class_of
from dicomwire.standard.statuses import Category, category_of, describe

_COUNTED = {"C-FIND": "Find", "C-GET": "Get", "C-MOVE": "Move"}
_COUNTS = (
    ("Remaining", "NumberOfRemainingSuboperations"),
    ("Completed", "NumberOfCompletedSuboperations"),
    ("Failed", "NumberOfFailedSuboperations"),
    ("Warning", "NumberOfWarningSuboperations"),
)


class Progress:
    """Counts the responses to each request of one association."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._asked: dict[int, str] = {}

    def lines(self, command: Command, outgoing: bool) -> list[str]:
        """Return what to say of a message; nothing when it is no response that is counted."""
        field = command["CommandField"]
        if field == C_CANCEL_RQ:
            return [] if outgoing else self._cancel(command)
        service = BY_COMMAND_FIELD.get(field & ~RESPONSE)
        if (
            service is C_STORE
            and field & RESPONSE
            and not outgoing
            and "GET" in self._asked.values()
        ):
            return [stored_line("Get", command["Status"])]
        if service is None or service.name not in _COUNTED:
            return []
        if not field & RESPONSE:
            self._asked[command["MessageID"]] = service.name[2:]
            return []
        return self._response(command, service, outgoing)

    def _cancel(self, command: Command) -> list[str]:
        name = self._asked.get(command["MessageIDBeingRespondedTo"])
        return [f"Received C-CANCEL{f'-{name}' if name else ''} RQ from peer"]

    def _response(self, command: Command, service: Service, outgoing: bool) -> list[str]:
        message_id = command["MessageIDBeingRespondedTo"]
        number = self._numbers[message_id] = self._numbers.get(message_id, 0) + 1
        service_class = service_class_of(command.get("AffectedSOPClassUID") or "")
        status = command["Status"]
        category = describe(status, service_class.statuses_of(service.name))[0]
        if category is not Category.PENDING:
            self._numbers.pop(message_id, None)
            self._asked.pop(message_id, None)
        name, words = _COUNTED[service.name], f"0x{status:04X} ({category.value})"
        if outgoing:
            return [f"{name} SCP Response {number}: {words}"]
        if category is Category.PENDING:
            said = [f"{name} SCP Response: {number} - {words}"]
        else:
            said = [f"{name} SCP Result: {words}"]
        return said + ([_sub_operations(command)] if service.name != "C-FIND" else [])


def stored_line(operation: str, status: int) -> str:
    """Return what to say of the response to a sub-operation.

    Parameters
    ----------
    operation : str
        "Get" or "Move".
    status : int
        Status (0000,0900) of the C-STORE.
    """
    category = category_of(status).value
    return f"{operation} SCP: Received Store SCP response 0x{status:04X} ({category})"


def _sub_operations(command: Command) -> str:
    counts = (f"{word}: {command.get(keyword) or 0}" for word, keyword in _COUNTS)
    return f"Sub-Operations {', '.join(counts)}"

"""DIMSE messages into the lines of the debug log."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from dicomwire.network.log_text import block, named, visible
from dicomwire.protocol.command import Command
from dicomwire.standard.dimse import (
    BY_COMMAND_FIELD,
    C_ECHO,
    PRIORITY_HIGH,
    PRIORITY_LOW,
    PRIORITY_MEDIUM,
    RESPONSE,
    Service,
    message_name,
)
from dicomwire.standard.statuses import category_of

_VERIFICATION = "1.2.840.10008.1.1"
_PRIORITIES = {PRIORITY_LOW: "Low", PRIORITY_MEDIUM: "Medium", PRIORITY_HIGH: "High"}
_OPTIONAL = {"MoveOriginatorApplicationEntityTitle", "MoveOriginatorMessageID"}  # PS3.7 9.1.1.1


def _status(code: int) -> str:
    return f"0x{code:04X} - {category_of(code).value}"


def _priority(code: int) -> str:
    return _PRIORITIES.get(code, f"0x{code:04X}")


def _count(tags: list[int]) -> str:
    return f"({len(tags)} Attribute Tag(s))"


def _tags(tags: list[int]) -> str:
    return ", ".join(f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in tags)


def _text(value: Any) -> str:
    return visible(str(value))


class _Line(NamedTuple):
    keyword: str
    label: str
    show: Callable[[Any], str] = _text


# In the order of the block: what stands before the line about the data set, and what after it.
_BEFORE_DATA = (
    _Line("MessageID", "Message ID"),
    _Line("MessageIDBeingRespondedTo", "Message ID Being Responded To"),
    _Line("AffectedSOPClassUID", "Affected SOP Class UID", named),
    _Line("RequestedSOPClassUID", "Requested SOP Class UID", named),
    _Line("AffectedSOPInstanceUID", "Affected SOP Instance UID"),
    _Line("RequestedSOPInstanceUID", "Requested SOP Instance UID"),
    _Line("MoveDestination", "Move Destination"),
    _Line("MoveOriginatorApplicationEntityTitle", "Move Originator"),
    _Line("EventTypeID", "Event Type ID"),
    _Line("ActionTypeID", "Action Type ID"),
    _Line("AttributeIdentifierList", "Attribute Identifier List", _count),
    _Line("NumberOfRemainingSuboperations", "Remaining Sub-operations"),
    _Line("NumberOfCompletedSuboperations", "Completed Sub-operations"),
    _Line("NumberOfFailedSuboperations", "Failed Sub-operations"),
    _Line("NumberOfWarningSuboperations", "Warning Sub-operations"),
)
_AFTER_DATA = (
    _Line("Priority", "Priority", _priority),
    _Line("Status", "Status", _status),
    _Line("OffendingElement", "Offending Element", _tags),
    _Line("ErrorComment", "Error Comment"),
    _Line("ErrorID", "Error ID"),
)


def message_lines(context_id: int, command: Command, has_data: bool, outgoing: bool) -> list[str]:
    """Show a DIMSE message as a block of the debug log (PS3.7 9.3, 10.3).

    Parameters
    ----------
    context_id : int
        Of the presentation context that carries the message.
    command : dict
        The command set by keyword.
    has_data : bool
        Whether a data set belongs to the message.
    outgoing : bool
        Whether we sent it.

    Returns
    -------
    list of str
        A line for each element that the message carries and for each that PS3.7 demands of such a
        request, which shows as ``None`` when it is missing.
    """
    field: int = command["CommandField"]
    row = BY_COMMAND_FIELD.get(field & ~RESPONSE)
    demanded = _demanded(row) if row and not field & RESPONSE else set()
    lines = [
        _pair("Message Type", " ".join(message_name(field).rsplit("-", 1))),
        _pair("Presentation Context ID", str(context_id)),
        *_elements(_BEFORE_DATA, command, demanded, row),
        *_data(field, row, has_data),
        *_elements(_AFTER_DATA, command, demanded, row),
    ]
    return block("DIMSE MESSAGE", outgoing, lines)


def _pair(label: str, value: str) -> str:
    return f"{label:<30}: {value}"


def _demanded(row: Service) -> set[str]:
    return {row.class_uid, row.instance_uid, *row.request_fields} - _OPTIONAL


def _elements(
    table: tuple[_Line, ...], command: Command, demanded: set[str], row: Service | None
) -> Iterator[str]:
    for keyword, label, show in table:
        value = command.get(keyword)
        if value is None and keyword not in demanded:
            continue
        if row is C_ECHO and keyword == "AffectedSOPClassUID" and value == _VERIFICATION:
            continue  # PS3.7 9.3.5: it says nothing that the message type does not say
        yield _pair(label, "None" if value is None else show(value))


def _data(field: int, row: Service | None, has_data: bool) -> Iterator[str]:
    name = ""
    if row:
        name = row.data_out if field & RESPONSE else row.data_in
    # A name for what PS3.7 does not foresee, and for C-ECHO-RQ, whose block has this line too.
    if not name and (has_data or field == C_ECHO.command_field):
        name = "DataSet"
    if name:
        yield _pair(_words(name), "Present" if has_data else "None")


def _words(keyword: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", keyword)
